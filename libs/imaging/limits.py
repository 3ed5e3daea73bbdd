"""How much an image may hold before anything is allocated for it."""

from msgspec import Struct

from libs.imaging.errors import ImageTooLarge, SideTooLong, TooManyFrames

LONGEST_SIDE = 16_384
"""Greatest side that any operation can ask for, in pixels."""

MAX_SCANS = 100
"""Greatest number of scans in a JPEG; encoders write about ten."""


class Limits(Struct, frozen=True, kw_only=True):
    """Bounds on one image, source or result."""

    max_pixels: int = 50_000_000  # width x height x frames
    max_side: int = LONGEST_SIDE  # in pixels
    max_frames: int = 200  # frames of an animation, pages of a TIFF

    def check(self, width: int, height: int, frames: int = 1) -> None:
        """Refuse a picture that goes beyond a bound.

        Raises:
            TooManyFrames: There are more than `max_frames`.
            ImageTooLarge: All frames together hold more than `max_pixels`.
            SideTooLong: A side is longer than `max_side`.
        """
        if frames > self.max_frames:
            raise TooManyFrames(self.max_frames)
        if width * height * frames > self.max_pixels:
            raise ImageTooLarge(width * height * frames, self.max_pixels)
        if max(width, height) > self.max_side:
            raise SideTooLong(max(width, height), self.max_side)

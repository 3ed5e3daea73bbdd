"""Limits on images, checked before memory is allocated for them."""

from pathlib import Path

from msgspec import Struct

from libs.imaging.errors import FileTooLarge, ImageTooLarge, SideTooLong, TooManyFrames, TooMuchMetadata

LONGEST_SIDE = 16_384
"""Largest side that an operation may request, in pixels."""

MAX_SCANS = 100
"""Largest number of scans in a JPEG; encoders write about ten."""

MAX_TEXT_BYTES = 1024**2
"""Largest size of one text, EXIF or XMP block in a file."""

MAX_PROFILE_BYTES = 4 * 1024**2
"""Largest size of a colour profile; profiles of printers have about 3 MB."""


def check_metadata(what: str, size_bytes: int, limit: int = MAX_TEXT_BYTES) -> None:
    """Check the size of a metadata block; `what` names it in the error.

    Raises:
        TooMuchMetadata: It has more bytes than `limit`.
    """
    if size_bytes > limit:
        raise TooMuchMetadata(what, limit)


class Limits(Struct, frozen=True, kw_only=True):
    """Limits on one image, source or result, and what to assume of it."""

    max_pixels: int = 50_000_000  # width x height x frames
    max_side: int = LONGEST_SIDE  # in pixels
    max_frames: int = 200  # frames of an animation, pages of a TIFF
    max_bytes: int = 256 * 1024**2  # of the file
    cmyk_profile: Path | None = None  # of CMYK images that have none; see `read_cmyk_profile`

    def check_bytes(self, size_bytes: int) -> None:
        """Check the size of a file.

        Raises:
            FileTooLarge: It has more bytes than `max_bytes`.
        """
        if size_bytes > self.max_bytes:
            raise FileTooLarge(size_bytes, self.max_bytes)

    def check(self, width: int, height: int, frames: int = 1) -> None:
        """Check the size of the pixels.

        Raises:
            TooManyFrames: There are more than `max_frames`.
            ImageTooLarge: All frames together have more pixels than `max_pixels`.
            SideTooLong: A side is longer than `max_side`.
        """
        if frames > self.max_frames:
            raise TooManyFrames(self.max_frames)
        if width * height * frames > self.max_pixels:
            raise ImageTooLarge(width * height * frames, self.max_pixels)
        if max(width, height) > self.max_side:
            raise SideTooLong(max(width, height), self.max_side)

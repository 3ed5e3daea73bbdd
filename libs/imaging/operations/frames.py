"""Choose frames of an animation, or a page of a TIFF."""

from typing import Annotated, ClassVar

from msgspec import Meta
from msgspec.structs import replace

from libs.imaging.operations.operation import Operation, Output


class Frames(Operation, frozen=True, kw_only=True, tag="frames"):
    """Keep one `frame`, counted from 0, as a still image, or at most the first `max_frames` frames."""

    frame: Annotated[int, Meta(ge=0, le=65_535)] | None = None
    """The frame to keep, from 0."""
    max_frames: Annotated[int, Meta(ge=1, le=65_535)] | None = None
    """How many of the first frames to keep."""

    changes_pixels: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if (self.frame is None) == (self.max_frames is None):
            raise ValueError("frames takes either a frame or max_frames")

    def update_output(self, output: Output) -> Output:
        return replace(output, frame=self.frame, max_frames=self.max_frames)

"""The library's errors. Each has a stable code and a message that can be shown to a client.

Errors travel between processes, so they must pickle together with their attributes.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from libs.imaging.formats import ACCEPTED_NAMES


def _restore(kind: type[ImagingError], *args: object) -> ImagingError:
    return kind.__new__(kind, *args)


class ImagingError(Exception):
    """The image could not be processed.

    `outcome` tells the caller what to do with the work: `transient`: the same work may succeed later, so
    retry it; `permanent`: this input can never succeed, so fail the job; `refused`: the request itself is
    not acceptable, so report it to the client. No imaging error is transient: the work depends on nothing
    but its files.
    """

    code: ClassVar[str] = "imaging_error"
    outcome: ClassVar[Literal["transient", "permanent", "refused"]] = "permanent"

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the finished message, because the arguments of a subclass's `__init__` are not kept."""
        return _restore, (type(self), *self.args), self.__dict__


class SourceFault(ImagingError):
    """The source file cannot be processed, whatever the operations are."""

    code = "source_fault"


class OperationFault(ImagingError):
    """The source file is fine, but an operation cannot be applied to it."""

    code = "operation_fault"
    outcome = "refused"


class EmptyFile(SourceFault):
    """The file is empty."""

    code = "empty_file"

    def __init__(self) -> None:
        super().__init__("the file is empty")


class NotAnImage(SourceFault):
    """The file is not in any known image format."""

    code = "not_an_image"

    def __init__(self) -> None:
        super().__init__("the file is not an image")


class FormatNotAccepted(SourceFault):
    """The file is in a known format that is not accepted."""

    code = "format_not_accepted"

    def __init__(self, name: str, accepted: str = ACCEPTED_NAMES) -> None:
        super().__init__(f"{name} files are not accepted; send {accepted}")
        self.name = name


class ImageTruncated(SourceFault):
    """The file ends before all of its pixels."""

    code = "image_truncated"

    def __init__(self) -> None:
        super().__init__("the image file is truncated")


class UnreadableImage(SourceFault):
    """The format is recognised, but the file is damaged or uses a feature that cannot be decoded."""

    code = "image_unreadable"

    def __init__(self, reason: str) -> None:
        super().__init__(f"the image cannot be read: {reason}")


class FeatureNotSupported(SourceFault):
    """The file is sound, but stores its pixels in a way that cannot be decoded; the message names it."""

    code = "feature_not_supported"

    def __init__(self, feature: str) -> None:
        super().__init__(f"{feature} is not supported")
        self.feature = feature


class ImageTooLarge(SourceFault):
    """All frames together have more pixels than the limit."""

    code = "image_too_large"

    def __init__(self, pixels: int, limit: int) -> None:
        super().__init__(f"the image has {pixels} pixels in all frames together, the limit is {limit}")


class SideTooLong(SourceFault):
    """The width or the height is above the limit."""

    code = "side_too_long"

    def __init__(self, side: int, limit: int) -> None:
        super().__init__(f"the image has a side of {side} pixels, the limit is {limit}")


class TooManyFrames(SourceFault):
    """The file has more frames or pages than the limit; counting stops there."""

    code = "too_many_frames"

    def __init__(self, limit: int) -> None:
        super().__init__(f"the image has more than {limit} frames")


class FileTooLarge(SourceFault):
    """The file has more bytes than the limit."""

    code = "file_too_large"

    def __init__(self, size_bytes: int, limit: int) -> None:
        super().__init__(f"the file has {size_bytes} bytes, the limit is {limit}")


class TooMuchMetadata(SourceFault):
    """A text, a colour profile or another metadata block is larger than the limit."""

    code = "too_much_metadata"

    def __init__(self, what: str, limit: int) -> None:
        super().__init__(f"the image has more than {limit} bytes of {what}")


class TooManyScans(SourceFault):
    """The JPEG has more scans than the limit; every scan costs a pass over all pixels."""

    code = "too_many_scans"

    def __init__(self, limit: int) -> None:
        super().__init__(f"the JPEG has more than {limit} scans")


class CropOutside(OperationFault):
    """The crop box does not lie within the image."""

    code = "crop_outside"

    def __init__(self, box: tuple[int, int, int, int], size: tuple[int, int]) -> None:
        left, top, width, height = box
        super().__init__(
            f"the crop of {width}x{height} at {left},{top} lies outside the image of {size[0]}x{size[1]}"
        )


class ResultTooLarge(OperationFault):
    """The result of an operation would be above a limit."""

    code = "result_too_large"

    def __init__(self, step: str, reason: str) -> None:
        super().__init__(f"after `{step}`, {reason}")


class FrameMissing(OperationFault):
    """The file does not have the requested frame or page."""

    code = "frame_missing"

    def __init__(self, frame: int, frames: int) -> None:
        super().__init__(f"there is no frame {frame}: the image has {frames}, counted from 0")


class TargetUnreachable(OperationFault):
    """No quality gives a file within `max_bytes`; the message has the smallest size that was reached."""

    code = "target_unreachable"

    def __init__(self, max_bytes: int, smallest_bytes: int) -> None:
        super().__init__(
            f"the result cannot be reduced to {max_bytes} bytes; "
            f"the smallest file that was reached has {smallest_bytes}"
        )
        self.smallest_bytes = smallest_bytes


class AssetMissing(OperationFault):
    """An operation needs another image that the request does not provide."""

    code = "asset_missing"

    def __init__(self, name: str) -> None:
        super().__init__(f"the operation needs the image `{name}`, which the request does not provide")
        self.name = name


class AssetUnreadable(OperationFault):
    """Another image that an operation needs cannot be read; the source itself is fine."""

    code = "asset_unreadable"
    outcome = "permanent"

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"the image `{name}` cannot be used: {reason}")
        self.name = name


class MaskWithoutHole(OperationFault):
    """The mask has no transparent pixels, so it marks no area to edit."""

    code = "mask_without_hole"

    def __init__(self) -> None:
        super().__init__("the mask has no transparent pixels; they mark the area to edit")


class FontUnavailable(OperationFault):
    """The font that a watermark names is not one of the server's, or its file is no font."""

    code = "font_unavailable"

    def __init__(self, name: str) -> None:
        super().__init__(f"the font `{name}` is not one of this server's fonts")
        self.name = name


class TextNotDrawable(OperationFault):
    """No font has glyphs for some characters of the text."""

    code = "text_not_drawable"

    def __init__(self, characters: str) -> None:
        super().__init__(f"no font has glyphs for {characters!r}")


class EncodingFailed(OperationFault):
    """The result cannot be written in the requested format."""

    code = "encoding_failed"
    outcome = "permanent"

    def __init__(self, format_name: str, reason: str) -> None:
        super().__init__(f"the result cannot be written as {format_name}: {reason}")


class OutOfMemory(ImagingError):
    """The work needs more memory than the process may use."""

    code = "render_out_of_memory"

    def __init__(self) -> None:
        super().__init__("the image needs more memory than the limit")

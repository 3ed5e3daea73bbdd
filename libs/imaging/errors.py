"""Every error of this library, each with a stable code and a message fit for a client.

All of them cross process borders: they pickle, attributes included.
"""

from __future__ import annotations

from typing import Any, ClassVar


def _restore(kind: type[ImagingError], *args: object) -> ImagingError:
    return kind.__new__(kind, *args)


class ImagingError(Exception):
    """An image could not be worked on."""

    code: ClassVar[str] = "imaging_error"

    def __reduce__(self) -> tuple[Any, ...]:
        """Restore the message itself: a subclass's own arguments are gone by then."""
        return _restore, (type(self), *self.args), self.__dict__


class SourceFault(ImagingError):
    """The source file itself is at fault; no other operations would help."""

    code = "source_fault"


class OperationFault(ImagingError):
    """The file is fine, but what was asked of it cannot be done."""

    code = "operation_fault"


class EmptyFile(SourceFault):
    """The file has no bytes at all."""

    code = "empty_file"

    def __init__(self) -> None:
        super().__init__("the file is empty")


class NotAnImage(SourceFault):
    """The bytes are not those of any image format."""

    code = "not_an_image"

    def __init__(self) -> None:
        super().__init__("the file is not an image")


class FormatNotAccepted(SourceFault):
    """The file is of a known format, but not one that is accepted."""

    code = "format_not_accepted"

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} files are not accepted; send JPEG, PNG, WebP, GIF, AVIF, TIFF or BMP")
        self.name = name


class ImageTruncated(SourceFault):
    """The file ends before its pixels do."""

    code = "image_truncated"

    def __init__(self) -> None:
        super().__init__("the image file is cut short")


class UnreadableImage(SourceFault):
    """The format is recognised, but the file is damaged or not of a kind that can be decoded."""

    code = "image_unreadable"

    def __init__(self, reason: str) -> None:
        super().__init__(f"the image cannot be read: {reason}")


class ImageTooLarge(SourceFault):
    """All frames together hold more pixels than is allowed."""

    code = "image_too_large"

    def __init__(self, pixels: int, limit: int) -> None:
        super().__init__(f"the image has {pixels} pixels over all frames, the limit is {limit}")


class SideTooLong(SourceFault):
    """A side is longer than is allowed."""

    code = "side_too_long"

    def __init__(self, side: int, limit: int) -> None:
        super().__init__(f"the image has a side of {side} pixels, the limit is {limit}")


class TooManyFrames(SourceFault):
    """The file has more frames or pages than is allowed; counting stops at the limit."""

    code = "too_many_frames"

    def __init__(self, limit: int) -> None:
        super().__init__(f"the image has more than {limit} frames")


class FileTooLarge(SourceFault):
    """The file has more bytes than is allowed."""

    code = "file_too_large"

    def __init__(self, size_bytes: int, limit: int) -> None:
        super().__init__(f"the file has {size_bytes} bytes, the limit is {limit}")


class TooMuchMetadata(SourceFault):
    """A text, a colour profile or another block beside the pixels is larger than is allowed."""

    code = "too_much_metadata"

    def __init__(self, what: str, limit: int) -> None:
        super().__init__(f"the image holds more than {limit} bytes of {what}")


class TooManyScans(SourceFault):
    """A JPEG has more scans than is allowed: each one costs a pass over all pixels."""

    code = "too_many_scans"

    def __init__(self, limit: int) -> None:
        super().__init__(f"the JPEG has more than {limit} scans")


class CropOutside(OperationFault):
    """The box to cut out does not lie within the image."""

    code = "crop_outside"

    def __init__(self, box: tuple[int, int, int, int], size: tuple[int, int]) -> None:
        left, top, width, height = box
        super().__init__(
            f"the crop of {width}x{height} at {left},{top} lies outside the image of {size[0]}x{size[1]}"
        )


class ResultTooLarge(OperationFault):
    """A step of the pipeline would make a picture beyond a limit; the source itself is fine."""

    code = "result_too_large"

    def __init__(self, step: str, reason: str) -> None:
        super().__init__(f"after `{step}`, {reason}")


class FrameMissing(OperationFault):
    """The file has fewer frames or pages than the one asked for."""

    code = "frame_missing"

    def __init__(self, frame: int, frames: int) -> None:
        super().__init__(f"there is no frame {frame}: the image has {frames}, counted from 0")


class TargetUnreachable(OperationFault):
    """No quality makes the file as small as was asked; the smallest size that was found is told."""

    code = "target_unreachable"

    def __init__(self, max_bytes: int, smallest_bytes: int) -> None:
        super().__init__(
            f"the result cannot be made as small as {max_bytes} bytes; "
            f"the smallest found has {smallest_bytes}"
        )
        self.smallest_bytes = smallest_bytes


class AssetMissing(OperationFault):
    """An operation names another image that was not given along."""

    code = "asset_missing"

    def __init__(self, name: str) -> None:
        super().__init__(f"the operation needs the image `{name}`, which was not given")
        self.name = name


class AssetUnreadable(OperationFault):
    """Another image that an operation needs is at fault itself; the source is fine."""

    code = "asset_unreadable"

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"the image `{name}` cannot be used: {reason}")
        self.name = name


class MaskWithoutHole(OperationFault):
    """The mask is clear nowhere, so there is nothing to edit: its alpha channel says where."""

    code = "mask_without_hole"

    def __init__(self) -> None:
        super().__init__("the mask is clear nowhere: its transparent pixels are those to be edited")


class TextNotDrawable(OperationFault):
    """No font has letters for a part of the text."""

    code = "text_not_drawable"

    def __init__(self, characters: str) -> None:
        super().__init__(f"no font has letters for {characters!r}")


class EncodingFailed(OperationFault):
    """The result could not be written in the format asked for."""

    code = "encoding_failed"

    def __init__(self, format_name: str, reason: str) -> None:
        super().__init__(f"the result cannot be written as {format_name}: {reason}")


class OutOfMemory(ImagingError):
    """The work needs more memory than the process may take."""

    code = "render_out_of_memory"

    def __init__(self) -> None:
        super().__init__("the image needs more memory than is allowed")

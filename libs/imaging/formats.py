"""The accepted formats, for reading and for writing alike."""

from typing import Literal, TypeAlias

from msgspec import Struct

FormatName: TypeAlias = Literal["jpeg", "png", "webp", "gif", "avif", "tiff", "bmp"]


class Format(Struct, frozen=True, kw_only=True):
    """One accepted format."""

    name: FormatName
    mime: str
    extension: str  # without the dot
    pillow: str  # what Pillow calls it
    alpha: bool  # keeps transparency
    animation: bool  # keeps more than one frame
    profiles: bool = True  # has a place for a colour profile, EXIF and XMP
    longest_side: int  # what the format itself can hold, in pixels


FORMATS: dict[FormatName, Format] = {
    known.name: known
    for known in (
        Format(
            name="jpeg",
            mime="image/jpeg",
            extension="jpg",
            pillow="JPEG",
            alpha=False,
            animation=False,
            longest_side=65_500,
        ),
        Format(
            name="png",
            mime="image/png",
            extension="png",
            pillow="PNG",
            alpha=True,
            animation=True,
            longest_side=2**31 - 1,
        ),
        Format(
            name="webp",
            mime="image/webp",
            extension="webp",
            pillow="WEBP",
            alpha=True,
            animation=True,
            longest_side=16_383,
        ),
        Format(
            name="gif",
            profiles=False,
            mime="image/gif",
            extension="gif",
            pillow="GIF",
            alpha=True,
            animation=True,
            longest_side=65_535,
        ),
        Format(
            name="avif",
            mime="image/avif",
            extension="avif",
            pillow="AVIF",
            alpha=True,
            animation=True,
            longest_side=65_536,
        ),
        Format(
            name="tiff",
            mime="image/tiff",
            extension="tiff",
            pillow="TIFF",
            alpha=True,
            animation=False,
            longest_side=2**31 - 1,
        ),
        Format(
            name="bmp",
            profiles=False,
            mime="image/bmp",
            extension="bmp",
            pillow="BMP",
            alpha=False,
            animation=False,
            longest_side=2**31 - 1,
        ),
    )
}

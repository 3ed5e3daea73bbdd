"""The accepted formats, for reading and for writing."""

from typing import Literal, TypeAlias

from msgspec import Struct

FormatName: TypeAlias = Literal["jpeg", "png", "webp", "gif", "avif", "tiff", "bmp"]


class Format(Struct, frozen=True, kw_only=True):
    """One accepted format."""

    name: FormatName
    mime: str
    extension: str  # without the dot
    pillow: str  # Pillow's name of the format
    alpha: bool  # supports transparency
    animation: bool  # supports several frames
    profiles: bool = True  # supports a colour profile, EXIF and XMP
    longest_side: int  # limit of the format itself, in pixels


FORMATS: dict[FormatName, Format] = {
    image_format.name: image_format
    for image_format in (
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

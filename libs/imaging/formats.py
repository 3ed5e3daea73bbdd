"""The accepted formats, for reading and for writing."""

from typing import Literal, TypeAlias, TypeGuard, get_args

from msgspec import Struct

WrittenName: TypeAlias = Literal["jpeg", "png", "webp", "gif", "avif", "tiff", "bmp", "jxl"]
FormatName: TypeAlias = Literal[WrittenName, "heic"]


class Format(Struct, frozen=True, kw_only=True):
    """One accepted format."""

    name: FormatName
    mime: str
    extension: str  # without the dot
    pillow: str  # Pillow's name of the format
    alpha: bool  # supports transparency
    animation: bool  # supports several frames
    pages: bool = False  # supports several pictures, each of its own size
    profiles: bool = True  # supports a colour profile
    metadata: bool = True  # supports EXIF and XMP
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
            metadata=False,
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
            pages=True,
            longest_side=2**31 - 1,
        ),
        Format(
            name="bmp",
            profiles=False,
            metadata=False,
            mime="image/bmp",
            extension="bmp",
            pillow="BMP",
            alpha=False,
            animation=False,
            longest_side=2**31 - 1,
        ),
        Format(
            name="heic",
            mime="image/heic",
            extension="heic",
            pillow="HEIF",
            alpha=True,
            animation=False,
            pages=True,
            longest_side=2**31 - 1,
        ),
        Format(
            name="jxl",
            profiles=False,
            mime="image/jxl",
            extension="jxl",
            pillow="JXL",
            alpha=True,
            animation=False,
            longest_side=2**30,
        ),
    )
}

WRITTEN_FORMATS: tuple[WrittenName, ...] = get_args(WrittenName)


def is_written(name: FormatName) -> TypeGuard[WrittenName]:
    """Return whether files of this format can be written; the others are only read."""
    return name in WRITTEN_FORMATS


ACCEPTED_NAMES = "JPEG, PNG, WebP, GIF, AVIF, HEIC, JPEG XL, TIFF or BMP"
"""The accepted formats as an error names them."""

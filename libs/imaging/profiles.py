"""Colour management: from the embedded profile to sRGB."""

from io import BytesIO
from typing import Literal

from PIL import Image, ImageCms

_SPACE = slice(16, 20)  # of a profile's header
_SPACES = {"L": b"GRAY", "RGB": b"RGB ", "CMYK": b"CMYK"}


def to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Give L, LA, RGB or RGBA in sRGB; a profile that is damaged or of another space is ignored."""
    if image.mode in {"LA", "RGBA"}:
        if not profile:
            return image
        opaque = to_srgb(image.convert("L" if image.mode == "LA" else "RGB"), profile)
        opaque.putalpha(image.getchannel("A"))
        return opaque
    if image.mode == "LAB":
        return _transform(image, _builtin("LAB"))
    if profile:
        try:
            return _convert(image, profile)
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            pass
    return image.convert("RGB") if image.mode == "CMYK" else image


def _convert(image: Image.Image, profile: bytes) -> Image.Image:
    space = profile[_SPACE]
    source = ImageCms.ImageCmsProfile(BytesIO(profile))
    if image.mode == "L" and space == b"RGB ":
        return _transform(image.convert("RGB"), source).convert("L")
    if space != _SPACES[image.mode]:
        raise ValueError(space)
    converted = _transform(image, source)
    return converted.convert("L") if image.mode == "L" else converted


def _transform(image: Image.Image, source: ImageCms.ImageCmsProfile) -> Image.Image:
    srgb = _builtin("sRGB")
    transform = ImageCms.buildTransform(source, srgb, image.mode, "RGB")
    if image.mode == "RGB" and _changes_nothing(transform):
        return image
    return ImageCms.applyTransform(image, transform) or image


def _builtin(space: Literal["sRGB", "LAB"]) -> ImageCms.ImageCmsProfile:
    # Pillow leaves the type of what it creates open.
    return ImageCms.ImageCmsProfile(ImageCms.createProfile(space))  # pyright: ignore[reportUnknownArgumentType]


def _changes_nothing(transform: ImageCms.ImageCmsTransform) -> bool:
    """Tell whether a lattice of 4,096 colours comes out as it went in: most profiles are sRGB."""
    lattice = Image.frombytes("RGB", (64, 64), _LATTICE)
    converted = ImageCms.applyTransform(lattice, transform)
    return converted is not None and all(
        abs(before - after) <= 1 for before, after in zip(_LATTICE, converted.tobytes(), strict=True)
    )


_LATTICE = bytes(
    channel
    for red in range(16)
    for green in range(16)
    for blue in range(16)
    for channel in (red * 17, green * 17, blue * 17)
)

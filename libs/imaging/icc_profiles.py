"""Colour management: from the embedded profile to sRGB."""

from functools import lru_cache
from io import BytesIO
from typing import Literal

from PIL import Image, ImageCms

_SPACE = slice(16, 20)  # of a profile's header
_SPACES = {"L": b"GRAY", "RGB": b"RGB ", "CMYK": b"CMYK"}


def space_of(profile: bytes) -> str:
    """Name the colour space that a profile describes: `RGB`, `GRAY`, `CMYK`, ..."""
    return profile[_SPACE].decode("ascii", "replace").strip()


def fits(profile: bytes, mode: str) -> bool:
    """Tell whether a profile is for images of this mode."""
    opaque = {"LA": "L", "RGBA": "RGB", "P": "RGB", "PA": "RGB", "1": "L", "I;16": "L"}.get(mode, mode)
    space = profile[_SPACE]
    return space == _SPACES.get(opaque) or (opaque == "L" and space == b"RGB ")


@lru_cache(maxsize=8)
def is_srgb(profile: bytes, mode: str) -> bool:
    """Tell whether a profile leaves the colours of an image as they are."""
    if not fits(profile, mode):
        return True  # and is ignored
    if mode not in {"RGB", "RGBA"}:
        return False
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        return _changes_nothing(ImageCms.buildTransform(source, _builtin("sRGB"), "RGB", "RGB"))
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return True


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
    if profile and not is_srgb(profile, image.mode):
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

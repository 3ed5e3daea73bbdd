"""Convert colours from an embedded ICC profile to sRGB."""

from functools import lru_cache
from io import BytesIO
from typing import Literal

from PIL import Image, ImageCms

_SPACE = slice(16, 20)  # the colour space field of the profile header (ICC.1, 7.2.6)
_SPACES = {"L": b"GRAY", "I;16": b"GRAY", "RGB": b"RGB ", "CMYK": b"CMYK"}
_OPAQUE = {"LA": "L", "RGBA": "RGB", "P": "RGB", "PA": "RGB"} | dict.fromkeys(
    ("1", "La", "I", "F", "I;16", "I;16L", "I;16B", "I;16N"), "L"
)
"""The mode in which colours are converted, by the mode of a file."""


def space_of(profile: bytes) -> str:
    """Return the colour space of a profile: `RGB`, `GRAY`, `CMYK`, and so on."""
    return profile[_SPACE].decode("ascii", "replace").strip()


def fits(profile: bytes, mode: str) -> bool:
    """Return whether a profile applies to images of this mode."""
    opaque = _OPAQUE.get(mode, mode)
    space = profile[_SPACE]
    return space == _SPACES.get(opaque) or (opaque == "L" and space == b"RGB ")


@lru_cache(maxsize=8)
def is_srgb(profile: bytes, mode: str) -> bool:
    """Return whether converting to sRGB changes no colours; always true for a profile that is ignored."""
    if not fits(profile, mode):
        return True
    if mode not in {"RGB", "RGBA"}:
        return False
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        return _is_identity(ImageCms.buildTransform(source, _builtin("sRGB"), "RGB", "RGB"))
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return True


def to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Convert to L, LA, RGB or RGBA in sRGB; ignore a profile that is damaged or does not fit the mode.

    Mode I;16 is converted to L by a profile.
    """
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
    if image.mode in {"L", "I;16"} and space == b"RGB ":
        return _transform(image.convert("RGB"), source).convert("L")
    if space != _SPACES[image.mode]:
        raise ValueError(space)
    converted = _transform(image, source)
    return converted.convert("L") if image.mode in {"L", "I;16"} else converted


def _transform(image: Image.Image, source: ImageCms.ImageCmsProfile) -> Image.Image:
    srgb = _builtin("sRGB")
    # LittleCMS approximates a grey curve by a coarse table unless told not to, which is wrong by ten levels
    # for dark pixels of a profile with the gamma 1.
    flags = ImageCms.Flags.NOOPTIMIZE if image.mode in {"L", "I;16"} else ImageCms.Flags.NONE
    transform = ImageCms.buildTransform(source, srgb, image.mode, "RGB", flags=flags)
    return ImageCms.applyTransform(image, transform) or image


def _builtin(space: Literal["sRGB", "LAB"]) -> ImageCms.ImageCmsProfile:
    # Pillow declares no type for the profile it creates.
    return ImageCms.ImageCmsProfile(ImageCms.createProfile(space))  # pyright: ignore[reportUnknownArgumentType]


def _is_identity(transform: ImageCms.ImageCmsTransform) -> bool:
    """Return whether 4,096 sample colours change by at most 1, which holds for the many sRGB profiles."""
    samples = Image.frombytes("RGB", (64, 64), _SAMPLE_COLOURS)
    converted = ImageCms.applyTransform(samples, transform)
    return converted is not None and all(
        abs(before - after) <= 1 for before, after in zip(_SAMPLE_COLOURS, converted.tobytes(), strict=True)
    )


_SAMPLE_COLOURS = bytes(
    channel
    for red in range(16)
    for green in range(16)
    for blue in range(16)
    for channel in (red * 17, green * 17, blue * 17)
)

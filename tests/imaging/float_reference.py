"""Reference implementations in floating point, independent of Pillow's."""

from io import BytesIO
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

Floats: TypeAlias = NDArray[np.float64]


def psnr(image: Image.Image | Floats, reference: Floats) -> float:
    """Return the peak signal-to-noise ratio in dB; 100 for equal images."""
    difference = np.asarray(image, dtype=np.float64) - reference
    error = float(np.mean(difference**2))
    return 100.0 if error == 0 else float(10 * np.log10(255**2 / error))


def float_resize(path: Path, size: tuple[int, int]) -> Floats:
    """Decode a file in full, convert it to sRGB and resize it with `lanczos`."""
    with Image.open(path) as image:
        profile = image.info.get("icc_profile")
        srgb = to_srgb(image, profile) if profile else image
        return lanczos(np.asarray(srgb, dtype=np.float64), size)


def lanczos(pixels: Floats, size: tuple[int, int]) -> Floats:
    """Resize with a Lanczos filter of three lobes."""
    across = _lanczos_weights(pixels.shape[1], size[0])
    down = _lanczos_weights(pixels.shape[0], size[1])
    resized = np.tensordot(down, np.tensordot(across, pixels, (1, 1)), (1, 1))
    return np.clip(resized, 0, 255)


def to_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """Convert from an embedded profile with LittleCMS."""
    source = ImageCms.ImageCmsProfile(BytesIO(profile))
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))  # pyright: ignore[reportUnknownArgumentType]
    converted = ImageCms.profileToProfile(image, source, srgb)
    assert converted is not None
    return converted


def _lanczos_weights(before: int, after: int) -> Floats:
    scale = max(1.0, before / after)
    centres = (np.arange(after) + 0.5) * before / after
    distance = (np.arange(before)[None, :] + 0.5 - centres[:, None]) / scale
    weights = np.where(np.abs(distance) < 3, np.sinc(distance) * np.sinc(distance / 3), 0.0)
    return weights / weights.sum(axis=1, keepdims=True)


def gaussian(pixels: Floats, sigma: float) -> Floats:
    """Blur rows and columns with a Gaussian, repeating the pixels of the edge."""
    reach = int(4 * sigma) + 1
    kernel = np.exp(-(np.arange(-reach, reach + 1) ** 2) / (2 * sigma**2))
    kernel /= kernel.sum()
    for axis in (0, 1):
        padding = [(reach, reach) if axis == at else (0, 0) for at in range(pixels.ndim)]
        padded = np.pad(pixels, padding, mode="edge")
        pixels = np.apply_along_axis(np.convolve, axis, padded, kernel, mode="valid")
    return pixels


def as_floats(image: Image.Image) -> Floats:
    """Return an image's pixels."""
    return np.asarray(image, dtype=np.float64)

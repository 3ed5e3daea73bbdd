"""How near both engines' pixels come to the same work in floating point."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.imaging.cases import CASES
from libs.imaging.operations import AnyOperation, Resize, Watermark
from tests.imaging.measuring import float_resize, gaussian, psnr

_SEPIA = np.array([[0.393, 0.769, 0.189], [0.349, 0.686, 0.168], [0.272, 0.534, 0.131]])


def quality(number: int, folder: Path) -> str:
    """Give the PSNR of ours and of libvips as JSON; null where there is no simple reference."""
    case = CASES[number]
    if case.source.endswith(".gif"):
        return json.dumps([None, None])
    found: list[float | None] = []
    for engine in ("ours", "vips"):
        with Image.open(folder / f"{engine}-{number}.pixels.png") as image:
            pixels: Any = np.asarray(image.convert("RGB"), dtype=np.float32)
        expected = _expected(folder / case.source, case.operations[0], pixels.shape)
        found.append(None if expected is None else round(psnr(pixels, expected), 2))
    return json.dumps(found)


def _expected(source: Path, operation: AnyOperation, shape: tuple[int, ...]) -> Any:
    if isinstance(operation, Resize) and operation.fit == "cover":
        whole = float_resize(source, (400, 300))
        return whole[:, 50:350]
    if isinstance(operation, Resize):
        return float_resize(source, (shape[1], shape[0]))
    with Image.open(source) as image:
        pixels: Any = np.asarray(image.convert("RGB"), dtype=np.float32)
    match type(operation).__name__:
        case "Grayscale":
            return np.repeat((pixels @ [0.299, 0.587, 0.114])[..., None], 3, axis=2)
        case "Sepia":
            return np.clip(pixels @ _SEPIA.T, 0, 255)
        case "Flip":
            return pixels[::-1]
        case "Rotate":
            return np.rot90(pixels, -1) if getattr(operation, "angle", 0) == 90 else None
        case "Blur":
            return gaussian(pixels, 5)
        case "Compress":
            return pixels
        case _:
            return _marked(pixels) if isinstance(operation, Watermark) else None


def _marked(pixels: Any) -> Any:
    region = pixels[-200:, -400:]
    pixels = pixels.copy()
    pixels[-200:, -400:] = region + (255 - region) * 128 / 255
    return pixels

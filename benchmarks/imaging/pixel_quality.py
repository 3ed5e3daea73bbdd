"""Compare the engines' pixels with the same work in floating point."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageSequence

from benchmarks.imaging.cases import CASES
from benchmarks.imaging.rotation_reference import rotated_psnr
from libs.imaging.operations import AnyOperation, Convert, Resize, Rotate
from tests.imaging.float_reference import float_resize, gaussian, lanczos, psnr

_SEPIA = np.array([[0.393, 0.769, 0.189], [0.349, 0.686, 0.168], [0.272, 0.534, 0.131]])


def quality(number: int, folder: Path, engines: Sequence[str]) -> str:
    """Return the PSNR of each engine as JSON."""
    case = CASES[number]
    source, operation = folder / case.source, case.operations[0]
    results_db: list[float] = []
    for engine in engines:
        result = folder / f"{engine}-{number}"
        if source.suffix == ".gif":
            last = case.operations[-1]
            suffix = f".{last.format}" if isinstance(last, Convert) else ".gif"
            results_db.append(_frames_psnr(source, result.with_suffix(suffix)))
            continue
        with Image.open(result.with_suffix(".pixels.png")) as image:
            pixels: Any = np.asarray(image.convert("RGB"), dtype=np.float32)
        if isinstance(operation, Rotate) and operation.angle % 90:
            results_db.append(rotated_psnr(pixels, _pixels(source), operation.angle))
        else:
            results_db.append(psnr(pixels, _expected(source, operation, pixels.shape)))
    return json.dumps([round(decibels, 2) for decibels in results_db])


def _frames_psnr(source: Path, result: Path) -> float:
    """Return the PSNR of all encoded frames of an animation together."""
    with Image.open(source) as before, Image.open(result) as after:
        found = np.stack([np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(after)])
        frames = (
            np.asarray(frame.convert("RGB"), dtype=np.float64) for frame in ImageSequence.Iterator(before)
        )
        return psnr(found.astype(np.float64), np.stack([lanczos(frame, after.size) for frame in frames]))


def _pixels(source: Path) -> Any:
    with Image.open(source) as image:
        return np.asarray(image.convert("RGB"), dtype=np.float32)


def _expected(source: Path, operation: AnyOperation, shape: tuple[int, ...]) -> Any:
    if isinstance(operation, Resize) and operation.fit == "cover":
        full = float_resize(source, (400, 300))
        return full[:, 50:350]
    if isinstance(operation, Resize):
        return float_resize(source, (shape[1], shape[0]))
    pixels = _pixels(source)
    match type(operation).__name__:
        case "Grayscale":
            return np.repeat((pixels @ [0.299, 0.587, 0.114])[..., None], 3, axis=2)
        case "Sepia":
            return np.clip(pixels @ _SEPIA.T, 0, 255)
        case "Flip":
            return pixels[::-1]
        case "Rotate":
            return np.rot90(pixels, -1)
        case "Blur":
            return gaussian(pixels, 5)
        case "Watermark":
            return _watermarked(pixels)
        case _:
            return pixels


def _watermarked(pixels: Any) -> Any:
    region = pixels[-200:, -400:]
    pixels = pixels.copy()
    pixels[-200:, -400:] = region + (255 - region) * 128 / 255
    return pixels

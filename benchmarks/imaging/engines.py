"""Run the same work with both libraries."""

# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownParameterType=false

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from libs.imaging.operations import AnyOperation, Compress, Convert, Flip, Resize, Rotate

_WHITE = [255, 255, 255]
_SEPIA = [[0.393, 0.769, 0.189], [0.349, 0.686, 0.168], [0.272, 0.534, 0.131]]

Run = Callable[[Path, Path, Sequence[AnyOperation]], None]


def ours(folder: Path) -> Run:
    """Return a function that runs Darkroom's pipeline, or describes the source."""
    from libs.imaging.describe import describe
    from libs.imaging.limits import Limits
    from libs.imaging.pipeline import render

    assets = {"part:mark": folder / "mark.png"}
    limits = Limits(max_pixels=100_000_000)

    def run(source: Path, target: Path, operations: Sequence[AnyOperation]) -> None:
        if operations:
            render(source, target, operations, limits, assets=assets)
        else:
            describe(source, limits)

    return run


def vips(folder: Path) -> Run:
    """Return a function that uses libvips as its manual advises: shrink on load, and stream the rest."""
    import pyvips

    pyvips.cache_set_max(0)  # or repeated work would come from the cache

    def run(source: Path, target: Path, operations: Sequence[AnyOperation]) -> None:
        image = _apply(pyvips, source, folder, operations[0])
        _save(image, target, operations[-1])

    return run


def _apply(pyvips: Any, source: Path, folder: Path, operation: AnyOperation) -> Any:
    if isinstance(operation, Resize):
        pages = "[n=-1]" if source.suffix == ".gif" else ""
        crop = {"crop": "centre"} if operation.fit == "cover" else {}
        height = operation.height or 10_000
        width = operation.width or 10_000
        return pyvips.Image.thumbnail(f"{source}{pages}", width, height=height, size="down", **crop)
    access = "random" if isinstance(operation, Flip | Rotate) else "sequential"
    image = pyvips.Image.new_from_file(str(source), access=access)
    match type(operation).__name__:
        case "Grayscale":
            return image.colourspace("b-w")
        case "Sepia":
            return image.recomb(_SEPIA).cast("uchar")
        case "Watermark":
            mark = pyvips.Image.new_from_file(str(folder / "mark.png"))
            corner = {"x": image.width - mark.width, "y": image.height - mark.height}
            return image.composite2(mark, "over", **corner).flatten(background=_WHITE)
        case "Flip":
            return image.flip("vertical")
        case "Rotate" if getattr(operation, "angle", 0) == 90:
            return image.rot90()
        case "Rotate":
            bicubic = pyvips.Interpolate.new("bicubic")
            return image.similarity(angle=30, interpolate=bicubic, background=_WHITE)
        case "Blur":
            return image.gaussblur(5)
        case _:
            return image


def _save(image: Any, target: Path, operation: AnyOperation) -> None:
    """Encode with the same quality and comparable effort."""
    name = str(target)
    if isinstance(operation, Convert) and operation.format == "webp":
        image.webpsave(name, Q=operation.quality, effort=2, keep="none")
    elif isinstance(operation, Convert) and operation.format == "avif":
        image.heifsave(name, Q=operation.quality, effort=1, compression="av1", keep="none")
    elif isinstance(operation, Convert) and operation.format == "png":
        image.pngsave(name, compression=3, keep="none")
    elif isinstance(operation, Resize):
        image.gifsave(name, keep="none")
    else:
        quality = operation.quality if isinstance(operation, Convert | Compress) else 85
        image.jpegsave(name, Q=quality, keep="none")

"""The operator's own fonts, which watermarks name."""

from collections.abc import Sequence
from pathlib import Path

from libs.imaging.operations import AnyOperation, Watermark

ENDINGS = (".ttf", ".otf", ".ttc")


def font_files(operations: Sequence[AnyOperation], folder: str) -> dict[str, Path]:
    """Return the files of the fonts that the operations name, as `assets` of `render`.

    Args:
        operations: Those of one pipeline.
        folder: Holds a font as its name with one of `ENDINGS`; empty: there are none.
    """
    names = {mark.font for mark in operations if isinstance(mark, Watermark) and mark.font}
    files = [(name, Path(folder, name + ending)) for name in names for ending in ENDINGS if folder]
    return {f"font:{name}": file for name, file in files if file.is_file()}

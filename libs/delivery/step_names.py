"""The short names of steps, and the words of other services that steps take too."""

from typing import Any

SHORT: dict[str, str] = {
    "w": "width",
    "h": "height",
    "g": "gravity",
    "b": "background",
    "q": "quality",
    "f": "format",
    "a": "angle",
}
"""Cloudinary's names of fields; operations that have a `color` and no `background` take `b` for it."""

SHORT_STEP: dict[str, tuple[str, str]] = {
    "w": ("resize", "width"),
    "h": ("resize", "height"),
    "fit": ("resize", "fit"),
    "c": ("resize", "fit"),
    "g": ("resize", "gravity"),
    "b": ("resize", "background"),
    "enlarge": ("resize", "enlarge"),
    "a": ("rotate", "angle"),
    "q": ("convert", "quality"),
    "f": ("convert", "format"),
}
"""What a step without an operation's name may set, and in which operation. They run in the order resize,
rotate, convert."""

CROP_MODES: dict[str, dict[str, Any]] = {
    "fill": {"fit": "cover", "enlarge": True},
    "lfill": {"fit": "cover"},
    "fit": {"fit": "inside", "enlarge": True},
    "limit": {"fit": "inside"},
    "scale": {"fit": "fill", "enlarge": True},
    "pad": {"fit": "contain", "enlarge": True},
    "lpad": {"fit": "contain"},
    "thumb": {"fit": "cover", "enlarge": True},
}
"""Cloudinary's crop modes, the values of `c`."""

GRAVITIES: dict[str, str] = {
    "auto": "smart",
    "north": "top",
    "north_east": "top-right",
    "east": "right",
    "south_east": "bottom-right",
    "south": "bottom",
    "south_west": "bottom-left",
    "west": "left",
    "north_west": "top-left",
}
"""Cloudinary's gravities."""

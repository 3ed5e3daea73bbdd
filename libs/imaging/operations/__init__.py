"""All operations on images; `AnyOperation` is the registry."""

from typing import TypeAlias

from libs.imaging.operations.blur import Blur
from libs.imaging.operations.compress import Compress
from libs.imaging.operations.convert import Convert
from libs.imaging.operations.crop import Crop
from libs.imaging.operations.flip import Flip, Mirror
from libs.imaging.operations.frames import Frames
from libs.imaging.operations.grayscale import Grayscale
from libs.imaging.operations.histogram import Autocontrast, Equalize
from libs.imaging.operations.levels import (
    Brightness,
    Contrast,
    Gamma,
    Invert,
    Posterize,
    Saturation,
    Solarize,
)
from libs.imaging.operations.metadata import Metadata
from libs.imaging.operations.operation import Operation
from libs.imaging.operations.pad import Pad
from libs.imaging.operations.pixelate import Pixelate, Region
from libs.imaging.operations.resize import Resize
from libs.imaging.operations.rotate import Rotate
from libs.imaging.operations.round_corners import RoundCorners
from libs.imaging.operations.sepia import Sepia
from libs.imaging.operations.sharpen import Sharpen
from libs.imaging.operations.tint import Duotone, Tint
from libs.imaging.operations.trim import Trim
from libs.imaging.operations.vignette import Vignette
from libs.imaging.operations.watermark import Point, Watermark

AnyOperation: TypeAlias = (
    Resize
    | Crop
    | Trim
    | Pad
    | Rotate
    | Flip
    | Mirror
    | Watermark
    | Grayscale
    | Sepia
    | Blur
    | Sharpen
    | Invert
    | Brightness
    | Contrast
    | Saturation
    | Gamma
    | Posterize
    | Solarize
    | Vignette
    | Pixelate
    | RoundCorners
    | Tint
    | Duotone
    | Autocontrast
    | Equalize
    | Compress
    | Convert
    | Metadata
    | Frames
)

__all__ = [
    "AnyOperation",
    "Autocontrast",
    "Blur",
    "Brightness",
    "Compress",
    "Contrast",
    "Convert",
    "Crop",
    "Duotone",
    "Equalize",
    "Flip",
    "Frames",
    "Gamma",
    "Grayscale",
    "Invert",
    "Metadata",
    "Mirror",
    "Operation",
    "Pad",
    "Pixelate",
    "Point",
    "Posterize",
    "Region",
    "Resize",
    "Rotate",
    "RoundCorners",
    "Saturation",
    "Sepia",
    "Sharpen",
    "Solarize",
    "Tint",
    "Trim",
    "Vignette",
    "Watermark",
]

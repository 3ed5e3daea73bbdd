"""Everything that can be asked of an image; `AnyOperation` is the registry."""

from typing import TypeAlias

from libs.imaging.operations.blur import Blur
from libs.imaging.operations.compress import Compress
from libs.imaging.operations.convert import Convert
from libs.imaging.operations.crop import Crop
from libs.imaging.operations.grayscale import Grayscale
from libs.imaging.operations.mirroring import Flip, Mirror
from libs.imaging.operations.operation import Operation
from libs.imaging.operations.resize import Resize
from libs.imaging.operations.rotate import Rotate
from libs.imaging.operations.sepia import Sepia
from libs.imaging.operations.sharpen import Sharpen

AnyOperation: TypeAlias = (
    Resize | Crop | Rotate | Flip | Mirror | Grayscale | Sepia | Blur | Sharpen | Compress | Convert
)

__all__ = [
    "AnyOperation",
    "Blur",
    "Compress",
    "Convert",
    "Crop",
    "Flip",
    "Grayscale",
    "Mirror",
    "Operation",
    "Resize",
    "Rotate",
    "Sepia",
    "Sharpen",
]

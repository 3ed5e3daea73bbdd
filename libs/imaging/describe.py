"""What is told of a stored image."""

from pathlib import Path

from msgspec import Struct
from PIL.ImageFile import ImageFile

from libs.imaging.errors import OutOfMemory
from libs.imaging.hashing import phash
from libs.imaging.header import read_header
from libs.imaging.limits import Limits
from libs.imaging.opening import decoding, opened
from libs.imaging.orientation import read_orientation
from libs.imaging.whole import require_whole


class Description(Struct, frozen=True, kw_only=True):
    """Facts about the file as it is stored."""

    phash: str  # 16 hexadecimal digits
    mode: str  # Pillow's name of the pixel layout
    has_alpha: bool  # some pixels may be clear
    orientation: int  # EXIF, 1 to 8
    dpi: tuple[float, float] | None  # across and down


def describe(source: Path, limits: Limits) -> Description:
    """Decode the first frame and describe it.

    Raises:
        SourceFault: The file is no accepted image, damaged, or beyond `limits`.
        OutOfMemory: Its pixels do not fit into memory.
    """
    header = read_header(source, limits)
    require_whole(source, header.format, limits)
    try:
        with opened(source, header.format) as image:
            orientation = read_orientation(image)
            mode = image.mode
            dpi = _read_dpi(image)
            with decoding():
                image.load()
                return Description(
                    phash=phash(image),
                    mode=mode,
                    has_alpha=image.has_transparency_data,
                    orientation=orientation,
                    dpi=dpi,
                )
    except MemoryError as error:
        raise OutOfMemory from error


def _read_dpi(image: ImageFile) -> tuple[float, float] | None:
    match image.info.get("dpi"):
        case (across, down):
            try:
                return round(float(across), 2), round(float(down), 2)
            except (TypeError, ValueError, ZeroDivisionError):
                return None
        case _:
            return None

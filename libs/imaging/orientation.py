"""The eight ways an image can lie: how the camera was held, and what is flipped or turned after that."""

from PIL.Image import Exif, Image, Transpose
from PIL.Image import frombytes as image_from_bytes

from libs.imaging.errors import ImageTruncated, UnreadableImage
from libs.imaging.geometry import Box, Size
from libs.imaging.pillow_adapter import decoding

UPRIGHT = 1
TAG = 0x0112

_TURNS = {
    2: Transpose.FLIP_LEFT_RIGHT,
    3: Transpose.ROTATE_180,
    4: Transpose.FLIP_TOP_BOTTOM,
    5: Transpose.TRANSPOSE,
    6: Transpose.ROTATE_270,
    7: Transpose.TRANSVERSE,
    8: Transpose.ROTATE_90,
}


def read_orientation(image: Image) -> int:
    """Give the EXIF orientation, 1 to 8; 1 when there is none, or none that makes sense."""
    exif: Exif
    try:
        with decoding():
            exif = image.getexif()
            value = exif.get(TAG)
    except (ImageTruncated, UnreadableImage):
        return UPRIGHT
    return value if isinstance(value, int) and value in _TURNS else UPRIGHT


def swaps_sides(orientation: int) -> bool:
    return orientation >= 5


def turned_size(size: Size, orientation: int) -> Size:
    return (size[1], size[0]) if swaps_sides(orientation) else size


def turn(image: Image, orientation: int) -> Image:
    """Turn stored pixels upright."""
    return image.transpose(_TURNS[orientation]) if orientation in _TURNS else image


def stored_box(box: Box, stored: Size, orientation: int) -> Box:
    """Find where a region of the upright image lies among the stored pixels."""
    left, top, right, bottom = box
    if swaps_sides(orientation):
        left, top, right, bottom = top, left, bottom, right
    if orientation in {2, 3, 7, 8}:
        left, right = stored[0] - right, stored[0] - left
    if orientation in {3, 4, 6, 7}:
        top, bottom = stored[1] - bottom, stored[1] - top
    return Box(left, top, right, bottom)


def followed_by(orientation: int, transpose: Transpose) -> int:
    """Give the one orientation that stands for an orientation and then a transposition."""
    wanted = turn(_PROBE, orientation).transpose(transpose)
    for candidate in range(1, 9):
        turned = turn(_PROBE, candidate)
        if turned.size == wanted.size and turned.tobytes() == wanted.tobytes():
            return candidate
    raise AssertionError(transpose)


def moved_box(box: Box, size: Size, transpose: Transpose) -> Box:
    """Find where a region of an image of `size` lies once the image is transposed."""
    inverse = {Transpose.ROTATE_90: Transpose.ROTATE_270, Transpose.ROTATE_270: Transpose.ROTATE_90}
    back = followed_by(UPRIGHT, inverse.get(transpose, transpose))
    return stored_box(box, turned_size(size, back), back)


_PROBE = image_from_bytes("L", (3, 2), bytes(range(6)))

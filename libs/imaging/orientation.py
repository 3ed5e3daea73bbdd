"""EXIF orientations 1 to 8, and how flips and quarter turns combine with them."""

from PIL.Image import Image, Transpose
from PIL.Image import frombytes as image_from_bytes

from libs.imaging.errors import ImageTruncated, UnreadableImage
from libs.imaging.geometry import Box, Size
from libs.imaging.metadata.blocks import read_exif
from libs.imaging.metadata.tag_numbers import ORIENTATION
from libs.imaging.metadata.tag_values import values_of
from libs.imaging.pillow_adapter import translated_errors

UPRIGHT = 1

_TRANSPOSES = {
    2: Transpose.FLIP_LEFT_RIGHT,
    3: Transpose.ROTATE_180,
    4: Transpose.FLIP_TOP_BOTTOM,
    5: Transpose.TRANSPOSE,
    6: Transpose.ROTATE_270,
    7: Transpose.TRANSVERSE,
    8: Transpose.ROTATE_90,
}


def read_orientation(image: Image) -> int:
    """Return the EXIF orientation, 1 to 8; 1 if it is missing or invalid.

    For an AVIF, Pillow returns what the boxes `irot` and `imir` say, as the format demands; its EXIF
    orientation only informs (ISO/IEC 23008-12, 6.5.10 and 6.5.12). The decoders of HEIC and JPEG XL have
    turned the pixels already.
    """
    if image.format in {"HEIF", "JXL"}:
        return UPRIGHT
    if image.format not in {"AVIF", "TIFF"}:
        block = read_exif(image)
        value = values_of(block.root, block.order).get(ORIENTATION) if block else None
    else:
        try:
            with translated_errors():
                value = image.getexif().get(ORIENTATION)
        except (ImageTruncated, UnreadableImage):
            return UPRIGHT
    return value if isinstance(value, int) and value in _TRANSPOSES else UPRIGHT


def swaps_sides(orientation: int) -> bool:
    return orientation >= 5


def upright_size(size: Size, orientation: int) -> Size:
    """Exchange width and height where the orientation does; also the way from upright to stored size."""
    return (size[1], size[0]) if swaps_sides(orientation) else size


def apply_orientation(image: Image, orientation: int) -> Image:
    """Turn stored pixels upright."""
    return image.transpose(_TRANSPOSES[orientation]) if orientation in _TRANSPOSES else image


def stored_box(box: Box, stored: Size, orientation: int) -> Box:
    """Convert a region of the upright image to a region of the stored pixels."""
    left, top, right, bottom = box
    if swaps_sides(orientation):
        left, top, right, bottom = top, left, bottom, right
    if orientation in {2, 3, 7, 8}:
        left, right = stored[0] - right, stored[0] - left
    if orientation in {3, 4, 6, 7}:
        top, bottom = stored[1] - bottom, stored[1] - top
    return Box(left, top, right, bottom)


def compose_orientation(orientation: int, transpose: Transpose) -> int:
    """Return the orientation that equals `orientation` followed by `transpose`."""
    expected = apply_orientation(_PROBE, orientation).transpose(transpose)
    for candidate in range(1, 9):
        turned = apply_orientation(_PROBE, candidate)
        if turned.size == expected.size and turned.tobytes() == expected.tobytes():
            return candidate
    raise AssertionError(transpose)


def transposed_box(box: Box, size: Size, transpose: Transpose) -> Box:
    """Convert a region of an image of `size` to a region of the transposed image."""
    inverse = {Transpose.ROTATE_90: Transpose.ROTATE_270, Transpose.ROTATE_270: Transpose.ROTATE_90}
    back = compose_orientation(UPRIGHT, inverse.get(transpose, transpose))
    return stored_box(box, upright_size(size, back), back)


_PROBE = image_from_bytes("L", (3, 2), bytes(range(6)))

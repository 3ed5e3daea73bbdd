"""Numbers of TIFF and EXIF tags, and what they are about."""

ORIENTATION = 0x0112
ARTIST, COPYRIGHT = 0x013B, 0x8298
X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT = 0x011A, 0x011B, 0x0128
XMP_TAG, IPTC_TAG, PHOTOSHOP_TAG = 700, 33_723, 34_377
OTHER_METADATA = {XMP_TAG, IPTC_TAG, PHOTOSHOP_TAG}

_TIFF_PIXELS = {*range(254, 269), 273, *range(275, 282), 284, *range(288, 294), 297, 300, 317}
_MORE_TIFF_PIXELS = {*range(320, 348), *range(512, 533), 559, 32_932, 34_675, 37_724}
_RAW_PIXELS = {33_421, 33_422, *range(50_706, 51_112)}
PIXEL_TAGS = _TIFF_PIXELS | _MORE_TIFF_PIXELS | _RAW_PIXELS
"""Tags that describe how the source's pixels are stored: TIFF's, JPEG's, and those of a camera RAW."""

COLOUR_TAGS = {301, 318, 319}  # transfer function, white point, primaries
MAP_TAGS = {33_550, 33_918, 33_919, 33_920, 33_922, 34_264, 34_735, 34_736, 34_737, 42_112, 42_113, 50_844}
"""Tags of GeoTIFF and of aerial photographs: which pixel lies where on earth."""

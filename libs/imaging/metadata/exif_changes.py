"""Change what became untrue of copied EXIF, and leave the other tags alone (EXIF 3.0, CIPA DC-008)."""

import struct
from fractions import Fraction

from msgspec import Struct

from libs.imaging.geometry import Size
from libs.imaging.metadata.tag_numbers import (
    ARTIST,
    COLOUR_TAGS,
    COPYRIGHT,
    MAP_TAGS,
    ORIENTATION,
    OTHER_METADATA,
    PIXEL_TAGS,
    X_RESOLUTION,
    Y_RESOLUTION,
)
from libs.imaging.metadata.tag_values import integer_tag, integers_tag, numbers_of, rational_tag
from libs.imaging.metadata.tiff_block import (
    ASCII,
    GPS,
    INTEROPERABILITY,
    MAKER_NOTE,
    RATIONAL,
    SHORT,
    UNDEFINED,
    Block,
    Directory,
    Tag,
)
from libs.imaging.orientation import UPRIGHT, swaps_sides

_WIDTH, _HEIGHT, _COLOUR_SPACE, _GAMMA = 0xA002, 0xA003, 0xA001, 0xA500
_RELATED_WIDTH, _RELATED_HEIGHT, _INTEROPERABILITY_INDEX = 0x1001, 0x1002, 1
_COMPRESSED_BITS = 0x9102
_CHROMA_POSITION, _CENTRED = 0x0213, 1  # as JFIF prescribes
_SUBJECTS = (0x9214, 0xA214)  # area and location, in pixels
_FOCAL_PLANE = (0xA20E, 0xA20F)  # pixels per unit of the sensor, across and down
_SRGB = 1


class Changes(Struct, frozen=True, kw_only=True):
    """What happened to the picture since its metadata was written."""

    size: Size  # of the result
    orientation: int = UPRIGHT  # of the source
    scale: tuple[float, float] | None = (1, 1)
    """How much the whole picture was scaled, across and down; None if it was cut, turned or extended."""
    converted: bool = False  # its colours, to sRGB
    is_jpeg: bool = False  # the result


def update_exif(source: Block, changes: Changes) -> Block:
    """Return a copy that is true for the result."""
    block = source.copy()
    root = block.root
    positioned = changes.is_jpeg and root.find(_CHROMA_POSITION)
    root.remove(PIXEL_TAGS | OTHER_METADATA)
    if positioned:  # EXIF requires it in a JPEG
        root.put(integer_tag(_CHROMA_POSITION, _CENTRED, block.order, SHORT))
    if changes.converted:
        root.remove(COLOUR_TAGS)
    if changes.scale != (1, 1):
        root.remove(MAP_TAGS)
    if root.find(ORIENTATION):
        root.put(integer_tag(ORIENTATION, UPRIGHT, block.order, SHORT))
    if swaps_sides(changes.orientation):
        root.tags = [_exchanged(tag, X_RESOLUTION, Y_RESOLUTION) for tag in root.tags]
    for directory in root.walk():
        _update_sizes(directory, block, changes)
        _update_colours(directory, block, changes)
        directory.remove({_COMPRESSED_BITS})
    return block


def only_copyright(source: Block) -> Block | None:
    """Return only the artist and the copyright; None if there is neither."""
    tags = [tag for tag in source.root.tags if tag.number in {ARTIST, COPYRIGHT}]
    return Block(source.order, Directory(tags=tags)) if tags else None


def without_place(source: Block) -> Block:
    """Return a copy without what says, or may say, where the picture was taken.

    Several makers write positions and names of places into their maker notes, in ways only they know.
    """
    block = source.copy()
    for directory in block.root.walk():
        directory.remove({GPS, MAKER_NOTE, *MAP_TAGS})
    _keep_known(block.root, inside=None)
    return block


def _keep_known(directory: Directory, inside: int | None) -> None:
    """Remove GPS tags from a directory that a damaged pointer makes pass for another."""
    interoperability = {1: ASCII, 2: UNDEFINED}
    directory.tags = [
        tag
        for tag in directory.tags
        if tag.number >= 254 or (inside == INTEROPERABILITY and interoperability.get(tag.number) == tag.kind)
    ]
    for number, child in directory.children.items():
        _keep_known(child, number)


def _exchanged(tag: Tag, one: int, other: int) -> Tag:
    number = {one: other, other: one}.get(tag.number, tag.number)
    return Tag(number, tag.kind, tag.data, tag.at)


def _update_sizes(directory: Directory, block: Block, changes: Changes) -> None:
    """Change sizes to those of the result, and positions in the picture to where things are now."""
    width, height = changes.size
    for number, side in (
        (_WIDTH, width),
        (_HEIGHT, height),
        (_RELATED_WIDTH, width),
        (_RELATED_HEIGHT, height),
    ):
        if old := directory.find(number):
            directory.put(integer_tag(number, side, block.order, old.kind))
    if changes.scale == (1, 1):
        return
    for number in (*_SUBJECTS, *_FOCAL_PLANE):
        if old := directory.find(number):
            scaled = _scaled(old, block, changes.scale) if changes.scale else None
            directory.remove({number})
            if scaled:
                directory.put(scaled)


def _scaled(tag: Tag, block: Block, scale: tuple[float, float]) -> Tag | None:
    """Scale a position, a size, or a resolution; None if the tag is damaged."""
    values = numbers_of(tag, block.order)
    if tag.number in _FOCAL_PLANE:
        if tag.kind != RATIONAL or not isinstance(values[0], Fraction):
            return None
        factor = Fraction(scale[_FOCAL_PLANE.index(tag.number)])
        return rational_tag(tag.number, values[0] * factor, block.order)
    if tag.kind != SHORT or not 2 <= len(values) <= 4:
        return None
    diameter = len(values) == 3  # of a circle
    factors = (*scale, (scale[0] * scale[1]) ** 0.5) if diameter else (*scale, *scale)
    try:
        scaled = [round(value * factor) for value, factor in zip(values, factors, strict=False)]
        return integers_tag(tag.number, SHORT, scaled, block.order)
    except struct.error:
        return None


def _update_colours(directory: Directory, block: Block, changes: Changes) -> None:
    """Say that pixels are in sRGB, if they were converted."""
    if not changes.converted:
        return
    directory.remove({_GAMMA})
    if directory.find(_COLOUR_SPACE):
        directory.put(integer_tag(_COLOUR_SPACE, _SRGB, block.order, SHORT))
    interoperability = directory.children.get(INTEROPERABILITY)
    index = interoperability.find(_INTEROPERABILITY_INDEX) if interoperability else None
    if interoperability and index and index.data.startswith(b"R03"):  # Adobe RGB
        interoperability.put(Tag(_INTEROPERABILITY_INDEX, ASCII, b"R98\0"))  # sRGB

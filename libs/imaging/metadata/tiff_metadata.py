"""Add metadata to a TIFF that Pillow wrote; its pixels stay where they are."""

from mmap import ACCESS_READ, mmap
from pathlib import Path

from libs.imaging.metadata.metadata_copy import TiffMetadata
from libs.imaging.metadata.tag_numbers import IPTC_TAG, XMP_TAG
from libs.imaging.metadata.tag_values import numbers_of
from libs.imaging.metadata.tiff_block import (
    BYTE,
    LONG,
    Block,
    Directory,
    Tag,
    header,
    in_order,
    read_block,
    write_directory,
)

_BITS_PER_SAMPLE = 258


def add_metadata(path: Path, metadata: TiffMetadata) -> None:
    """Write a new first directory behind the file's pixels, with the tags of the old one and `metadata`.

    The file takes the byte order of the EXIF block, since the meaning of some of its bytes depends on it,
    except if that would change pixels.
    """
    with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
        pixels, at = read_block(data), len(data) + len(data) % 2
    if pixels is None:
        raise AssertionError(path)
    exif = metadata.exif or Block(pixels.order, Directory())
    order = exif.order if _in_bytes(pixels) else pixels.order
    root = in_order(pixels.root, pixels.order, order)
    added = in_order(exif.root, exif.order, order)
    known = {tag.number for tag in root.tags}
    root.tags += [tag for tag in added.tags if tag.number not in known]
    root.children |= added.children
    if metadata.xmp:
        root.put(Tag(XMP_TAG, BYTE, metadata.xmp))
    if metadata.iptc:  # as Photoshop and ExifTool store it
        root.put(Tag(IPTC_TAG, LONG, metadata.iptc + bytes(-len(metadata.iptc) % 4)))
    directory = write_directory(root, order, at=at, pinned=False)
    with path.open("r+b") as file:
        file.seek(at)
        file.write(directory)
        file.seek(0)
        file.write(header(order, at=at))


def _in_bytes(pixels: Block) -> bool:
    """Return whether no sample has several bytes, whose order is that of the file."""
    bits = pixels.root.find(_BITS_PER_SAMPLE)
    return all(value <= 8 for value in numbers_of(bits, pixels.order)) if bits else True

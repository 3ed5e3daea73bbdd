"""Find chunks of a PNG that a decoder can do without, and cannot read."""

import struct
import zlib
from collections.abc import Iterator
from io import BytesIO
from itertools import pairwise

from PIL.PngImagePlugin import PngStream

from libs.imaging.containers import png
from libs.imaging.containers.shape import Buffer

_ANCILLARY = 0x20  # in the first byte of a name: the picture can be shown without the chunk
_ANIMATION = {b"acTL", b"fcTL", b"fdAT"}
_DAMAGE = (SyntaxError, ValueError, LookupError, struct.error, zlib.error)


def without_damaged_chunks(data: Buffer) -> bytes | None:
    """Return the file without ancillary chunks whose checksum is wrong or whose contents Pillow refuses.

    libpng, and so browsers, leave such chunks out, too. None if there are none.
    """
    damaged = list(_damaged(data))
    if not damaged:
        return None
    edges = [slice(0, 0), *damaged, slice(len(data), len(data))]
    return b"".join(data[before.stop : after.start] for before, after in pairwise(edges))


def _damaged(data: Buffer) -> Iterator[slice]:
    header = data[8:33]
    for name, body in png.chunks(data):
        whole = slice(body.start - 8, body.stop + 4)
        if not name[0] & _ANCILLARY or name in _ANIMATION or whole.stop > len(data):
            continue
        (checksum,) = struct.unpack_from(">I", data, body.stop)
        if checksum != zlib.crc32(data[body.start - 4 : body.stop]) or not _is_readable(header, data[whole]):
            yield whole


def _is_readable(header: bytes, chunk: bytes) -> bool:
    """Return whether Pillow reads a chunk after the header IHDR; a text that is too large is left to it."""
    stream = PngStream(BytesIO(header + chunk))
    try:
        for _ in range(2):
            name, position, length = stream.read()
            stream.crc(name, stream.call(name, position, length))
    except AttributeError:  # Pillow has no use for it
        return True
    except _DAMAGE as error:
        return "too large" in str(error).lower() or "too much memory" in str(error).lower()
    return True

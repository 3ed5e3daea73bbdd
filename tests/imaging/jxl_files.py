"""Write the headers of JPEG XL codestreams, bit by bit, and the boxes around them."""

import struct
from collections.abc import Iterable

_SIGNATURE = b"\0\0\0\x0cJXL \r\n\x87\n\0\0\0\x14ftypjxl \0\0\0\0jxl "


def codestream(*fields: tuple[int, int]) -> bytes:
    """Return the signature and fields of (value, count of bits), the lowest bits first."""
    number = at = 0
    for value, count in fields:
        number |= value << at
        at += count
    return b"\xff\x0a" + number.to_bytes((at + 7) // 8, "little")


def size_fields(width: int, height: int) -> Iterable[tuple[int, int]]:
    """Return the fields of a size in their longest form."""
    return (0, 1), (3, 2), (height - 1, 30), (0, 3), (3, 2), (width - 1, 30)


def boxed(data: bytes, *extra: tuple[bytes, bytes], parts: int = 1) -> bytes:
    """Return a file with boxes: `extra` ones, then the codestream, in several parts if asked."""
    boxes = [*extra]
    if parts == 1:
        boxes.append((b"jxlc", data))
    else:
        step = -(-len(data) // parts)
        for number in range(parts):
            last = 1 << 31 if number == parts - 1 else 0
            piece = data[number * step : (number + 1) * step]
            boxes.append((b"jxlp", struct.pack(">I", number | last) + piece))
    return _SIGNATURE + b"".join(
        struct.pack(">I4s", 8 + len(content), name) + content for name, content in boxes
    )

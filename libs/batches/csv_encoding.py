"""The encoding of a CSV file: UTF-8, UTF-16 or Windows-1252, as spreadsheet programs write them."""

import codecs
import re
from pathlib import Path

from msgspec import Struct

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SAMPLE_BYTES = 1024
_MULTI_BYTE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_LINE_END = re.compile("\r\n|\r|\n")
_WINDOWS = "cp1252"
_NAMES = {"utf-8": "UTF-8", "utf-16-le": "UTF-16", "utf-16-be": "UTF-16", _WINDOWS: "Windows-1252"}
_CHARSETS = {"utf-8": "utf-8", "utf-16-le": "utf-16le", "utf-16-be": "utf-16be", _WINDOWS: "windows-1252"}


class Encoding(Struct, frozen=True):
    """How the text of a file becomes bytes."""

    codec: str = "utf-8"  # Python's name
    mark: bool = False  # the file begins with a byte order mark

    @property
    def charset(self) -> str:
        """Return the name for a `Content-Type`."""
        return "utf-16" if self.mark and self.codec.startswith("utf-16") else _CHARSETS[self.codec]

    @property
    def first_bytes(self) -> bytes:
        """Return the byte order mark, if there is one."""
        return "\ufeff".encode(self.codec) if self.mark else b""


class UndecodableText(Exception):
    """The bytes are in none of the encodings."""

    def __init__(self, line: int, codec: str) -> None:
        super().__init__(f"a character is not {_NAMES[codec]}")
        self.line = line


def detect_encoding(path: Path) -> Encoding:
    """Return the encoding of a file that is wholly valid in it.

    A byte order mark decides; then zero bytes in every second place, which are UTF-16; then UTF-8 if that is
    valid. Other bytes are Windows-1252, unless more characters are UTF-8 than are not: then it is a damaged
    UTF-8 file.

    Raises:
        UndecodableText: A character is invalid; `line` is its line.
    """
    data = path.read_bytes()
    for mark, codec in _MARKS:
        if data.startswith(mark):
            _check(data[len(mark) :], codec)
            return Encoding(codec, mark=True)
    if codec := _unmarked_utf16(data[:_SAMPLE_BYTES]):
        _check(data, codec)
        return Encoding(codec)
    try:
        _check(data, "utf-8")
    except UndecodableText:
        if _is_mostly_utf8(data):
            raise
        _check(data, _WINDOWS)
        return Encoding(_WINDOWS)
    return Encoding()


def _check(data: bytes, codec: str) -> None:
    try:
        data.decode(codec)
    except UnicodeDecodeError as error:
        before = data[: error.start].decode(codec)
        raise UndecodableText(len(_LINE_END.findall(before)) + 1, codec) from error


def _unmarked_utf16(sample: bytes) -> str | None:
    """Return the codec of text whose characters are mostly Latin, by the place of their zero bytes."""
    pairs = len(sample) // 2
    if pairs < 2:
        return None
    first, second = sample[0::2].count(0), sample[1::2].count(0)
    if second > pairs / 2 and not first:
        return "utf-16-le"
    return "utf-16-be" if first > pairs / 2 and not second else None


def _is_mostly_utf8(data: bytes) -> bool:
    valid = len(_MULTI_BYTE.findall(data))
    rest = _MULTI_BYTE.sub(b"", data)
    return valid > len(rest) - len(rest.translate(None, bytes(range(0x80, 0x100))))

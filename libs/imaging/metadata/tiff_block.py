"""The structure of a TIFF file and of an EXIF block, read and written with the bytes of its values.

Values are copied and not decoded, so text keeps its encoding, tags that nobody knows survive, and a damaged
tag affects no other (TIFF 6.0; BigTIFF; EXIF 3.0, CIPA DC-008).
"""

import struct
from collections.abc import Container, Iterator
from mmap import mmap
from typing import Literal, TypeAlias

from msgspec import Struct

ByteOrder: TypeAlias = Literal["<", ">"]

BYTE, ASCII, SHORT, LONG, RATIONAL, UNDEFINED, UTF8 = 1, 2, 3, 4, 5, 7, 129
EXIF, GPS, INTEROPERABILITY, MAKER_NOTE = 0x8769, 0x8825, 0xA005, 0x927C

_WORD_BYTES = {
    **{BYTE: 1, ASCII: 1, SHORT: 2, LONG: 4, RATIONAL: 4, UNDEFINED: 1, UTF8: 1},
    **{6: 1, 8: 2, 9: 4, 10: 4, 11: 4, 12: 8, 13: 4},  # signed integers, floats, offsets
}
_VALUE_BYTES = _WORD_BYTES | {RATIONAL: 8, 10: 8}
_POINTERS = {EXIF, GPS, INTEROPERABILITY}
_POINTER_KINDS = {LONG: "L", 13: "L", 16: "Q", 18: "Q"}

MAX_DEPTH = 4
MAX_TAGS = 4_096
MAX_VALUE_BYTES = 8 * 1024**2
"""Limits of one block: its directories below each other, its tags, and the bytes of all values."""

PINNED_BELOW = 65_527
"""A maker note that ends before this offset keeps its offset; no JPEG holds a longer block."""


class Tag(Struct, frozen=True):
    """One tag with its value as stored."""

    number: int
    kind: int
    data: bytes
    at: int | None = None  # offset of the value in the source

    @property
    def count(self) -> int:
        """The number of values."""
        return len(self.data) // _VALUE_BYTES[self.kind]


class Directory(Struct):
    """An image file directory; a pointer to another directory is its child and no tag."""

    tags: list[Tag] = []
    children: dict[int, "Directory"] = {}

    def find(self, number: int) -> Tag | None:
        return next((tag for tag in self.tags if tag.number == number), None)

    def remove(self, numbers: Container[int]) -> None:
        self.tags = [tag for tag in self.tags if tag.number not in numbers]
        self.children = {number: child for number, child in self.children.items() if number not in numbers}

    def put(self, tag: Tag) -> None:
        """Replace all tags of this number."""
        self.remove({tag.number})
        self.tags.append(tag)

    def walk(self) -> Iterator["Directory"]:
        """Yield this directory and all below it."""
        yield self
        for child in self.children.values():
            yield from child.walk()

    def copy(self) -> "Directory":
        """Return a copy that can be changed by itself."""
        children = {number: child.copy() for number, child in self.children.items()}
        return Directory(tags=list(self.tags), children=children)


class Block(Struct):
    """A directory with everything below it, and the byte order of its values."""

    order: ByteOrder
    root: Directory
    damaged: bool = False  # a tag could not be read

    def child(self, *path: int) -> Directory | None:
        """Return the directory that the pointers lead to."""
        directory: Directory | None = self.root
        for number in path:
            directory = directory.children.get(number) if directory else None
        return directory

    def copy(self) -> "Block":
        """Return a copy that can be changed by itself."""
        return Block(self.order, self.root.copy(), self.damaged)


def read_block(data: bytes | mmap, at: int | None = None, skip: Container[int] = ()) -> Block | None:
    """Read the first directory, or the one at the offset `at`, and those below it.

    Leave out tags that cannot be read, and the numbers in `skip`. Return None if there is no directory.
    """
    order: ByteOrder = "<" if data[:2] == b"II" else ">"
    if data[:2] not in {b"II", b"MM"} or not {42, 43} & set(data[2:4]):
        return None
    reader = _Reader(data, order, big=43 in data[2:4], skip=skip)
    try:
        if at is None:
            at = int(reader.unpack("Q", 8)[0] if reader.big else reader.unpack("L", 4)[0])
        root = reader.directory(at)
    except struct.error:
        return None
    return Block(order, root, reader.damaged) if root else None


def write_block(block: Block) -> bytes:
    """Return the block as an EXIF block, beginning with its byte order.

    A maker note keeps its offset if possible: many cameras write offsets into it that count from the start
    of the block.
    """
    return header(block.order, at=8) + write_directory(block.root, block.order, at=8)


def header(order: ByteOrder, *, at: int) -> bytes:
    """Return the eight bytes that begin a TIFF whose first directory is at an offset."""
    return (b"II" if order == "<" else b"MM") + struct.pack(order + "HL", 42, at)


def write_directory(root: Directory, order: ByteOrder, *, at: int, pinned: bool = True) -> bytes:
    """Return `root` and all below it as bytes to be put at the offset `at`; the root comes first."""
    note = _maker_note(root) if pinned else None
    return _Writer(order, at, note).write(root)


def in_order(directory: Directory, before: ByteOrder, after: ByteOrder) -> Directory:
    """Return a directory with the values in another byte order; bytes whose meaning is unknown stay."""
    if before == after:
        return directory
    tags = [Tag(tag.number, tag.kind, _swapped(tag.data, _WORD_BYTES[tag.kind])) for tag in directory.tags]
    children = {number: in_order(child, before, after) for number, child in directory.children.items()}
    return Directory(tags=tags, children=children)


def _swapped(data: bytes, word_bytes: int) -> bytes:
    return b"".join(data[at : at + word_bytes][::-1] for at in range(0, len(data), word_bytes))


def _maker_note(root: Directory) -> Tag | None:
    exif = root.children.get(EXIF)
    note = exif.find(MAKER_NOTE) if exif else None
    return note if note and note.at is not None and note.at + len(note.data) <= PINNED_BELOW else None


class _Reader:
    def __init__(self, data: bytes | mmap, order: ByteOrder, *, big: bool, skip: Container[int]) -> None:
        self.data = data
        self.order = order
        self.big = big
        self.skip = skip
        self.damaged = False
        self._tags = MAX_TAGS
        self._bytes = MAX_VALUE_BYTES

    def unpack(self, layout: str, at: int) -> tuple[int, ...]:
        if at > len(self.data):  # beyond what an index can hold, `unpack_from` raises another exception
            raise struct.error
        return struct.unpack_from(self.order + layout, self.data, at)

    def directory(self, at: int, above: tuple[int, ...] = ()) -> Directory | None:
        """Read the directory at an offset; None if it has no readable tag, or is one of those `above`.

        Raises:
            struct.error: The offset lies beyond the end.
        """
        if at in above or len(above) == MAX_DEPTH:
            self.damaged = True
            return None
        (count,) = self.unpack("Q" if self.big else "H", at)
        directory = Directory()
        above = (*above, at)
        at += 8 if self.big else 2
        for _ in range(count):
            try:
                self._read_tag(directory, at, above)
            except struct.error:
                self.damaged = True
                if at >= len(self.data) or self._tags <= 0:
                    break
            at += 20 if self.big else 12
        return directory if directory.tags or directory.children else None

    def _read_tag(self, directory: Directory, at: int, above: tuple[int, ...]) -> None:
        """Read the tag at an offset.

        Raises:
            struct.error: It cannot be read.
        """
        self._tags -= 1
        number, kind, count = self.unpack("HHQ" if self.big else "HHL", at)
        if number in self.skip:
            return
        field = at + (12 if self.big else 8)
        if number in _POINTERS:
            if kind not in _POINTER_KINDS or count != 1 or self._tags <= 0:
                raise struct.error
            child = self.directory(self.unpack(_POINTER_KINDS[kind], field)[0], above)
            known = directory.children.get(number)
            if child and (known is None or len(known.tags) < len(child.tags)):
                directory.children[number] = child
            return
        length = _VALUE_BYTES.get(kind, 0) * count
        value_at = field
        if length > (8 if self.big else 4):
            (value_at,) = self.unpack("Q" if self.big else "L", field)
        self._bytes -= length
        if not length or value_at + length > len(self.data) or self._bytes < 0 or self._tags <= 0:
            self._bytes += length
            raise struct.error
        directory.tags.append(Tag(number, kind, self.data[value_at : value_at + length], value_at))


class _Writer:
    """Puts directories and values into the free space around a value that keeps its offset."""

    def __init__(self, order: ByteOrder, at: int, pinned: Tag | None) -> None:
        self._order = order
        self._start = at
        self._pinned = pinned
        self._gap, self._gap_end, self._tail = at, at, at
        self._pieces: list[tuple[int, bytes]] = []

    def write(self, root: Directory) -> bytes:
        pinned = self._pinned
        if pinned and pinned.at is not None and pinned.at >= self._start + _directory_bytes(root):
            self._gap_end, self._tail = pinned.at, pinned.at + len(pinned.data)
        else:
            self._pinned = None
        self._directory(root)
        result = bytearray(max(at + len(piece) for at, piece in self._pieces) - self._start)
        for at, piece in self._pieces:
            result[at - self._start : at - self._start + len(piece)] = piece
        return bytes(result)

    def _directory(self, directory: Directory) -> int:
        """Place a directory and all below it; return its offset."""
        at = self._reserve(_directory_bytes(directory))
        entries = [(tag.number, self._entry(tag)) for tag in directory.tags]
        for number, child in directory.children.items():
            pointer = struct.pack(self._order + "HHLL", number, LONG, 1, self._directory(child))
            entries.append((number, pointer))
        entries.sort(key=lambda entry: entry[0])
        head = struct.pack(self._order + "H", len(entries))
        self._pieces.append((at, head + b"".join(entry for _, entry in entries) + bytes(4)))
        return at

    def _entry(self, tag: Tag) -> bytes:
        head = struct.pack(self._order + "HHL", tag.number, tag.kind, tag.count)
        if len(tag.data) <= 4:
            return head + tag.data.ljust(4, b"\0")
        at = tag.at if tag is self._pinned else None
        if at is None:
            at = self._reserve(len(tag.data))
        self._pieces.append((at, tag.data))
        return head + struct.pack(self._order + "L", at)

    def _reserve(self, length: int) -> int:
        """Return an even offset with so much free space after it."""
        at = self._gap + self._gap % 2
        if at + length <= self._gap_end:
            self._gap = at + length
            return at
        at = self._tail + self._tail % 2
        self._tail = at + length
        return at


def _directory_bytes(directory: Directory) -> int:
    return 2 + 12 * (len(directory.tags) + len(directory.children)) + 4

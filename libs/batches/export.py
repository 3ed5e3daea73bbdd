"""What comes out of a batch: a CSV file that adds to the one that came in, and an archive of all images."""

import io
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, cast

import msgspec
from defusedcsv import csv  # pyright: ignore[reportMissingTypeStubs]
from msgspec import Struct
from zipstream import ZIP_STORED, ZipStream  # pyright: ignore[reportMissingTypeStubs]

from libs.contracts.enums import ItemStatus
from libs.imaging.formats import FORMATS, FormatName
from libs.storage import batches
from libs.storage.batches import Output
from libs.storage.database.tables import Batch
from libs.storage.objects import ObjectNotFound, ObjectStore

OUTPUT_URLS, ERRORS = "Output Image Urls", "Errors"
BETWEEN = ", "
PIECE_CHARS = 64 * 1024
NAME_CHARS = 80

_writer: Callable[..., Any] = csv.writer  # pyright: ignore[reportUnknownVariableType]


class Line(Struct):
    """One row of the input, and what became of its URLs."""

    cells: list[str]
    urls: list[str]  # in the order of the input; empty where there is none
    errors: list[str]


async def output_csv(batch: Batch, link: Callable[[Output], str]) -> AsyncIterator[bytes]:
    """The input's columns, the outputs' addresses by `link`, and the errors; UTF-8, a piece at a time.

    A cell that a spreadsheet would take for a formula is escaped.
    """
    columns = msgspec.json.decode(batch.columns, type=list[str])
    text = io.StringIO()
    writer = _writer(text)
    writer.writerow([*columns, OUTPUT_URLS, ERRORS])
    async for line in _lines(batch, link):
        padding = [""] * (len(columns) - len(line.cells))
        writer.writerow([*line.cells, *padding, BETWEEN.join(line.urls), "; ".join(line.errors)])
        if text.tell() > PIECE_CHARS:
            yield _taken(text)
    yield _taken(text)


async def archive(batch: Batch, objects: ObjectStore) -> AsyncIterator[bytes]:
    """A ZIP file of all outputs that are there; of their bytes no more than a chunk is held at a time."""
    zipped = ZipStream(compress_type=ZIP_STORED)  # images are compressed already
    async for item in batches.outputs(batch.id, only_done=True):
        if item.object_key is None:
            continue
        try:
            async with objects.read(item.object_key) as chunks:
                async for piece in _entry(zipped, _name(item), chunks):
                    yield piece
        except ObjectNotFound:
            continue  # it has just reached its end
    for piece in cast("Iterator[bytes]", zipped.footer()):
        yield piece


async def _entry(zipped: ZipStream, name: str, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """One file: stored, so that every chunk that is fed comes out as one piece, after a header."""
    fed: deque[bytes] = deque()

    def feed() -> Iterator[bytes]:
        while fed:
            yield fed.popleft()

    zipped.add(feed(), name)
    pieces = cast("Iterator[bytes]", zipped.file())
    yield next(pieces)
    async for chunk in chunks:
        fed.append(chunk)
        yield next(pieces)
    for piece in pieces:
        yield piece


async def _lines(batch: Batch, link: Callable[[Output], str]) -> AsyncIterator[Line]:
    line: Line | None = None
    async for item in batches.outputs(batch.id):
        if item.cells is not None:
            if line is not None:
                yield line
            line = Line(msgspec.json.decode(item.cells, type=list[str]), [], [])
        assert line is not None, "a row's first item has its cells"  # noqa: S101
        line.urls.append(link(item) if item.output else "")
        if item.status == ItemStatus.FAILED:
            line.errors.append(f"{item.position}: {item.error_code}: {item.error}")
    if line is not None:
        yield line


def _name(item: Output) -> str:
    """Serial number, name and position: no two are the same, and no part of it is a path."""
    clean = "".join(c if c.isalnum() or c in "._-" else "-" for c in item.product_name)[:NAME_CHARS]
    extension = FORMATS[cast("FormatName", item.format)].extension
    return f"{item.serial_number}-{clean.strip('.-') or 'image'}-{item.position}.{extension}"


def _taken(text: io.StringIO) -> bytes:
    written = text.getvalue().encode()
    text.seek(0)
    text.truncate()
    return written

"""Exports of a batch: its CSV file with result columns, and an archive of all images."""

import io
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, cast

from defusedcsv import csv  # pyright: ignore[reportMissingTypeStubs]
from msgspec import Struct

from libs.batches.stored_sheet import decode_head, decode_row
from libs.contracts.enums import ItemStatus
from libs.images.archive import archive as zipped
from libs.imaging.formats import FORMATS, FormatName
from libs.storage import batches
from libs.storage.batches import Output
from libs.storage.database.tables import Batch
from libs.storage.objects import ObjectStore

OUTPUT_URLS, ERRORS = "Output Image Urls", "Errors"
URL_SEPARATOR = ", "
PIECE_CHARS = 64 * 1024
NAME_CHARS = 80

_writer: Callable[..., Any] = csv.writer  # pyright: ignore[reportUnknownVariableType]


class Line(Struct):
    """One row of the input with its results."""

    cells: list[str]
    urls: list[str]  # of the outputs, in the order of the input; empty where there is no output
    errors: list[str]


async def output_csv(batch: Batch, link: Callable[[Output], str]) -> AsyncIterator[bytes]:
    """Yield a CSV file in pieces: the input's columns, the outputs' URLs from `link`, the errors.

    It has the delimiter, the encoding and the byte order mark of the input; characters that the encoding
    lacks become question marks. Cells that a spreadsheet would read as formulas are escaped.
    """
    head = decode_head(batch.columns)
    columns, dialect = head.columns, head.dialect
    yield dialect.encoding.first_bytes
    text = io.StringIO()
    if dialect.names_delimiter:
        text.write(f"sep={dialect.delimiter}\r\n")
    writer = _writer(text, delimiter=dialect.delimiter)
    writer.writerow([*columns, OUTPUT_URLS, ERRORS])
    async for line in _lines(batch, link):
        padding = [""] * (len(columns) - len(line.cells))
        writer.writerow([*line.cells, *padding, URL_SEPARATOR.join(line.urls), "; ".join(line.errors)])
        if text.tell() > PIECE_CHARS:
            yield _drained(text).encode(dialect.encoding.codec, "replace")
    yield _drained(text).encode(dialect.encoding.codec, "replace")


def archive(batch: Batch, objects: ObjectStore) -> AsyncIterator[bytes]:
    """Yield a ZIP file of all outputs that exist, holding at most one chunk of them in memory."""
    return zipped(_files(batch), objects)


async def _files(batch: Batch) -> AsyncIterator[tuple[str, str]]:
    async for item in batches.outputs(batch.id, only_done=True):
        if item.object_key is not None:
            yield _name(item), item.object_key


async def _lines(batch: Batch, link: Callable[[Output], str]) -> AsyncIterator[Line]:
    line: Line | None = None
    after: Sequence[Sequence[str]] = ()
    async for item in batches.outputs(batch.id):
        if item.cells is not None:
            if line is not None:
                yield line
            row = decode_row(item.cells)
            for cells in row.before:
                yield Line(list(cells), [], [])
            line, after = Line(list(row.cells), [], []), row.after
        assert line is not None, "a row's first item has its cells"  # noqa: S101
        line.urls.append(link(item) if item.output else "")
        if item.status == ItemStatus.FAILED:
            line.errors.append(f"{item.position}: {item.error_code}: {item.error}")
    if line is not None:
        yield line
    for cells in after:
        yield Line(list(cells), [], [])


def _name(item: Output) -> str:
    """Return a unique filename from serial number, product name and position, without path separators."""
    clean = "".join(c if c.isalnum() or c in "._-" else "-" for c in item.product_name)[:NAME_CHARS]
    extension = FORMATS[cast("FormatName", item.format)].extension
    return f"{item.serial_number}-{clean.strip('.-') or 'image'}-{item.position}.{extension}"


def _drained(text: io.StringIO) -> str:
    written = text.getvalue()
    text.seek(0)
    text.truncate()
    return written

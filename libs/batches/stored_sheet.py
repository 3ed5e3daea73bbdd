"""What a batch stores of its CSV file, so that its output can be the same file with more columns."""

from collections.abc import Sequence

import msgspec
from msgspec import Struct

from libs.batches.csv_file import Dialect, Sheet


class Head(Struct, frozen=True):
    """The header and the dialect. Batches of earlier versions store the list of columns alone."""

    columns: tuple[str, ...]
    dialect: Dialect = Dialect()
    of_images: bool = False  # the URLs are addresses of stored images, which are not fetched


class StoredRow(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A row with the skipped rows beside it, which have no items; without any, only its cells are stored."""

    cells: tuple[str, ...]
    before: tuple[tuple[str, ...], ...] = ()
    after: tuple[tuple[str, ...], ...] = ()  # only of the last row


def encode_head(sheet: Sheet) -> str:
    return msgspec.json.encode(Head(sheet.columns, sheet.dialect)).decode()


def decode_head(text: str) -> Head:
    stored = msgspec.json.decode(text, type=Head | tuple[str, ...])
    return stored if isinstance(stored, Head) else Head(stored)


def encode_row(row: StoredRow) -> str:
    return msgspec.json.encode(row if row.before or row.after else row.cells).decode()


def decode_row(text: str) -> StoredRow:
    stored = msgspec.json.decode(text, type=StoredRow | tuple[str, ...])
    return stored if isinstance(stored, StoredRow) else StoredRow(cells=stored)


def stored_rows(sheet: Sheet) -> Sequence[StoredRow | None]:
    """Return what is stored of each row; None for a row that is skipped and stored with its neighbour."""
    stored: list[StoredRow | None] = []
    skipped: list[tuple[str, ...]] = []
    last = -1
    for number, row in enumerate(sheet.rows):
        if not row.urls:
            skipped.append(row.cells)
            stored.append(None)
            continue
        stored.append(StoredRow(cells=row.cells, before=tuple(skipped)))
        skipped, last = [], number
    if skipped and last >= 0:
        row = sheet.rows[last]
        kept = stored[last]
        stored[last] = StoredRow(
            cells=row.cells, before=kept.before if kept is not None else (), after=tuple(skipped)
        )
    return stored

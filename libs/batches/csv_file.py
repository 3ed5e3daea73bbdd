"""Parsing of a CSV file of products into rows, or into a list of everything that is wrong with it.

The file is read record by record and never held in memory; the limits bound the number and size of rows.
"""

import csv
import re
from collections.abc import Callable, Generator, Iterator
from itertools import chain
from pathlib import Path
from typing import ClassVar

from msgspec import Struct

from libs.contracts.outcome import Outcome
from libs.contracts.views.problems import CsvError
from libs.outbound import Guard, UrlForbidden, is_data_url

MAX_FAULTS = 100
DELIMITERS = ",;\t"
SNIFFED_CHARS = 65_536
MAX_SERIAL = 2**63 - 1

SERIAL, NAME, URLS = "Serial Number", "Product Name", "Input Image Urls"
SPELLINGS: dict[str, frozenset[str]] = {
    SERIAL: frozenset(
        [
            "sno",
            "slno",
            "srno",
            "snr",
            "serialno",
            "serialnr",
            "serialnum",
            "serialnumber",
            "serial",
            "number",
            "no",
            "sn",
            "id",
        ]
    ),
    NAME: frozenset(["productname", "product", "name", "producttitle", "title", "productnames"]),
    URLS: frozenset(
        [
            "inputimageurls",
            "inputimageurl",
            "inputimages",
            "inputimage",
            "inputurls",
            "inputurl",
            "imageurls",
            "imageurl",
            "imagesurls",
            "images",
            "image",
            "urls",
            "url",
            "imagelinks",
            "imagelink",
            "links",
            "link",
        ]
    ),
}
NOT_A_WORD = re.compile(r"[\W_]+")
BETWEEN_URLS = re.compile(r"[\s,;]+(?=(?:https?://|data:))", re.IGNORECASE)
SCHEME = re.compile(r"^[a-z][a-z0-9+.-]*:", re.IGNORECASE)
SEPARATORS = ",; \t\r\n"


class BadCsv(Exception):
    """The CSV file is invalid; `faults` lists what is wrong and where."""

    code = "csv_invalid"
    outcome: ClassVar[Outcome] = "refused"

    def __init__(self, faults: list[CsvError]) -> None:
        number = f"{len(faults)} faults or more" if len(faults) >= MAX_FAULTS else f"{len(faults)} fault(s)"
        super().__init__(f"the file has {number}; nothing was stored")
        self.faults = tuple(faults)


class CsvLimits(Struct, frozen=True, kw_only=True):
    """Limits of a file."""

    max_rows: int
    max_urls: int  # in each row
    max_cell_chars: int


class Row(Struct, frozen=True):
    """The row of one product."""

    serial_number: int
    product_name: str
    urls: tuple[str, ...]  # at least one
    cells: tuple[str, ...]  # the whole row, without surrounding blanks


class Sheet(Struct, frozen=True):
    """The content of a valid file."""

    columns: tuple[str, ...]  # the header as it is in the file
    rows: list[Row]


class TooManyFaults(Exception):
    """The limit of reported faults is reached."""


def read_csv(path: Path, limits: CsvLimits, guard: Guard) -> Sheet:
    """Parse a UTF-8 file, with or without a byte order mark, with any line endings.

    Raises:
        BadCsv: The file is invalid.
    """
    csv.field_size_limit(limits.max_cell_chars)
    parser = _Parser(limits, guard)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            parser.read(_records(file))
    except UnicodeDecodeError:
        parser.faults.append(CsvError(parser.line, None, "the file is not UTF-8"))
    except csv.Error as error:
        parser.faults.append(CsvError(parser.line, None, f"not CSV: {error}"))
    except TooManyFaults:
        pass
    if parser.faults:
        raise BadCsv(parser.faults)
    return Sheet(parser.columns, parser.rows)


def split_urls(cell: str) -> list[str]:
    """Split a cell into URLs at commas, semicolons, blanks and line ends that precede a scheme.

    So a comma inside a URL does not split it.
    """
    pieces = BETWEEN_URLS.split(cell.strip(SEPARATORS))
    return [url for url in (piece.strip(SEPARATORS) for piece in pieces) if url]


Record = tuple[int, list[str]]  # the number of its first line, its cells


def _records(file: Iterator[str]) -> Generator[Record]:
    """Yield all records except empty ones."""
    line = 1
    first = ""
    for first in file:
        if first.strip():
            break
        line += 1
    reader = csv.reader(
        chain([first], file), delimiter=_delimiter(first[:SNIFFED_CHARS]), skipinitialspace=True, strict=True
    )
    lines_read = 0
    for cells in reader:
        if any(cell.strip() for cell in cells):
            yield line + lines_read, cells
        lines_read = reader.line_num


def _delimiter(header: str) -> str:
    """Return the delimiter of the header; a comma where it is ambiguous."""
    try:
        return csv.Sniffer().sniff(header, delimiters=DELIMITERS).delimiter
    except csv.Error:
        return ","


class _Parser:
    """The state of one pass over a file."""

    def __init__(self, limits: CsvLimits, guard: Guard) -> None:
        self.faults: list[CsvError] = []
        self.columns: tuple[str, ...] = ()
        self.rows: list[Row] = []
        self.line = 1
        self._limits = limits
        self._guard = guard
        self._positions: dict[str, int] = {}
        self._lines_of: dict[int, int] = {}  # by serial number

    def read(self, records: Iterator[Record]) -> None:
        for self.line, cells in records:
            if not self.columns:
                self._read_header(cells)
                if self.faults:
                    return  # rows cannot be parsed without the columns
            elif len(self.rows) >= self._limits.max_rows:
                self._fault(None, f"there are more than {self._limits.max_rows} rows")
                return
            else:
                self._read_row(cells)
        if not self.columns:
            self._fault(None, "the file is empty")
        elif not self.rows and not self.faults:
            self._fault(None, "there are no rows below the header")

    def _read_header(self, cells: list[str]) -> None:
        self.columns = tuple(cell.strip() for cell in cells)
        words = [NOT_A_WORD.sub("", cell.casefold()) for cell in cells]
        for name, spellings in SPELLINGS.items():
            found = [position for position, word in enumerate(words) if word in spellings]
            canonical = NOT_A_WORD.sub("", name.casefold())
            if exact := [position for position in found if words[position] == canonical]:
                found = exact
            if not found:
                self._fault(name, "the column is missing")
            elif len(found) > 1:
                names = " and ".join(repr(self.columns[position]) for position in found)
                self._fault(name, f"several columns match: {names}")
            else:
                self._positions[name] = found[0]

    def _read_row(self, cells: list[str]) -> None:
        before = len(self.faults)
        if len(cells) > len(self.columns):
            counts = f"the row has {len(cells)} cells, the header has {len(self.columns)}"
            self._fault(None, f"{counts}: quote cells that contain the delimiter")
        if any("\0" in cell for cell in cells):
            self._fault(None, "the row has a NUL character")
        serial = self._serial(self._cell(cells, SERIAL))
        name = self._cell(cells, NAME)
        if not name:
            self._fault(NAME, "the name is empty")
        urls = self._urls(self._cell(cells, URLS))
        if len(self.faults) == before and serial is not None:
            self.rows.append(Row(serial, name, urls, tuple(cell.strip() for cell in cells)))

    def _cell(self, cells: list[str], name: str) -> str:
        position = self._positions[name]
        return cells[position].strip() if position < len(cells) else ""

    def _serial(self, text: str) -> int | None:
        if not (text.isascii() and text.isdigit()) or int(text[:20]) > MAX_SERIAL:
            self._fault(SERIAL, f"{_short(text)} is not a number" if text else "the serial number is empty")
            return None
        serial = int(text)
        first = self._lines_of.setdefault(serial, self.line)
        if first != self.line:
            self._fault(SERIAL, f"{serial} is already on line {first}")
        return serial

    def _urls(self, cell: str) -> tuple[str, ...]:
        urls = split_urls(cell)
        if not urls:
            self._fault(URLS, "there is no URL")
        if len(urls) > self._limits.max_urls:
            self._fault(URLS, f"there are {len(urls)} URLs, the limit is {self._limits.max_urls}")
            return ()
        for url in urls:
            if reason := _problem_of(url, self._guard.check_url):
                self._fault(URLS, f"{_short(url)}: {reason}")
        return tuple(urls)

    def _fault(self, name: str | None, reason: str) -> None:
        position = self._positions.get(name) if name else None
        self.faults.append(CsvError(self.line, name if position is None else self.columns[position], reason))
        if len(self.faults) >= MAX_FAULTS:
            raise TooManyFaults


def _problem_of(url: str, check: Callable[[str], object]) -> str | None:
    if is_data_url(url):
        return None
    if not SCHEME.match(url):
        return "not a URL"
    try:
        check(url)
    except UrlForbidden as error:
        return str(error)
    return None


def _short(text: str) -> str:
    return text if len(text) <= 100 else f"{text[:100]}..."

"""Parsing of a CSV file of products into rows, or into a list of everything that is wrong with it."""

import csv
import re
from collections.abc import Callable, Generator, Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import ClassVar

from msgspec import Struct

from libs.batches.csv_columns import NAME, SERIAL, URLS, Columns, find_columns
from libs.batches.csv_encoding import Encoding, UndecodableText, detect_encoding
from libs.contracts.enums import OnMissingImage
from libs.contracts.outcome import Outcome
from libs.contracts.views.problems import CsvError
from libs.outbound import Guard, UrlForbidden, is_data_url

MAX_FAULTS = 100
DELIMITERS = ",;\t"
MAX_SERIAL = 2**63 - 1

BETWEEN_URLS = re.compile(r"[\s,;|]+(?=(?:https?://|data:))", re.IGNORECASE)
SCHEME = re.compile(r"^[a-z][a-z0-9+.-]*:", re.IGNORECASE)
SEPARATORS = ",;| \t\r\n"
_QUOTED = re.compile(r'"[^"]*"')
_DELIMITER_LINE = re.compile(r"sep=(.)\s*$", re.IGNORECASE)  # Excel


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
    urls: tuple[str, ...]  # empty if the row is skipped
    cells: tuple[str, ...]  # the whole row, without surrounding blanks


class Dialect(Struct, frozen=True):
    """How the file is written."""

    delimiter: str = ","
    encoding: Encoding = Encoding()
    names_delimiter: bool = False  # in a first line `sep=;`


class Sheet(Struct, frozen=True):
    """The content of a valid file."""

    columns: tuple[str, ...]  # the header as it is in the file
    rows: list[Row]
    dialect: Dialect


class TooManyFaults(Exception):
    """The limit of reported faults is reached."""


class _BadRecord(Exception):
    """A record is not CSV."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"not CSV: {reason}")
        self.line = line


def read_csv(
    path: Path, limits: CsvLimits, guard: Guard, on_missing_image: OnMissingImage = OnMissingImage.REFUSE
) -> Sheet:
    """Parse a file in UTF-8, UTF-16 or Windows-1252, with any line endings.

    Raises:
        BadCsv: The file is invalid.
    """
    csv.field_size_limit(limits.max_cell_chars)
    parser = _Parser(limits, guard, on_missing_image)
    dialect = Dialect()
    try:
        encoding = detect_encoding(path)
        with path.open(encoding=encoding.codec, newline="") as file:
            file.read(1 if encoding.mark else 0)
            dialect, line, lines = _dialect(file, encoding)
            parser.read(_records(lines, dialect.delimiter, line))
    except (UndecodableText, _BadRecord) as error:
        parser.faults.append(CsvError(error.line, None, str(error)))
    except TooManyFaults:
        pass
    if parser.faults:
        raise BadCsv(parser.faults)
    return Sheet(parser.header, parser.rows, dialect)


def split_urls(cell: str) -> list[str]:
    """Split a cell into URLs at commas, semicolons, bars, blanks and line ends that precede a scheme.

    So a comma inside a URL does not split it.
    """
    pieces = BETWEEN_URLS.split(cell.strip(SEPARATORS))
    return [url for url in (piece.strip(SEPARATORS) for piece in pieces) if url]


Record = tuple[int, list[str]]  # the number of its first line, its cells


def _dialect(file: Iterator[str], encoding: Encoding) -> tuple[Dialect, int, Iterator[str]]:
    """Return the dialect, and the lines from the header on with the number of the first one."""
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        if named := _DELIMITER_LINE.match(line):
            return Dialect(named[1], encoding, names_delimiter=True), number + 1, file
        return Dialect(_delimiter(line), encoding), number, chain([line], file)
    return Dialect(encoding=encoding), 1, iter(())


def _delimiter(header: str) -> str:
    """Return the most frequent delimiter outside quotes; a comma where there is none."""
    bare = _QUOTED.sub("", header)
    return max(DELIMITERS, key=bare.count)


def _records(lines: Iterable[str], delimiter: str, line: int) -> Generator[Record]:
    """Yield all records except empty ones; `line` is the number of the first line."""
    reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=True, strict=True)
    while True:
        start = line + reader.line_num
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise _BadRecord(start, str(error)) from error
        if any(cell.strip() for cell in cells):
            yield start, cells


class _Parser:
    """The state of one pass over a file."""

    def __init__(self, limits: CsvLimits, guard: Guard, on_missing_image: OnMissingImage) -> None:
        self.faults: list[CsvError] = []
        self.header: tuple[str, ...] = ()
        self.rows: list[Row] = []
        self.line = 1
        self._limits = limits
        self._guard = guard
        self._skips = on_missing_image is OnMissingImage.SKIP
        self._columns = Columns(serial=None, name=None, handle=None, urls=())
        self._lines_of: dict[int, int] = {}  # by serial number
        self._number = 0  # of the row, from 1
        self._above = ("", "")  # handle and name of the row above

    def read(self, records: Iterator[Record]) -> None:
        for self.line, cells in records:
            if not self.header:
                self._read_header(cells)
                if self.faults:
                    return  # rows cannot be parsed without the columns
            elif self._number >= self._limits.max_rows:
                self._fault(None, f"there are more than {self._limits.max_rows} rows")
                return
            else:
                self._number += 1
                self._read_row([cell.strip() for cell in cells])
        if not self.header:
            self._fault(None, "the file is empty")
        elif not any(row.urls for row in self.rows) and not self.faults:
            what = "rows with an image" if self.rows else "rows"
            self._fault(None, f"there are no {what} below the header")

    def _read_header(self, cells: list[str]) -> None:
        self.header = tuple(cell.strip() for cell in cells)
        self._columns, faults = find_columns(self.header)
        self.faults += (CsvError(self.line, fault.name, str(fault)) for fault in faults)

    def _read_row(self, cells: list[str]) -> None:
        before = len(self.faults)
        while len(cells) > len(self.header) and not cells[-1]:
            cells.pop()
        if len(cells) > len(self.header):
            counts = f"the row has {len(cells)} cells, the header has {len(self.header)}"
            self._fault(None, f"{counts}: quote cells that contain the delimiter")
        if any("\0" in cell for cell in cells):
            self._fault(None, "the row has a NUL character")
        serial = self._serial(cells)
        name, continues = self._name(cells)
        urls = self._urls(cells, may_be_missing=self._skips or continues)
        if len(self.faults) == before and serial is not None:
            self.rows.append(Row(serial, name, urls, tuple(cells)))

    def _serial(self, cells: list[str]) -> int | None:
        if self._columns.serial is None:
            return self._number
        text = _cell(cells, self._columns.serial)
        if not (text.isascii() and text.isdigit()) or int(text[:20]) > MAX_SERIAL:
            self._fault(SERIAL, f"{_short(text)} is not a number" if text else "the serial number is empty")
            return None
        serial = int(text)
        first = self._lines_of.setdefault(serial, self.line)
        if first != self.line:
            self._fault(SERIAL, f"{serial} is already on line {first}")
        return serial

    def _name(self, cells: list[str]) -> tuple[str, bool]:
        """Return the name, and whether the row goes on with the product of the row above."""
        handle, stated = _cell(cells, self._columns.handle), _cell(cells, self._columns.name)
        above_handle, above = self._above
        name, continues = stated, False
        if not name and self._columns.fills_names:
            continues = bool(above) and handle in {"", above_handle}
            name = above if continues else handle
        if not name:
            self._fault(NAME, "the name is empty")
        self._above = (handle or above_handle, name)
        return name, continues

    def _urls(self, cells: list[str], *, may_be_missing: bool) -> tuple[str, ...]:
        found = (url for at in self._columns.urls for url in split_urls(_cell(cells, at)))
        urls = list(found) if len(self._columns.urls) == 1 else list(dict.fromkeys(found))
        if not urls and not may_be_missing:
            self._fault(URLS, "there is no URL")
        if len(urls) > self._limits.max_urls:
            self._fault(URLS, f"there are {len(urls)} URLs, the limit is {self._limits.max_urls}")
            return ()
        for url in urls:
            if reason := _problem_of(url, self._guard.check_url):
                self._fault(URLS, f"{_short(url)}: {reason}")
        return tuple(urls)

    def _fault(self, name: str | None, reason: str) -> None:
        positions = {SERIAL: self._columns.serial, NAME: self._columns.name}
        if self._columns.urls:
            positions[URLS] = self._columns.urls[0]
        position = positions.get(name) if name else None
        self.faults.append(CsvError(self.line, name if position is None else self.header[position], reason))
        if len(self.faults) >= MAX_FAULTS:
            raise TooManyFaults


def _cell(cells: list[str], position: int | None) -> str:
    return cells[position] if position is not None and position < len(cells) else ""


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

"""Reading a CSV file of products: rows as they come, or all that is wrong with it.

The file is read a record at a time and never held; what is made of it is bounded by the limits.
"""

import csv
import re
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import ClassVar, Literal

from msgspec import Struct

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
    """The CSV file is at fault; `faults` says where."""

    code = "csv_invalid"
    outcome: ClassVar[Literal["transient", "permanent", "refused"]] = "refused"

    def __init__(self, faults: list[CsvError]) -> None:
        found = f"{len(faults)} faults or more" if len(faults) >= MAX_FAULTS else f"{len(faults)} fault(s)"
        super().__init__(f"the file has {found}; nothing of it was stored")
        self.faults = tuple(faults)


class CsvLimits(Struct, frozen=True, kw_only=True):
    """How large a file may be."""

    max_rows: int
    max_urls: int  # a row
    max_cell_chars: int


class Row(Struct, frozen=True):
    """One product."""

    serial_number: int
    product_name: str
    urls: tuple[str, ...]  # at least one
    cells: tuple[str, ...]  # the whole row, without blanks around


class Sheet(Struct, frozen=True):
    """A whole file without fault."""

    columns: tuple[str, ...]  # the header as it came
    rows: list[Row]


class TooManyFaults(Exception):
    """No more are told of."""


def read_csv(path: Path, limits: CsvLimits, guard: Guard) -> Sheet:
    """Read a file in UTF-8, with or without a byte order mark, whatever its line ends.

    Raises:
        BadCsv: Something is wrong with it.
    """
    csv.field_size_limit(limits.max_cell_chars)
    reading = _Reading(limits, guard)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reading.read(_records(file))
    except UnicodeDecodeError:
        reading.faults.append(CsvError(reading.line, None, "the file is not UTF-8"))
    except csv.Error as error:
        reading.faults.append(CsvError(reading.line, None, f"not CSV: {error}"))
    except TooManyFaults:
        pass
    if reading.faults:
        raise BadCsv(reading.faults)
    return Sheet(reading.columns, reading.rows)


def split_urls(cell: str) -> list[str]:
    """The URLs in one cell: separated by commas, semicolons, spaces or line ends before the next scheme.

    A comma inside a URL stays.
    """
    pieces = BETWEEN_URLS.split(cell.strip(SEPARATORS))
    return [url for url in (piece.strip(SEPARATORS) for piece in pieces) if url]


Record = tuple[int, list[str]]  # the line it begins on, its cells


def _records(file: Iterator[str]) -> Generator[Record]:
    """All records but empty ones."""
    line = 1
    first = ""
    for first in file:
        if first.strip():
            break
        line += 1
    reader = csv.reader(
        _again(first, file), delimiter=_delimiter(first[:SNIFFED_CHARS]), skipinitialspace=True, strict=True
    )
    begun = 0
    for cells in reader:
        if any(cell.strip() for cell in cells):
            yield line + begun, cells
        begun = reader.line_num


def _again(first: str, rest: Iterator[str]) -> Iterator[str]:
    yield first
    yield from rest


def _delimiter(header: str) -> str:
    """What stands between the names of the columns; a comma where that cannot be told."""
    try:
        return csv.Sniffer().sniff(header, delimiters=DELIMITERS).delimiter
    except csv.Error:
        return ","


class _Reading:
    """One pass over a file."""

    def __init__(self, limits: CsvLimits, guard: Guard) -> None:
        self.faults: list[CsvError] = []
        self.columns: tuple[str, ...] = ()
        self.rows: list[Row] = []
        self.line = 1
        self._limits = limits
        self._guard = guard
        self._places: dict[str, int] = {}
        self._lines_of: dict[int, int] = {}  # by serial number

    def read(self, records: Iterator[Record]) -> None:
        for self.line, cells in records:
            if not self.columns:
                self._read_header(cells)
                if self.faults:
                    return  # without its columns no row can be understood
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
            places = [place for place, word in enumerate(words) if word in spellings]
            if exact := [place for place in places if words[place] == NOT_A_WORD.sub("", name.casefold())]:
                places = exact
            if not places:
                self._fault(name, "the column is missing")
            elif len(places) > 1:
                named = " and ".join(repr(self.columns[place]) for place in places)
                self._fault(name, f"more than one column may be meant: {named}")
            else:
                self._places[name] = places[0]

    def _read_row(self, cells: list[str]) -> None:
        before = len(self.faults)
        if len(cells) > len(self.columns):
            told = (
                f"the row has {len(cells)} cells, not {len(self.columns)}: quote one that holds a delimiter"
            )
            self._fault(None, told)
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
        place = self._places[name]
        return cells[place].strip() if place < len(cells) else ""

    def _serial(self, text: str) -> int | None:
        if not (text.isascii() and text.isdigit()) or int(text[:20]) > MAX_SERIAL:
            self._fault(SERIAL, f"{_short(text)} is not a number" if text else "the serial number is empty")
            return None
        serial = int(text)
        first = self._lines_of.setdefault(serial, self.line)
        if first != self.line:
            self._fault(SERIAL, f"{serial} stands on line {first} already")
        return serial

    def _urls(self, cell: str) -> tuple[str, ...]:
        urls = split_urls(cell)
        if not urls:
            self._fault(URLS, "there is no URL")
        if len(urls) > self._limits.max_urls:
            self._fault(URLS, f"there are {len(urls)} URLs, the limit is {self._limits.max_urls}")
            return ()
        for url in urls:
            if reason := _wrong_with(url, self._guard.check_url):
                self._fault(URLS, f"{_short(url)}: {reason}")
        return tuple(urls)

    def _fault(self, name: str | None, reason: str) -> None:
        place = self._places.get(name) if name else None
        self.faults.append(CsvError(self.line, name if place is None else self.columns[place], reason))
        if len(self.faults) >= MAX_FAULTS:
            raise TooManyFaults


def _wrong_with(url: str, check: Callable[[str], object]) -> str | None:
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

"""Reading CSV files, and the faults of those that cannot be read."""

from pathlib import Path

import pytest

from libs.batches.csv_file import MAX_FAULTS, BadCsv, CsvLimits, Sheet, read_csv, split_urls
from libs.contracts.views.problems import CsvError
from libs.outbound import Guard

LIMITS = CsvLimits(max_rows=50, max_urls=3, max_cell_chars=1_000_000)
GUARD = Guard(ports=(80, 443))
HEADER = "S. No.,Product Name,Input Image Urls\n"
GOOD = '1,Chair,"https://a.example/1.jpg, https://a.example/2.jpg"\n'
TWO_NAMES = "several columns match: 'Name' and 'Title'"
UNENDED = "not CSV: unexpected end of data"
TWO = ("https://a.example/1.jpg", "https://a.example/2.jpg")


def read(file: Path, data: str | bytes) -> Sheet:
    file.write_bytes(data if isinstance(data, bytes) else data.encode())
    return read_csv(file, LIMITS, GUARD)


def faults(file: Path, data: str | bytes) -> tuple[CsvError, ...]:
    with pytest.raises(BadCsv) as raised:
        read(file, data)
    return raised.value.faults


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "products.csv"


@pytest.mark.parametrize(
    "header",
    [
        "S. No.,Product Name,Input Image Urls",
        "Serial Number,Product Name,Input Image URLs",
        "serial_number,product_name,input_image_urls",
        "SERIAL NO,PRODUCT,IMAGE URLS",
        '"Sl. No.", "Product  name", "image-url"',
        "sno,name,urls",
    ],
)
def test_columns_are_recognised_whatever_their_spelling(file: Path, header: str) -> None:
    found = read(file, f"{header}\n{GOOD}")
    assert [(row.serial_number, row.product_name, row.urls) for row in found.rows] == [(1, "Chair", TWO)]


def test_columns_may_stand_in_any_order_and_others_are_kept(file: Path) -> None:
    found = read(file, "Colour,Input Image Urls,Price,Product Name,S. No.\nred,http://a.example/,9,Chair,7\n")
    assert found.columns == ("Colour", "Input Image Urls", "Price", "Product Name", "S. No.")
    assert found.rows[0].cells == ("red", "http://a.example/", "9", "Chair", "7")
    assert (found.rows[0].serial_number, found.rows[0].product_name) == (7, "Chair")


@pytest.mark.parametrize(
    "data",
    [
        (HEADER + GOOD).encode(),
        b"\xef\xbb\xbf" + (HEADER + GOOD).encode(),
        (HEADER + GOOD).replace("\n", "\r\n").encode(),
        (HEADER + GOOD).replace("\n", "\r\n").encode().rstrip(),
        b"\n\r\n" + (HEADER + GOOD).encode() + b"\n,,\n\n",
        b"S. No.;Product Name;Input Image Urls\n1;Chair;https://a.example/1.jpg,https://a.example/2.jpg\n",
        b"S. No.\tProduct Name\tInput Image Urls\n1\tChair\thttps://a.example/1.jpg https://a.example/2.jpg\n",
        b'S. No., Product Name, Input Image Urls\n1, "Chair", "https://a.example/1.jpg\r\nhttps://a.example/2.jpg"\n',
    ],
    ids=["plain", "BOM", "CRLF", "no last line end", "empty lines", "semicolons", "tabs", "newline in cell"],
)
def test_files_of_all_makes_are_read(file: Path, data: bytes) -> None:
    found = read(file, data)
    assert [(row.serial_number, row.product_name, row.urls) for row in found.rows] == [(1, "Chair", TWO)]


def test_names_may_have_line_ends_quotes_and_any_letters(file: Path) -> None:
    name = 'Stühle, "groß"\nund 椅子'
    quoted = name.replace('"', '""')
    found = read(file, f'{HEADER}1,"{quoted}",http://a.example/\n2,Next,http://a.example/\n')
    assert [row.product_name for row in found.rows] == [name, "Next"]


@pytest.mark.parametrize(
    ("cell", "urls"),
    [
        ("http://a/1.jpg,http://a/2.jpg", ["http://a/1.jpg", "http://a/2.jpg"]),
        (" http://a/1.jpg ;\nHTTPS://a/2.jpg , ", ["http://a/1.jpg", "HTTPS://a/2.jpg"]),
        ("http://a/w_1,h_2/x.jpg, http://a/y.jpg", ["http://a/w_1,h_2/x.jpg", "http://a/y.jpg"]),
        ("data:image/png;base64,AAAA, http://a/1.jpg", ["data:image/png;base64,AAAA", "http://a/1.jpg"]),
        ("http://a/?next=http://b/", ["http://a/?next=http://b/"]),
        ("", []),
        (" ,; ", []),
    ],
)
def test_cells_are_split_before_the_next_scheme(cell: str, urls: list[str]) -> None:
    assert split_urls(cell) == urls


@pytest.mark.parametrize(
    ("row", "column", "reason"),
    [
        ("x,Chair,http://a.example/", "S. No.", "x is not a number"),
        ("-1,Chair,http://a.example/", "S. No.", "-1 is not a number"),
        (f"{2**63},Chair,http://a.example/", "S. No.", f"{2**63} is not a number"),
        (",Chair,http://a.example/", "S. No.", "the serial number is empty"),
        ("1, ,http://a.example/", "Product Name", "the name is empty"),
        ("1,Chair", "Input Image Urls", "there is no URL"),
        ("1,Chair,nonsense", "Input Image Urls", "nonsense: not a URL"),
        ("1,Chair,ftp://a.example/", "Input Image Urls", "ftp://a.example/: only http and https URLs"),
        (
            "1,Chair,http://127.0.0.1/",
            "Input Image Urls",
            "127.0.0.1 is not a public address",
        ),
        ("1,Chair,http://u:p@a.example/", "Input Image Urls", "with a user name or a password"),
        (
            '1,Chair,"http://a/, http://b/, http://c/, http://d/"',
            "Input Image Urls",
            "the limit is 3",
        ),
        ("1,Chair,http://a.example/,http://b.example/", None, "the row has 4 cells, the header has 3"),
        ("1,Cha\0ir,http://a.example/", None, "a NUL character"),
    ],
)
def test_a_fault_is_reported_with_its_place(file: Path, row: str, column: str | None, reason: str) -> None:
    [fault] = faults(file, f"{HEADER}9,Table,http://a.example/\n{row}\n")
    assert (fault.line, fault.column) == (3, column)
    assert reason in fault.reason


def test_a_serial_number_may_stand_once(file: Path) -> None:
    [fault] = faults(file, HEADER + GOOD + GOOD)
    assert fault == CsvError(3, "S. No.", "1 is already on line 2")


def test_all_faults_are_reported_at_once_with_the_lines_of_the_file(file: Path) -> None:
    found = faults(file, f'{HEADER}1,"two\nlines",http://a.example/\nx,,gone\n')
    assert [(one.line, one.column) for one in found] == [
        (4, "S. No."),
        (4, "Product Name"),
        (4, "Input Image Urls"),
    ]


def test_no_more_than_a_hundred_faults_are_reported(file: Path) -> None:
    found = faults(file, HEADER + "x,,\n" * 200)
    assert len(found) == MAX_FAULTS
    assert found[-1].line < 40


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", CsvError(1, None, "the file is empty")),
        (b"\n \n", CsvError(1, None, "the file is empty")),
        (HEADER.encode(), CsvError(1, None, "there are no rows below the header")),
        (b"S. No.,Urls\n1,http://a.example/\n", CsvError(1, "Product Name", "the column is missing")),
        (
            b"No,Name,Title,Urls\n",
            CsvError(1, "Product Name", TWO_NAMES),
        ),
        (
            HEADER.encode() + "1,Stühl ä,".encode() + b"http://a.example/\n2,\xe4,http://a.example/\n",
            CsvError(3, None, "a character is not UTF-8"),
        ),
        (
            HEADER.encode() + b'1,"Chair,http://a.example/\n',
            CsvError(2, None, UNENDED),
        ),
    ],
    ids=["nothing", "blank", "header only", "no name", "two names", "damaged UTF-8", "open quote"],
)
def test_a_file_that_is_no_sheet_says_why(file: Path, data: bytes, expected: CsvError) -> None:
    assert faults(file, data) == (expected,)


def test_more_rows_than_the_limit_are_refused(file: Path) -> None:
    rows = "".join(f"{nth},Chair,http://a.example/\n" for nth in range(LIMITS.max_rows + 1))
    assert faults(file, HEADER + rows) == (CsvError(52, None, "there are more than 50 rows"),)

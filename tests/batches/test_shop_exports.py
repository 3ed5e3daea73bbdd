"""CSV files as spreadsheet programs and shops write them."""

from pathlib import Path

import pytest

from libs.batches.csv_encoding import Encoding
from libs.batches.csv_file import BadCsv, CsvLimits, Dialect, Sheet, read_csv
from libs.batches.stored_sheet import decode_head, decode_row, encode_head, encode_row, stored_rows
from libs.contracts.enums import OnMissingImage
from libs.contracts.views.problems import CsvError
from libs.outbound import Guard

LIMITS = CsvLimits(max_rows=50, max_urls=5, max_cell_chars=1_000_000)
GUARD = Guard(ports=(80, 443))
TEXT = "S. No.,Product Name,Input Image Urls\n1,Stühle “groß”,http://a.example/ü.jpg\n"


def read(file: Path, data: str | bytes, on_missing_image: OnMissingImage = OnMissingImage.REFUSE) -> Sheet:
    file.write_bytes(data if isinstance(data, bytes) else data.encode())
    return read_csv(file, LIMITS, GUARD, on_missing_image)


def faults(file: Path, data: str | bytes) -> tuple[CsvError, ...]:
    with pytest.raises(BadCsv) as raised:
        read(file, data)
    return raised.value.faults


def products(sheet: Sheet) -> list[tuple[int, str, tuple[str, ...]]]:
    return [(row.serial_number, row.product_name, row.urls) for row in sheet.rows]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "products.csv"


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"], ids=repr)
@pytest.mark.parametrize(
    ("encoding", "mark"),
    [
        ("utf-8", False),
        ("utf-8", True),
        ("utf-16-le", True),
        ("utf-16-be", True),
        ("utf-16-le", False),
        ("utf-16-be", False),
        ("cp1252", False),
    ],
)
def test_encodings_of_spreadsheet_programs_are_recognised(
    encoding: str, mark: bool, line_end: str, file: Path
) -> None:
    text = TEXT.replace("\n", line_end)
    found = read(file, ("\ufeff" * mark + text).encode(encoding))
    assert products(found) == [(1, "Stühle “groß”", ("http://a.example/ü.jpg",))]
    assert found.columns[0] == "S. No."
    assert found.dialect.encoding == Encoding(encoding, mark)


@pytest.mark.parametrize(
    ("data", "line", "reason"),
    [
        (TEXT.encode() * 300 + b"2,\xff,http://a.example/\n", 601, "a character is not UTF-8"),
        (b"\xef\xbb\xbf" + b"a,b\n\r\n\nc,\xe4\n", 4, "a character is not UTF-8"),
        (TEXT.encode("cp1252") + b"2,\x81,http://a.example/\n", 3, "a character is not Windows-1252"),
        (b"\xff\xfe" + TEXT.encode("utf-16-le") + b"\0\xd8\n", 3, "a character is not UTF-16"),
    ],
    ids=["UTF-8", "marked UTF-8", "Windows-1252", "UTF-16"],
)
def test_a_character_that_cannot_be_decoded_is_reported_with_its_line(
    data: bytes, line: int, reason: str, file: Path
) -> None:
    assert faults(file, data) == (CsvError(line, None, reason),)


@pytest.mark.parametrize("blank_lines", [0, 1, 3])
@pytest.mark.parametrize("sep", ["", "sep=,\n"])
def test_lines_of_faults_are_those_of_the_file(blank_lines: int, sep: str, file: Path) -> None:
    text = (
        sep
        + "\n" * blank_lines
        + 'S. No.,Product Name,Input Image Urls\n1,"two\nlines",http://a.example/\n\n'
    )
    row = text.count("\n") + 1
    [fault] = faults(file, text + "x,Chair,http://a.example/\n")
    assert (fault.line, fault.column) == (row, "S. No.")
    [fault] = faults(file, text + '2,Chair,http://a.example/\n3,"Chair" x,http://a.example/\n')
    assert (fault.line, fault.reason[:7]) == (row + 1, "not CSV")
    [fault] = faults(file, text + '2,"Chair,http://a.example/\n\n\n')
    assert (fault.line, fault.reason[:7]) == (row, "not CSV")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_a_first_line_may_name_the_delimiter(delimiter: str, file: Path) -> None:
    text = TEXT.replace(",", delimiter)
    found = read(file, f"sep={delimiter}\r\n{text}")
    assert found.dialect == Dialect(delimiter, Encoding(), names_delimiter=True)
    assert products(found)[0][1] == "Stühle “groß”"


def test_the_delimiter_is_counted_outside_quotes(file: Path) -> None:
    found = read(file, '"Id, old, new, other";Name;Image\n"a,b";Chair;http://a.example/\n')
    assert found.dialect.delimiter == ";"
    assert found.columns == ("Id, old, new, other", "Name", "Image")


def test_surplus_empty_cells_do_not_matter_and_others_are_a_fault(file: Path) -> None:
    found = read(file, "No,Name,Image,,\n1,Chair,http://a.example/,,,,,\n2,Table,http://a.example/, ,\n")
    assert [row.cells[:3] for row in found.rows] == [
        ("1", "Chair", "http://a.example/"),
        ("2", "Table", "http://a.example/"),
    ]
    [fault] = faults(file, "No,Name,Image\n1,Chair,http://a.example/,,x,\n")
    assert fault.reason.startswith("the row has 5 cells, the header has 3")


def test_urls_may_be_joined_by_bars(file: Path) -> None:
    found = read(
        file, "No,Name,Image\n1,Chair,http://a.example/1|https://b.example/x|y | http://c.example/\n"
    )
    assert found.rows[0].urls == ("http://a.example/1", "https://b.example/x|y", "http://c.example/")


def test_numbered_image_columns_are_one_list(file: Path) -> None:
    found = read(file, "Name,Image 1,Image 2,Image 3\nChair,http://a.example/1,,http://a.example/3\n")
    assert products(found) == [(1, "Chair", ("http://a.example/1", "http://a.example/3"))]


SHOPIFY = """\
Handle,Title,Body (HTML),Vendor,Option1 Name,Option1 Value,Variant SKU,Image Src,Image Position,\
Image Alt Text,SEO Title,Variant Image,Status
oak-chair,Oak chair,"<p>A chair,
of oak</p>",Ada,Colour,Red,C-1,https://cdn.example/c1.jpg?v=1,1,Front,,https://cdn.example/red.jpg,active
oak-chair,,,,,Blue,C-2,https://cdn.example/c2.jpg?v=1,2,,,https://cdn.example/c2.jpg?v=1,
oak-chair,,,,,Green,C-3,,,,,,
table,,,Ada,,,T-1,https://cdn.example/t.jpg,1,,,,active
"""


def test_an_export_of_shopify_is_read_as_it_comes(file: Path) -> None:
    assert products(read(file, SHOPIFY)) == [
        (1, "Oak chair", ("https://cdn.example/c1.jpg?v=1", "https://cdn.example/red.jpg")),
        (2, "Oak chair", ("https://cdn.example/c2.jpg?v=1",)),
        (3, "Oak chair", ()),  # a variant without an image of its own
        (4, "table", ("https://cdn.example/t.jpg",)),  # an empty name is the handle
    ]


def test_the_newer_columns_of_shopify_are_known(file: Path) -> None:
    text = (
        "Title,URL handle,Description,Product image URL,Image position,Variant image URL\n"
        "Chair,chair,,https://cdn.example/1.jpg,1,https://cdn.example/2.jpg\n"
    )
    assert products(read(file, text)) == [
        (1, "Chair", ("https://cdn.example/1.jpg", "https://cdn.example/2.jpg"))
    ]


WOOCOMMERCE = """\
ID,Type,SKU,"GTIN, UPC, EAN, or ISBN",Name,Published,Categories,Tags,Images,Parent,"External URL"
44,variable,W-1,,Shirt,1,Clothing,,"https://shop.example/a.jpg, https://shop.example/b.jpg",,
45,variation,W-2,,"Shirt - Red",1,,,https://shop.example/red.jpg,id:44,
46,variation,W-3,,"Shirt - Blue",1,,,,id:44,
"""


def test_an_export_of_woocommerce_is_read_and_rows_without_image_skipped_on_request(file: Path) -> None:
    [fault] = faults(file, WOOCOMMERCE)
    assert fault == CsvError(4, "Images", "there is no URL")
    assert products(read(file, WOOCOMMERCE, OnMissingImage.SKIP)) == [
        (44, "Shirt", ("https://shop.example/a.jpg", "https://shop.example/b.jpg")),
        (45, "Shirt - Red", ("https://shop.example/red.jpg",)),
        (46, "Shirt - Blue", ()),
    ]


def test_an_empty_name_is_a_fault_where_rows_have_serial_numbers_or_nothing_is_above(file: Path) -> None:
    [fault] = faults(file, "No,Name,Image\n1,Chair,http://a.example/\n2,,http://a.example/\n")
    assert (fault.line, fault.reason) == (3, "the name is empty")
    [fault] = faults(file, "Name,Image\n,http://a.example/\n")
    assert (fault.line, fault.reason) == (2, "the name is empty")
    assert [
        row.product_name for row in read(file, "Name,Image\nA,http://a.example/\n,http://b.example/\n").rows
    ] == [
        "A",
        "A",
    ]


def test_a_file_without_any_image_is_refused(file: Path) -> None:
    file.write_text("No,Name,Image\n1,Chair,\n")
    with pytest.raises(BadCsv) as raised:
        read_csv(file, LIMITS, GUARD, OnMissingImage.SKIP)
    assert [fault.reason for fault in raised.value.faults] == [
        "there are no rows with an image below the header"
    ]


def test_skipped_rows_are_stored_with_their_neighbours_and_files_of_earlier_versions_are_read(
    file: Path,
) -> None:
    rows = ["1,a,", "2,b,http://b.example/", "3,c,", "4,d,", "5,e,http://e.example/", "6,f,"]
    sheet = read(file, "No,Name,Image\n" + "\n".join(rows), OnMissingImage.SKIP)
    kept = [decode_row(encode_row(row)) for row in stored_rows(sheet) if row is not None]
    assert [cells[0] for row in kept for cells in (*row.before, row.cells, *row.after)] == list("123456")
    assert decode_head(encode_head(sheet)).columns == ("No", "Name", "Image")
    assert decode_row('["1","a"]').cells == ("1", "a")
    assert decode_head('["No","Name"]').dialect == Dialect()

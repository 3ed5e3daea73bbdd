"""`output.csv` is written as the input was."""

import csv
import io

import pytest

from tests.batches.csv_files import accepted, done, send
from tests.support.client import Client
from tests.support.photo_server import PhotoServer, picture
from tests.support.shared_sites import ON_ONE_SITE
from tests.support.site_contents import refused

pytestmark = ON_ONE_SITE


@pytest.mark.parametrize(
    ("encoding", "first", "charset", "delimiter"),
    [
        ("utf-8-sig", "", "utf-8", ";"),
        ("utf-16", "", "utf-16", "\t"),
        ("cp1252", "sep=;\r\n", "windows-1252", ";"),
        ("utf-8", "", "utf-8", ","),
    ],
)
async def test_the_output_has_delimiter_encoding_and_byte_order_mark_of_the_input(
    encoding: str, first: str, charset: str, delimiter: str, shared_client: Client, photo_server: PhotoServer
) -> None:
    url = photo_server.serve("/dialect.jpg", picture("red"))
    rows = [["No", "Name", "Image"], ["1", "Stühle; groß", ""], ["2", "Äpfel", url], ["3", "Öl", ""]]
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(rows)
    data = (first + text.getvalue()).encode(encoding)
    refused(await send(shared_client, data), 422, "csv_invalid")
    batch = await accepted(shared_client, data, on_missing_image="skip")
    ended = await done(shared_client, batch["id"])
    assert (ended["total"], ended["completed"]) == (1, 1)
    answer = await shared_client.get(f"/api/batches/{batch['id']}/output.csv")
    assert answer.headers["Content-Type"] == f"text/csv; charset={charset}"
    assert answer.body[:2] == data[:2]
    written = answer.body.decode(encoding)
    assert written.startswith(first)
    found = list(csv.reader(io.StringIO(written[len(first) :], newline=""), delimiter=delimiter))
    assert [row[:3] for row in found] == rows
    assert found[0][3:] == ["Output Image Urls", "Errors"]
    assert [bool(row[3]) for row in found[1:]] == [False, True, False]


async def test_on_missing_image_has_two_values(shared_client: Client) -> None:
    answer = await send(shared_client, b"No,Name,Image\n1,a,\n", on_missing_image="ignore")
    assert answer.status == 400

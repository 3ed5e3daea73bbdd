"""What a client reads of a batch: its items, its progress, its archive; and only its owner does."""

import csv
import io
import re
import zipfile
from typing import Any

from tests.batches.csv_files import (
    HEADER,
    accepted,
    detail,
    done,
    events_of,
    products,
    served,
    sheet,
)
from tests.support.client import Client
from tests.support.photo_server import PhotoServer, picture
from tests.support.shared_sites import signed_in
from tests.support.site_contents import assert_untrusted, refused


async def test_items_are_paged_and_filtered(photo_server: PhotoServer, client: Client) -> None:
    urls = served(photo_server, 20, prefix="paged")
    batch = await accepted(client, products([[url] for url in urls]))
    await done(client, batch["id"])
    found: list[str] = []
    address: str | None = f"/api/batches/{batch['id']}?limit=8"
    while address is not None:
        answer = await client.get(address)
        assert answer.headers["X-Total-Count"] == "20"
        found += [item["input_url"] for item in answer.json["items"]]
        match = re.match(r'<(.+)>; rel="next"', answer.headers.get("Link", ""))
        address = match.group(1) if match else None
    assert found == urls
    failed = await detail(client, batch["id"], "status=failed")
    assert [item["serial_number"] for item in failed["items"]] == [8, 18]
    assert {item["error_code"] for item in failed["items"]} == {"url_http_error"}
    assert (await client.get(f"/api/batches/{batch['id']}?status=burnt")).status == 400


async def test_batches_are_listed_newest_first(client: Client) -> None:
    ids = [(await accepted(client, products([["data:,"]])))["id"] for _ in range(3)]
    listed = await client.get("/api/batches?limit=2")
    assert [one["id"] for one in listed.json] == ids[:0:-1]
    assert listed.headers["X-Total-Count"] == "3"
    rest = re.match(r'<(.+)>; rel="next"', listed.headers["Link"])
    assert rest is not None
    assert [one["id"] for one in (await client.get(rest.group(1))).json] == ids[:1]


async def test_the_event_stream_shows_the_progress(photo_server: PhotoServer, client: Client) -> None:
    urls = served(photo_server, 6, prefix="event")
    seen: list[dict[str, Any]] = []
    with photo_server.holding(urls[-1]) as gate:
        batch = await accepted(client, products([[url] for url in urls]))
        async for state in events_of(client, batch["id"]):
            seen.append(state)
            if state["completed"] == 5:
                gate.set()
    counts = [one["completed"] for one in seen]
    assert counts == sorted(counts)
    assert [(one["status"], one["completed"]) for one in seen[-2:]] == [("In Process", 5), ("Completed", 6)]
    assert seen[-2]["eta_s"] is not None
    assert seen[-1]["eta_s"] is None


async def test_a_formula_in_a_cell_is_no_formula_in_the_output(
    photo_server: PhotoServer, client: Client
) -> None:
    url = photo_server.serve("/formula.jpg", picture())
    evil = ["=1+1", "+1+1", "-1+1", "@SUM(A1)", '=HYPERLINK("http://x")', "\t=1+1"]
    rows = [(str(nth), name, url, "=cmd|' /C calc'!A0") for nth, name in enumerate(evil)]
    batch = await accepted(client, sheet(rows, (*HEADER, "=Note")))
    await done(client, batch["id"])
    answer = await client.get(f"/api/batches/{batch['id']}/output.csv")
    cells = [cell for row in csv.reader(io.StringIO(answer.body.decode(), newline="")) for cell in row]
    assert len(cells) == 7 * 6
    assert not [cell for cell in cells if cell.strip()[:1] in ("=", "+", "-", "@")]
    assert "'=1+1" in cells


async def test_an_archive_holds_every_output(photo_server: PhotoServer, client: Client) -> None:
    urls = served(photo_server, 10, prefix="zipped")
    rows = [("5", "Ch/air ../x", ", ".join(urls[:2])), ("2", "椅子", urls[7])]
    rows += [(str(10 + nth), "Rest", url) for nth, url in enumerate(urls[2:7])]
    batch = await accepted(client, sheet(rows))
    ended = await done(client, batch["id"])
    answer = await client.get(f"/api/batches/{batch['id']}/archive.zip")
    assert answer.headers["Content-Type"] == "application/zip"
    assert_untrusted(answer)
    with zipfile.ZipFile(io.BytesIO(answer.body)) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        assert names[:2] == ["5-Ch-air-..-x-1.jpg", "5-Ch-air-..-x-2.jpg"]
        assert len(names) == ended["completed"] == 7
        links = [item["output_url"] for item in ended["items"] if item["output_url"]]
        for name, link in zip(names, links, strict=True):
            assert archive.read(name) == (await client.get(link, token="")).body


async def test_a_batch_is_its_owners_alone(photo_server: PhotoServer, client: Client) -> None:
    batch = await accepted(client, products([["data:,"]]))
    async with signed_in(client.site) as other_client:
        for method, path in (("GET", ""), ("GET", "/output.csv"), ("GET", "/archive.zip"), ("GET", "/events"),
                             ("POST", "/retry"), ("DELETE", "")):  # fmt: skip
            answer = await other_client.call(method, f"/api/batches/{batch['id']}{path}")
            refused(answer, 404, "batch_not_found")
        assert (await other_client.get("/api/batches")).json == []
    assert (await done(client, batch["id"]))["failed"] == 1

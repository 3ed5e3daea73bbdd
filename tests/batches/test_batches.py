"""CSV batches over HTTP, on both kinds of sites."""

import asyncio
import csv
import io
import itertools
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import imagehash
from PIL import Image

from tests.batches.csv_files import (
    HEADER,
    accepted,
    detail,
    done,
    events_of,
    output_rows,
    products,
    send,
    sheet,
)
from tests.support.client import Client
from tests.support.photo_server import PhotoServer, picture
from tests.support.shared_sites import signed_in
from tests.support.site_contents import kept_again, kept_by, nothing_kept, refused
from tests.support.waiting import WAIT_S

COLOURS = ("red", "green", "blue", "orange", "purple", "black", "white", "yellow", "brown", "pink")


def served(photo_server: PhotoServer, count: int, *, prefix: str) -> list[str]:
    """Different pictures; every tenth is missing."""
    found: list[str] = []
    for nth in range(count):
        path = f"/{prefix}/{nth}.jpg"
        if nth % 10 == 7:
            found.append(photo_server.url(f"/status/404/{prefix}/{nth}.jpg"))
        else:
            found.append(photo_server.serve(path, picture(COLOURS[nth % 10], size=(40 + nth // 10, 32))))
    return found


async def test_a_batch_with_broken_urls_ends_with_exact_counts(
    photo_server: PhotoServer, client: Client
) -> None:
    urls = served(photo_server, 300, prefix="many")
    photo_server.most_at_once = 0
    answer = await send(client, products([urls[nth : nth + 2] for nth in range(0, 300, 2)]))
    assert answer.status == 202
    batch = answer.json
    assert (batch["status"], batch["total"], batch["request_id"]) == ("Pending", 300, batch["id"])
    assert answer.headers["Location"] == batch["url"]
    ended = await done(client, batch["id"])
    assert (ended["status"], ended["total"], ended["completed"], ended["failed"]) == (
        "Completed",
        300,
        270,
        30,
    )
    assert ended["errors"] == {"url_http_error": 30}
    sizes = sum(len(photo_server.files[f"/many/{nth}.jpg"]) for nth in range(300) if nth % 10 != 7)
    assert ended["bytes_before"] == sizes
    assert ended["bytes_after"] > 0
    assert photo_server.most_at_once <= 4
    assert {photo_server.request_counts[f"/many/{nth}.jpg"] for nth in range(300) if nth % 10 != 7} == {1}

    rows = await output_rows(client, batch["id"])
    assert [row["S. No."] for row in rows] == [str(nth) for nth in range(1, 151)]
    outputs = [url for row in rows for url in row["Output Image Urls"].split(", ")]
    assert [bool(url) for url in outputs] == [nth % 10 != 7 for nth in range(300)]
    errors = [row["Errors"] for row in rows if row["Errors"]]
    assert errors == ["2: url_http_error: the server responded with status 404"] * 30
    images = await client.get("/api/images?limit=1")
    assert images.headers["X-Total-Count"] == "270"
    jobs = await client.get("/api/jobs?status=completed&kind=ingest&limit=1")
    assert jobs.headers["X-Total-Count"] == "270"


async def test_an_output_is_a_smaller_jpeg_and_its_link_needs_no_token_and_does_not_change(
    photo_server: PhotoServer, client: Client, photos: Path
) -> None:
    url = photo_server.serve("/chelsea.png", (photos / "chelsea.png").read_bytes())
    batch = await accepted(client, products([[url]]))
    ended = await done(client, batch["id"])
    [item] = ended["items"]
    assert (item["input_url"], item["status"], item["position"]) == (url, "completed", 1)
    [row] = await output_rows(client, batch["id"])
    assert row["Output Image Urls"] == item["output_url"]
    assert (await output_rows(client, batch["id"]))[0] == row
    answer = await client.get(item["output_url"], token="")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "image/jpeg")
    with Image.open(io.BytesIO(answer.body)) as output, Image.open(photos / "chelsea.png") as source:
        assert output.size == source.size
        phash = str(imagehash.phash(output))
    image = (await client.get(f"/api/images/{item['output_id']}")).json
    assert (image["source_url"], image["phash"], image["retention"]) == (url, phash, "keep")
    assert (image["expires_at"], image["parent"], image["status"]) == (None, None, "completed")
    assert (ended["bytes_before"], ended["bytes_after"]) == (
        (photos / "chelsea.png").stat().st_size,
        len(answer.body),
    )
    job = (await client.get(f"/api/jobs/{item['job_id']}")).json
    assert (job["kind"], job["priority"], job["attempts"]) == ("ingest", "bulk", 1)


async def test_operations_and_retention_may_be_chosen(photo_server: PhotoServer, client: Client) -> None:
    url = photo_server.serve("/chosen.jpg", picture(size=(80, 60)))
    operations = [{"op": "resize", "width": 20}, {"op": "convert", "format": "webp"}]
    batch = await accepted(
        client, products([[url]]), operations=json.dumps(operations), retention="ephemeral"
    )
    [item] = (await done(client, batch["id"]))["items"]
    image = (await client.get(f"/api/images/{item['output_id']}")).json
    assert (image["format"], image["width"], image["retention"]) == ("webp", 20, "ephemeral")
    assert image["expires_at"] is not None


async def test_a_url_named_twice_is_fetched_once_and_both_rows_get_its_output(
    photo_server: PhotoServer, client: Client
) -> None:
    url = photo_server.serve("/twice.jpg", picture("pink"))
    other = photo_server.serve("/other.jpg", picture("brown"))
    batch = await accepted(client, products([[url, other], [url]]))
    ended = await done(client, batch["id"])
    assert (ended["completed"], ended["total"]) == (3, 3)
    assert photo_server.request_counts["/twice.jpg"] == 1
    first, second = await output_rows(client, batch["id"])
    assert first["Output Image Urls"].split(", ")[0] == second["Output Image Urls"]
    assert ended["bytes_before"] == len(picture("pink")) + len(picture("brown"))


async def test_a_data_url_is_an_image_of_a_batch_too(client: Client) -> None:
    encoded = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
    batch = await accepted(client, products([[encoded], ["data:text/plain,hello"]]))
    ended = await done(client, batch["id"])
    assert [item["status"] for item in ended["items"]] == ["completed", "failed"]
    assert ended["errors"] == {"format_not_accepted": 1} or ended["errors"] == {"url_not_an_image": 1}


async def test_a_batch_of_which_nothing_came_has_failed(photo_server: PhotoServer, client: Client) -> None:
    batch = await accepted(client, products([[photo_server.url("/status/404")]]))
    ended = await done(client, batch["id"])
    assert (ended["status"], ended["completed"], ended["failed"]) == ("Failed", 0, 1)


async def test_a_bad_file_is_refused_whole_with_all_its_faults(
    photo_server: PhotoServer, client: Client
) -> None:
    good = photo_server.serve("/good.jpg", picture())
    rows = [("1", "Chair", good), ("one", "", "nonsense"), ("1", "Table", "http://127.0.0.1/a.jpg")]
    async with nothing_kept(client):
        answer = await send(client, sheet(rows))
        refused(answer, 422, "csv_invalid")
        faults = answer.json["faults"]
    assert [(one["line"], one["column"]) for one in faults] == [
        (3, "S. No."),
        (3, "Product Name"),
        (3, "Input Image Urls"),
        (4, "S. No."),
        (4, "Input Image Urls"),
    ]
    assert all(one.keys() == {"line", "column", "reason"} for one in faults)
    assert (await client.get("/api/batches")).json == []
    assert (await client.get("/api/jobs")).json == []


async def test_a_form_that_is_none_is_refused(client: Client) -> None:
    good = products([["https://example.org/a.jpg"]])
    refused(await client.post("/api/batches", data={"file": io.BytesIO(b"")}), 422, "csv_invalid")
    refused(await client.post("/api/batches", data={"retention": "keep"}), 415, "unsupported_media_type")
    refused(await send(client, good, operations='[{"op": "explode"}]'), 400, "invalid_request")
    refused(await send(client, good, retention="for ever"), 400, "invalid_request")
    refused(await send(client, good, colour="red"), 400, "invalid_request")
    refused(await send(client, good, webhook_url="http://127.0.0.1/hook"), 422, "url_forbidden")
    mark = json.dumps([{"op": "watermark", "part": "logo"}])
    refused(await send(client, good, operations=mark), 422, "asset_missing")
    refused(await send(client, b"x" * 2_000_001), 413, "upload_too_large")
    assert (await client.get("/api/batches")).json == []


async def test_all_batches_of_an_account_share_the_room_of_one(
    photo_server: PhotoServer, client: Client
) -> None:
    """400 rows of 2 URLs may be left to do."""
    photo_server.slow_s = 3.0
    try:
        batch = await accepted(client, products([[photo_server.url(f"/room/{n}")] for n in range(400)]))
        more = products([[photo_server.url(f"/more/{n}")] * 2 for n in range(400)])
        refused(await send(client, more), 429, "too_many_jobs")
        upload = await client.upload(picture(), wait_s=60)
        assert upload.status == 201  # nothing else stands behind a batch
        assert (await client.call("DELETE", f"/api/batches/{batch['id']}")).status == 204
    finally:
        photo_server.slow_s = 0.0
    assert (await send(client, more)).status == 202


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
    with zipfile.ZipFile(io.BytesIO(answer.body)) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        assert names[:2] == ["5-Ch-air-..-x-1.jpg", "5-Ch-air-..-x-2.jpg"]
        assert len(names) == ended["completed"] == 7
        links = [item["output_url"] for item in ended["items"] if item["output_url"]]
        for name, link in zip(names, links, strict=True):
            assert archive.read(name) == (await client.get(link, token="")).body


async def test_what_failed_is_run_again(photo_server: PhotoServer, client: Client) -> None:
    good = photo_server.serve("/retried/good.jpg", picture("red"))
    missing = photo_server.url("/retried/later.jpg")
    never = photo_server.url("/status/404/never")
    batch = await accepted(client, products([[good, missing], [missing, never]]))
    ended = await done(client, batch["id"])
    assert (ended["completed"], ended["failed"]) == (1, 3)
    photo_server.serve("/retried/later.jpg", picture("blue"))
    key = {"Idempotency-Key": "again"}
    again = await client.post(f"/api/batches/{batch['id']}/retry", headers=key)
    assert (again.status, again.json["status"], again.json["failed"]) == (202, "In Process", 0)
    ended = await done(client, batch["id"])
    assert (ended["status"], ended["completed"], ended["failed"]) == ("Completed", 3, 1)
    assert ended["errors"] == {"url_http_error": 1}
    assert photo_server.request_counts["/retried/good.jpg"] == 1
    assert photo_server.request_counts["/retried/later.jpg"] == 2
    repeated = await client.post(f"/api/batches/{batch['id']}/retry", headers=key)
    assert (repeated.json["id"], repeated.headers["Idempotency-Replayed"]) == (batch["id"], "true")
    assert (await detail(client, batch["id"]))["finished_at"] == ended["finished_at"]


async def test_a_hosts_retry_after_is_respected(photo_server: PhotoServer, client: Client) -> None:
    urls = [photo_server.serve(f"/patience/{nth}.jpg", picture(COLOURS[nth])) for nth in range(10)]
    photo_server.retry_after = "3"
    photo_server.busy["/patience/0.jpg"] = 4  # more often than a job has attempts
    photo_server.request_times.clear()
    first = await accepted(client, products([urls[:1]]))
    job = await until_deferred(client, first["id"])
    others = await accepted(client, products([[url] for url in urls[1:]]))
    assert (await done(client, others["id"]))["completed"] == 9
    assert (await done(client, first["id"]))["completed"] == 1
    times = [at for path, at in photo_server.request_times if path == "/patience/0.jpg"]
    assert len(times) == 5
    assert all(after - before >= 3 for before, after in itertools.pairwise(times))
    assert min(at for path, at in photo_server.request_times if path != "/patience/0.jpg") - times[0] >= 3
    ended = (await client.get(f"/api/jobs/{job}")).json
    assert (ended["status"], ended["attempts"], ended["error_code"]) == ("completed", 1, None)


async def until_deferred(client: Client, batch_id: str) -> str:
    """Until the batch's only job waits again; its id."""
    job_id = (await detail(client, batch_id))["items"][0]["job_id"]
    async with asyncio.timeout(WAIT_S):
        while True:
            job = (await client.get(f"/api/jobs/{job_id}")).json
            if (job["status"], job["error_code"]) == ("queued", "url_http_error"):
                return job_id
            await asyncio.sleep(0.02)


async def test_a_deleted_batch_leaves_nothing(photo_server: PhotoServer, client: Client) -> None:
    before = await kept_by(client)
    urls = served(photo_server, 20, prefix="deleted")
    batch = await accepted(client, products([[url] for url in urls]))
    ended = await done(client, batch["id"])
    link = ended["items"][0]["output_url"]
    assert (await client.call("DELETE", f"/api/batches/{batch['id']}")).status == 204
    assert (await client.get(link, token="")).status == 404
    for path in ("", "/output.csv", "/archive.zip", "/events"):
        refused(await client.get(f"/api/batches/{batch['id']}{path}"), 404, "batch_not_found")
    refused(await client.post(f"/api/batches/{batch['id']}/retry"), 404, "batch_not_found")
    await kept_again(client, before)


async def test_what_has_not_started_is_not_fetched_once_the_batch_is_deleted(
    photo_server: PhotoServer, client: Client
) -> None:
    before = await kept_by(client)
    urls = [photo_server.serve(f"/stopped/{nth}.jpg", picture()) for nth in range(60)]
    with photo_server.holding(*urls):
        batch = await accepted(client, products([[url] for url in urls]))
        async with asyncio.timeout(WAIT_S):
            while asked_below(photo_server, "/stopped/") < 4:
                await asyncio.sleep(0.02)
        assert (await client.call("DELETE", f"/api/batches/{batch['id']}")).status == 204
    await kept_again(client, before)
    assert asked_below(photo_server, "/stopped/") == 4
    assert (await client.get("/api/jobs")).json == []


def asked_below(photo_server: PhotoServer, folder: str) -> int:
    return sum(count for path, count in photo_server.request_counts.items() if path.startswith(folder))


async def test_a_cancelled_job_counts_as_failed(photo_server: PhotoServer, client: Client) -> None:
    urls = [photo_server.serve(f"/cancelled/{nth}.jpg", picture()) for nth in range(10)]
    with photo_server.holding(*urls):
        batch = await accepted(client, products([[url] for url in urls]))
        job_id = (await detail(client, batch["id"]))["items"][-1]["job_id"]
        assert (await client.call("DELETE", f"/api/jobs/{job_id}")).json["status"] == "cancelled"
    ended = await done(client, batch["id"])
    assert (ended["completed"], ended["failed"], ended["errors"]) == (9, 1, {"job_cancelled": 1})
    again = await client.post(f"/api/batches/{batch['id']}/retry")
    assert again.status == 202
    ended = await done(client, batch["id"])
    assert (ended["completed"], ended["failed"]) == (10, 0)


async def test_a_repeated_request_makes_one_batch(client: Client) -> None:
    file, key = products([["data:,"]]), {"Idempotency-Key": "one"}
    first = await send(client, file, headers=key)
    again = await send(client, file, headers=key)
    assert (again.status, again.json["id"]) == (202, first.json["id"])
    assert len((await client.get("/api/batches")).json) == 1
    refused(await send(client, products([["data:,x"]]), headers=key), 422, "idempotency_key_reused")


async def test_a_batch_is_its_owners_alone(photo_server: PhotoServer, client: Client) -> None:
    batch = await accepted(client, products([["data:,"]]))
    async with signed_in(client.site) as other_client:
        for method, path in (("GET", ""), ("GET", "/output.csv"), ("GET", "/archive.zip"), ("GET", "/events"),
                             ("POST", "/retry"), ("DELETE", "")):  # fmt: skip
            answer = await other_client.call(method, f"/api/batches/{batch['id']}{path}")
            refused(answer, 404, "batch_not_found")
        assert (await other_client.get("/api/batches")).json == []
    assert (await done(client, batch["id"]))["failed"] == 1

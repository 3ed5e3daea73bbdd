"""CSV batches over HTTP, on both kinds of sites."""

import io
import json
from pathlib import Path

import imagehash
from PIL import Image

from tests.batches.csv_files import (
    accepted,
    done,
    output_rows,
    products,
    send,
    served,
    sheet,
)
from tests.support.client import Client
from tests.support.photo_server import PhotoServer, picture
from tests.support.site_contents import nothing_kept, refused


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


async def test_a_repeated_request_makes_one_batch(client: Client) -> None:
    file, key = products([["data:,"]]), {"Idempotency-Key": "one"}
    first = await send(client, file, headers=key)
    again = await send(client, file, headers=key)
    assert (again.status, again.json["id"]) == (202, first.json["id"])
    assert len((await client.get("/api/batches")).json) == 1
    refused(await send(client, products([["data:,x"]]), headers=key), 422, "idempotency_key_reused")

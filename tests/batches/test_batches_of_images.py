"""Batches of stored images, on both kinds of sites."""

import io
import zipfile
from base64 import b64encode
from typing import Any
from uuid import uuid4

from PIL import Image

from libs.contracts.enums import JobStatus
from libs.storage import leases
from libs.storage.database.engine import Engine
from libs.storage.database.tables import Batch
from libs.storage.job_failure import Failure
from tests.batches.csv_files import done, output_rows
from tests.storage.rows import a_job, an_image, an_owner, claimed, job_row
from tests.support.client import Answer, Client
from tests.support.pictures import encoded
from tests.support.site_contents import refused
from tests.support.webhook_receiver import Receiver

SIZES = [(60, 40), (70, 50), (20, 20), (80, 60)]  # the third is too small for CROP
CROP = {"op": "crop", "x": 10, "y": 10, "width": 30, "height": 30}


async def uploaded(client: Client) -> list[dict[str, Any]]:
    pictures = [encoded(Image.new("RGB", size, "teal"), "PNG") for size in SIZES]
    answers = [await client.upload(data, filename=f"tile-{nth}.png") for nth, data in enumerate(pictures, 1)]
    return [answer.json for answer in answers]


async def send(client: Client, ids: list[str], *, key: str = "", **fields: Any) -> Answer:
    headers = {"Idempotency-Key": key} if key else {}
    body = {"ids": ids, "operations": [CROP], **fields}
    return await client.post("/api/batches/transform", json=body, headers=headers)


async def test_stored_images_are_transformed_as_one_batch_whose_failures_run_again(
    client: Client, receiver: Receiver
) -> None:
    sources, path = await uploaded(client), f"/{uuid4()}"
    ids = [source["id"] for source in sources]
    fields = {"name": "spring", "webhook_url": receiver.url(path)}
    answer = await send(client, [*ids, ids[0]], key=str(uuid4()), **fields)
    assert answer.status == 202, answer
    batch = answer.json
    assert (batch["filename"], batch["total"], batch["retention"]) == ("spring", 4, "keep")
    assert answer.headers["Location"] == batch["url"]

    ended = await done(client, batch["id"])
    assert (ended["status"], ended["completed"], ended["failed"]) == ("Completed", 3, 1)
    assert ended["errors"] == {"crop_outside": 1}
    assert [item["status"] for item in ended["items"]] == ["completed", "completed", "failed", "completed"]
    assert [item["input_url"] for item in ended["items"]] == [source["url"] for source in sources]
    results = [(await client.get(f"/api/images/{item['output_id']}")).json for item in ended["items"][:2]]
    assert [(one["parent"], one["width"], one["expires_at"]) for one in results] == [
        (image_id, 30, None) for image_id in ids[:2]
    ]
    done_sources = [source for source in sources if source["id"] != ids[2]]
    assert ended["bytes_before"] == sum(source["size_bytes"] for source in done_sources)
    event = (await receiver.received(path, 1))[0]
    assert b"batch.completed" in event.body

    rows = await output_rows(client, batch["id"])
    assert [(row["Serial Number"], row["Product Name"]) for row in rows] == [
        (str(nth), f"tile-{nth}") for nth in range(1, 5)
    ]
    assert [bool(row["Output Image Urls"]) for row in rows] == [True, True, False, True]
    archive = await client.get(f"/api/batches/{batch['id']}/archive.zip")
    with zipfile.ZipFile(io.BytesIO(archive.body)) as files:
        assert files.namelist() == ["1-tile-1-1.png", "2-tile-2-1.png", "4-tile-4-1.png"]

    large = encoded(Image.new("RGB", (90, 90), "teal"), "PNG")
    data = f"data:image/png;base64,{b64encode(large).decode()}"
    replaced = await client.call("PUT", f"/api/images/{ids[2]}", json={"image_url": data})
    assert replaced.status == 200, replaced
    await client.post(f"/api/batches/{batch['id']}/retry")
    again = await done(client, batch["id"])
    assert (again["status"], again["completed"], again["failed"]) == ("Completed", 4, 0)


async def test_a_repeated_request_finds_its_batch(client: Client) -> None:
    ids, key = [source["id"] for source in await uploaded(client)], str(uuid4())
    first, second = await send(client, ids, key=key), await send(client, ids, key=key)
    assert first.json["id"] == second.json["id"]
    assert second.headers["Idempotency-Replayed"] == "true"
    assert (await client.get("/api/batches")).headers["X-Total-Count"] == "1"


async def test_images_of_nobody_and_of_others_are_refused_or_skipped(
    client: Client, other_client: Client
) -> None:
    own, others = (await uploaded(client))[0]["id"], (await uploaded(other_client))[0]["id"]
    refused(await send(client, [own, others]), 404, "image_not_found")
    refused(await send(client, [others], on_missing_image="skip"), 404, "image_not_found")
    refused(await send(client, []), 400, "invalid_request")
    assert (await client.get("/api/batches")).json == []
    batch = (await send(client, [str(uuid4()), own, others], on_missing_image="skip")).json
    assert batch["total"] == 1
    assert [item["input_url"][-36:] for item in (await done(client, batch["id"]))["items"]] == [own]


async def test_an_attempt_that_is_repeated_waits_for_no_host(database: Engine) -> None:
    owner = await an_owner()
    batch = Batch(owner=owner.id, filename="images", total=1)
    await batch.save()
    job = await a_job(owner, await an_image(owner), batch=batch.id)
    await leases.retry_later(await claimed(job.id, worker="a"), Failure("a", "b"), after_s=0)
    row = await job_row(job.id)
    assert (row.status, row.held) == (JobStatus.QUEUED, False)

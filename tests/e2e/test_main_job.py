"""The main job from end to end, embedded and with the three apps on real services."""

from io import BytesIO
from pathlib import Path

from PIL import Image

from tests.support.client import Client

OPERATIONS = [{"op": "resize", "width": 200}, {"op": "grayscale"}, {"op": "convert", "format": "webp"}]


async def test_a_photo_with_operations_becomes_a_result_that_downloads(client: Client, photo: Path) -> None:
    accepted = await client.upload(photo, OPERATIONS)
    assert accepted.status == 202
    assert accepted.json["status"] == "pending"
    assert accepted.headers["Location"] == f"{client.site.url}/api/jobs/{accepted.json['job_id']}"

    job = await client.job_done(accepted.json["job_id"])
    assert job["status"] == "completed"
    assert (await client.get(accepted.headers["Location"])).json == job

    download = await client.get(accepted.json["download_url"])
    assert download.status == 200
    assert download.headers["Content-Type"] == "image/webp"
    with Image.open(BytesIO(download.body)) as image:
        assert (image.format, image.size) == ("WEBP", (200, 133))

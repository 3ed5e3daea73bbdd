"""Every image that is kept gets its perceptual hash, however it came to be kept."""

from io import BytesIO
from pathlib import Path

import imagehash
from PIL import Image

from tests.support.client import Client

GRAY = [{"op": "grayscale"}]


async def hash_of_file(client: Client, image_id: str) -> str:
    file = await client.get(f"/api/images/{image_id}/download?version=original")
    with Image.open(BytesIO(file.body)) as image:
        return str(imagehash.phash(image))


async def test_a_kept_upload_with_operations_is_hashed_like_its_result(client: Client, photo: Path) -> None:
    made = (await client.upload(photo, GRAY, retention="keep", wait_s=60)).json
    for image_id in (made["id"], made["result"]["id"]):
        assert await client.until_hashed(image_id) == await hash_of_file(client, image_id)
    image = (await client.get(f"/api/images/{made['id']}")).json
    assert (image["status"], image["job_id"]) == ("completed", made["job_id"])  # not that of the hash
    alike = await client.get(f"/api/images/{made['id']}/similar?max_distance=64")
    assert [one["id"] for one in alike.json] == [made["result"]["id"]]


async def test_an_image_that_is_kept_later_is_hashed_then(client: Client, photo: Path) -> None:
    made = (await client.upload(photo, GRAY, wait_s=60)).json
    for image_id in (made["id"], made["result"]["id"]):
        assert (await client.get(f"/api/images/{image_id}")).json["phash"] is None
        changed = await client.call("PATCH", f"/api/images/{image_id}", json={"retention": "keep"})
        assert changed.status == 200
        assert await client.until_hashed(image_id) == await hash_of_file(client, image_id)

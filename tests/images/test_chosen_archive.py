"""An archive of chosen images."""

import zipfile
from io import BytesIO
from pathlib import Path
from uuid import uuid4

from tests.support.client import Answer, Client
from tests.support.shared_sites import ON_ONE_SITE
from tests.support.site_contents import assert_untrusted

GRAY = [{"op": "grayscale"}, {"op": "convert", "format": "png"}]


async def archive(client: Client, *ids: str, **fields: str) -> Answer:
    return await client.post("/api/images/archive", json={"ids": ids, **fields})


def contents(answer: Answer) -> dict[str, bytes]:
    assert answer.status == 200, answer
    with zipfile.ZipFile(BytesIO(answer.body)) as file:
        assert file.testzip() is None
        return {name: file.read(name) for name in file.namelist()}


async def test_an_archive_has_the_newest_result_of_each_image_under_names_that_differ(
    client: Client, photo: Path
) -> None:
    kept = [(await client.upload(photo, filename=name)).json for name in ("a.jpg", "A.jpg", "a.jpg")]
    changed = (await client.upload(photo, GRAY, filename="changed.jpg", wait_s=60)).json
    ids = [*(image["id"] for image in kept), changed["id"], kept[0]["id"]]
    answer = await archive(client, *ids)
    assert answer.headers["Content-Type"] == "application/zip"
    assert_untrusted(answer)
    found = contents(answer)
    assert list(found) == ["a.jpg", "A (2).jpg", "a (3).jpg", "changed.png"]
    result = (await client.get(f"/api/images/{changed['id']}")).json
    assert result["first_downloaded_at"] is None
    downloaded = (await client.get(f"/api/images/{changed['id']}/download")).body
    assert found["changed.png"] == downloaded != photo.read_bytes()
    originals = contents(await archive(client, *ids, version="original"))
    assert set(originals.values()) == {photo.read_bytes()}


@ON_ONE_SITE
async def test_an_archive_with_an_image_that_is_not_there_or_not_ones_own_is_refused(
    client: Client, other_client: Client, photo: Path
) -> None:
    own, other = (await client.upload(photo)).json["id"], (await other_client.upload(photo)).json["id"]
    for missing in (str(uuid4()), other):
        refused = await archive(client, own, missing)
        assert (refused.status, refused.code, missing in refused.json["detail"]) == (
            404,
            "image_not_found",
            True,
        )
    for wrong in ([], [own] * 1001, ["a"]):
        assert (await archive(client, *wrong)).status == 400
    crop = {"operations": [{"op": "crop", "width": 9000, "height": 9000}]}
    job = (await client.post(f"/api/images/{own}/transform", json=crop)).json
    assert (await client.job_done(job["id"]))["status"] == "failed"
    assert (await archive(client, own)).code == "image_failed"

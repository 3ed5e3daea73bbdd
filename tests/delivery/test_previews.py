"""Previews: the result without a job, and drafts of it."""

from io import BytesIO
from pathlib import Path
from time import perf_counter
from typing import Any

from PIL import Image

from libs.imaging.draft import DRAFT_SIDE
from tests.support.client import Answer, Client
from tests.support.shared_sites import ON_ONE_SITE
from tests.support.site_contents import assert_untrusted, jobs_of

SEPIA = [{"op": "sepia"}, {"op": "convert", "format": "webp", "quality": 60}]


async def preview(client: Client, image_id: str, **body: object) -> Answer:
    return await client.post(f"/api/images/{image_id}/preview", json=body)


async def test_a_preview_is_the_very_result_and_leaves_nothing_behind(client: Client, photo: Path) -> None:
    image = (await client.upload(photo, retention="ephemeral")).json
    before = (await client.get("/accounts/me/usage")).json["stored_bytes"]
    shown = await preview(client, image["id"], operations=SEPIA)
    assert (shown.status, shown.headers["Content-Type"]) == (200, "image/webp")
    assert shown.headers["Cache-Control"] == "no-store"
    assert_untrusted(shown)
    assert (await client.get("/accounts/me/usage")).json["stored_bytes"] == before
    assert await jobs_of(client) == "0"
    assert (await client.get(f"/api/images/{image['id']}")).json["first_downloaded_at"] is None
    job = await client.post(
        f"/api/images/{image['id']}/transform", json={"operations": SEPIA}, headers={"Prefer": "wait=60"}
    )
    assert shown.body == (await client.get(f"/api/images/{job.json['result_id']}/download")).body


@ON_ONE_SITE
async def test_a_draft_of_a_large_photograph_is_small_and_quick(client: Client, large_photo: Path) -> None:
    image = (await client.upload(large_photo)).json
    steps: list[dict[str, Any]] = [{"op": "blur", "sigma": 30}, {"op": "vignette"}]
    await preview(client, image["id"], operations=steps, draft=True)  # starts the processes
    taken: list[float] = []
    for strength in (0.1, 0.2, 0.3, 0.4, 0.5):
        began = perf_counter()
        steps[1] = {"op": "vignette", "strength": strength}
        shown = await preview(client, image["id"], operations=steps, draft=True)
        taken.append((perf_counter() - began) * 1000)
        with Image.open(BytesIO(shown.body)) as draft:
            assert max(draft.size) == DRAFT_SIDE
    text = ", ".join(f"{ms:.0f}" for ms in taken)
    print(f"drafts of {image['width']} x {image['height']} take {text} ms")  # noqa: T201 - for who looks


@ON_ONE_SITE
async def test_a_preview_names_its_faults_and_shows_only_ones_own_images(
    client: Client, other_client: Client, photo: Path
) -> None:
    image = (await client.upload(photo)).json["id"]
    crop = [{"op": "crop", "width": 5000, "height": 10}]
    for draft in (True, False):
        assert (await preview(client, image, operations=crop, draft=draft)).code == "crop_outside"
        assert (await preview(other_client, image, operations=SEPIA, draft=draft)).code == "image_not_found"
    assert (await preview(client, image)).code == "invalid_request"
    assert (await preview(client, image, operations=[{"op": "blur", "sigma": 999}])).status == 400
    assert (await preview(client, image, preset="none")).code == "preset_not_found"

"""Edits as an older service documents them, sent by curl."""

from pathlib import Path

import pytest

from tests.edits.conftest import EditSite
from tests.edits.edit_requests import PROMPT
from tests.edits.openai_server import SIZE
from tests.support.curl import Curl
from tests.support.site_contents import object_keys, refused


@pytest.fixture
def curl(new_edit_client: EditSite) -> Curl:
    return Curl(new_edit_client.site, new_edit_client.client.token)


def form(image: Path, prompt: str = PROMPT) -> tuple[str, ...]:
    return ("-F", f"image=@{image}", "-F", f"prompt={prompt}")


@pytest.mark.parametrize("path", ["/api/images/images/", "/images/", "/api/images/images", "/images"])
async def test_an_image_with_a_prompt_is_answered_with_its_edit_job(
    new_edit_client: EditSite, curl: Curl, photo: Path, path: str
) -> None:
    made = await curl(path, "-X", "POST", *form(photo))
    assert made.status in (201, 202), made
    job = await new_edit_client.client.job_done(made.json["job_id"])
    assert (job["kind"], job["status"], job["image_id"]) == ("edit", "completed", made.json["id"])
    [call] = new_edit_client.openai.calls
    assert call.fields["prompt"] == PROMPT
    result = (await curl(f"/api/images/{made.json['id']}/")).json["result"]
    assert (result["width"], result["height"]) == SIZE


@pytest.mark.parametrize("path", ["/api/images/images/{}/", "/api/images/images/", "/images/", "/images"])
async def test_another_image_takes_the_place_of_the_named_or_the_newest_and_is_edited_again(
    new_edit_client: EditSite, curl: Curl, photo: Path, photos: Path, path: str
) -> None:
    older = (await curl("/images/", "-F", f"image=@{photos / 'coffee.png'}")).json
    newest = (await curl("/images/", *form(photos / "chelsea.png"))).json
    await new_edit_client.client.job_done(newest["job_id"])
    target = older if "{}" in path else newest
    changed = await curl(path.format(target["id"]), "-X", "PATCH", *form(photo, "make it night"))
    assert changed.status == 202, changed
    assert (changed.json["id"], changed.json["file_type"]) == (target["id"], "jpeg")
    assert changed.json["md5"] != target["md5"]
    job = await new_edit_client.client.job_done(changed.json["job_id"])
    assert (job["kind"], job["status"]) == ("edit", "completed")
    assert new_edit_client.openai.calls[-1].fields["prompt"] == "make it night"
    stored = await curl(f"/api/images/{target['id']}/download/?version=original")
    assert stored.body == photo.read_bytes()


async def test_without_any_image_there_is_nothing_to_edit_again(curl: Curl, photo: Path) -> None:
    refused(await curl("/api/images/images/", "-X", "PATCH", *form(photo)), 404, "image_not_found")


@pytest.mark.parametrize("path", ["/api/images/images/{}/", "/images/{}/"])
async def test_an_edited_image_that_is_deleted_is_gone_from_store_and_database(
    new_edit_client: EditSite, curl: Curl, photo: Path, path: str
) -> None:
    made = (await curl("/api/images/images/", *form(photo))).json
    await new_edit_client.client.job_done(made["job_id"])
    assert (await curl(path.format(made["id"]), "-X", "DELETE")).status == 200
    refused(await curl(f"/api/images/{made['id']}/"), 404, "image_not_found")
    assert not [
        key
        for key in await object_keys(new_edit_client.site, new_edit_client.client.username)
        if made["id"] in key
    ]

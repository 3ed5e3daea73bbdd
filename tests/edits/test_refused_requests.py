"""Requests for edits that are refused at once: nothing is queued, nothing is paid for."""

from typing import Any

import pytest

from tests.edits.conftest import ON_ONE_EDIT_SITE, EditSite, NewEditSite
from tests.edits.edit_requests import PROMPT, edit, edited, file, form, mask, pixels, stored, used
from tests.support.site_jobs import objects_url, stored_keys


@pytest.mark.parametrize(
    "fields",
    [
        {"prompt": ""},
        {"prompt": "  \n"},
        {"prompt": "x" * 32_001},
        {"prompt": None},
        {"n": 0},
        {"n": 11},
        {"size": "large"},
        {"quality": "best"},
        {"background": "transparent", "output_format": "jpeg"},
        {"output_format": "svg"},
        {"mask": "no id"},
        {"colour": "red"},
    ],
)
async def test_an_edit_that_makes_no_sense_is_refused_at_once(
    edit_site: EditSite, fields: dict[str, Any]
) -> None:
    before = await used(edit_site.client)
    answer = await edit(edit_site.client, await stored(edit_site.client), **fields)
    assert (answer.status, answer.code) == (400, "invalid_request"), answer
    assert await used(edit_site.client) == before


async def test_options_of_an_edit_need_a_prompt(new_edit_client: EditSite) -> None:
    for answer in (
        await new_edit_client.client.upload(file(pixels()), n="2"),
        await new_edit_client.client.post("/api/images", data=form(image=file(pixels()), mask=mask())),
        await new_edit_client.client.post(
            "/api/images", json={"image_url": "https://example.org/a.png", "n": 2}
        ),
        await new_edit_client.client.post("/api/images", json={}),
        await new_edit_client.client.post("/api/images", data=form(prompt="a fox", mask=mask())),
    ):
        assert (answer.status, answer.code) == (400, "invalid_request"), answer
    assert (await new_edit_client.client.get("/api/images")).json == []


async def test_others_images_are_no_masks_and_no_sources(
    new_edit_client: EditSite, shared_edit_site: EditSite
) -> None:
    mine, theirs = await stored(new_edit_client.client), await stored(shared_edit_site.client)
    for answer in (
        await edit(new_edit_client.client, mine, mask=theirs),
        await edit(new_edit_client.client, theirs),
    ):
        assert (answer.status, answer.code) == (404, "image_not_found")


@ON_ONE_EDIT_SITE
async def test_a_day_has_so_many_edits_and_no_more(new_edit_site: NewEditSite) -> None:
    edit_site = await new_edit_site(EDITS_PER_DAY="3")
    source = await stored(edit_site.client)
    await edited(edit_site.client, source, n=2)
    for answer in (
        await edit(edit_site.client, source, n=2),
        await edit_site.client.post("/api/images", json={"prompt": "a fox", "n": 4}),
        await edit_site.client.upload(file(pixels()), prompt=PROMPT, n="2"),
    ):
        assert (answer.status, answer.code) == (429, "edit_quota_daily"), answer
        assert 0 < int(answer.headers["Retry-After"]) <= 86_400
    assert len((await edit_site.client.get("/api/jobs", params={"kind": "edit"})).json) == 1
    await edited(edit_site.client, source)
    assert (await used(edit_site.client))["today"]["edits"] == 3
    uploads = [one for one in await stored_keys(objects_url(edit_site.site)) if "/originals/" in one]
    assert len(uploads) == 1


async def test_the_site_says_that_edits_are_on(edit_site: EditSite) -> None:
    assert (await edit_site.client.get("/health/ready")).json["edits"] == "on"

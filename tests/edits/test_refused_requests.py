"""Wishes that are refused at the door: nothing is queued, nothing is paid for."""

from typing import Any

import pytest

from tests.edits.conftest import NewStudio, Studio
from tests.edits.edit_requests import PROMPT, edit, edited, file, form, mask, pixels, stored, used
from tests.support.site_jobs import objects_url, stored_keys


@pytest.mark.parametrize(
    "wish",
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
async def test_a_wish_that_makes_no_sense_is_refused_at_the_door(
    studio: Studio, wish: dict[str, Any]
) -> None:
    before = await used(studio.client)
    answer = await edit(studio.client, await stored(studio.client), **wish)
    assert (answer.status, answer.code) == (400, "invalid_request"), answer
    assert await used(studio.client) == before


async def test_options_of_an_edit_need_a_prompt(newcomer: Studio) -> None:
    for answer in (
        await newcomer.client.upload(file(pixels()), n="2"),
        await newcomer.client.post("/api/images", data=form(image=file(pixels()), mask=mask())),
        await newcomer.client.post("/api/images", json={"image_url": "https://example.org/a.png", "n": 2}),
        await newcomer.client.post("/api/images", json={}),
        await newcomer.client.post("/api/images", data=form(prompt="a fox", mask=mask())),
    ):
        assert (answer.status, answer.code) == (400, "invalid_request"), answer
    assert (await newcomer.client.get("/api/images")).json == []


async def test_others_images_are_no_masks_and_no_sources(newcomer: Studio, shared: Studio) -> None:
    mine, theirs = await stored(newcomer.client), await stored(shared.client)
    for answer in (await edit(newcomer.client, mine, mask=theirs), await edit(newcomer.client, theirs)):
        assert (answer.status, answer.code) == (404, "image_not_found")


async def test_a_day_has_so_many_edits_and_no_more(new_studio: NewStudio) -> None:
    studio = await new_studio(EDITS_PER_DAY="3")
    source = await stored(studio.client)
    await edited(studio.client, source, n=2)
    for answer in (
        await edit(studio.client, source, n=2),
        await studio.client.post("/api/images", json={"prompt": "a fox", "n": 4}),
        await studio.client.upload(file(pixels()), prompt=PROMPT, n="2"),
    ):
        assert (answer.status, answer.code) == (429, "edit_quota_daily"), answer
        assert 0 < int(answer.headers["Retry-After"]) <= 86_400
    assert len((await studio.client.get("/api/jobs", params={"kind": "edit"})).json) == 1
    await edited(studio.client, source)
    assert (await used(studio.client))["today"]["edits"] == 3
    uploads = [one for one in await stored_keys(objects_url(studio.site)) if "/originals/" in one]
    assert len(uploads) == 1


async def test_the_site_says_that_edits_are_on(studio: Studio) -> None:
    assert (await studio.client.get("/health/ready")).json["edits"] == "on"

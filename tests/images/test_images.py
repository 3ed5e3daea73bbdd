"""Lists and changes of images."""

from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.support.client import Client
from tests.support.site_contents import kept_again, kept_by, nothing_kept, refused

GRAY = [{"op": "grayscale"}]


@pytest.fixture
async def five(client: Client, small_picture: bytes) -> list[dict[str, Any]]:
    """Five images, newest first."""
    made = [
        (await client.upload(small_picture, filename=f"{n}.png", retention="ephemeral")).json
        for n in range(5)
    ]
    return made[::-1]


async def test_a_list_is_newest_first(client: Client, five: list[dict[str, Any]]) -> None:
    answer = await client.get("/api/images")
    assert answer.json == five
    assert answer.headers["X-Total-Count"] == "5"
    assert "Link" not in answer.headers


async def test_the_next_links_walk_the_whole_list(client: Client, five: list[dict[str, Any]]) -> None:
    path, walked = "/api/images?limit=2&format=png", []
    while path:
        page = await client.get(path)
        assert (page.status, page.headers["X-Total-Count"]) == (200, "5")
        assert len(page.json) <= 2
        walked += page.json
        path = page.headers["Link"].partition(">")[0].strip("<") if "Link" in page.headers else ""
        assert not path or 'rel="next"' in page.headers["Link"]
    assert walked == five


async def test_a_list_may_have_a_hundred(client: Client, five: list[dict[str, Any]]) -> None:
    assert (await client.get("/api/images?limit=100")).json == five


async def test_filters_choose(client: Client, photo: Path, small_picture: bytes, cut_photo: bytes) -> None:
    first = (await client.upload(small_picture, filename="a.png", retention="ephemeral")).json
    made = (await client.upload(photo, GRAY, retention="keep", wait_s=60)).json
    image, result = made["id"], made["result"]["id"]
    crop = [{"op": "crop", "width": 5000, "height": 1}]
    failed = (await client.upload(photo, crop, retention="keep")).json
    await client.job_done(failed["job_id"])
    for kept in (image, result, failed["id"]):
        await client.until_hashed(kept)  # until a kept image is described, its status may change

    async def found(**filters: str) -> list[str]:
        query = "&".join(f"{name}={quote(value)}" for name, value in filters.items())
        answer = await client.get(f"/api/images?{query}")
        assert answer.headers["X-Total-Count"] == str(len(answer.json)), answer
        return [one["id"] for one in answer.json]

    assert await found(format="png") == [first["id"]]
    assert await found(format="jpeg") == [failed["id"], result, image]
    assert await found(format="gif") == []
    assert await found(md5=first["md5"].upper()) == [first["id"]]
    assert await found(parent=image) == [result]
    assert await found(status="failed") == [failed["id"]]
    assert first["id"] in await found(status="completed")
    assert await found(status="completed", format="jpeg", parent=image) == [result]
    assert await found(created_after=failed["created_at"]) == [failed["id"]]
    assert await found(created_before=made["created_at"]) == [first["id"]]
    assert await found(created_after="2026-01-01T00:00:00", created_before="2026-01-02T00:00:00+02:00") == []
    assert await found(created_after="2020-01-01T00:00:00", format="png") == [first["id"]]
    assert await found(status="failed", format="png") == []


async def test_one_image_is_shown_as_in_the_list_and_with_more_names_behind_a_slash(
    client: Client, five: list[dict[str, Any]]
) -> None:
    at = f"/api/images/{five[0]['id']}"
    assert (await client.get(at)).json == five[0]
    for method in ("GET", "POST"):
        assert (await client.call(method, f"{at}/")).json.items() >= five[0].items()


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ("holiday.png", "holiday.png"),
        ("holiday.jpg", "holiday.png"),
        ("Ferien 漢字", "Ferien 漢字.png"),
        ("../../x\0/y\r\nz.png", "yz.png"),
    ],
)
async def test_a_new_name_is_treated_as_an_uploads(
    client: Client, five: list[dict[str, Any]], given: str, named: str
) -> None:
    answer = await client.call("PATCH", f"/api/images/{five[0]['id']}", json={"filename": given})
    assert (answer.status, answer.json["filename"]) == (200, named)
    assert {**answer.json, "filename": "", "updated_at": ""} == {**five[0], "filename": "", "updated_at": ""}
    download = await client.get(f"/api/images/{five[0]['id']}/download")
    assert quote(named, safe="") in download.headers["Content-Disposition"]


async def test_retention_changes_both_ways(client: Client, five: list[dict[str, Any]]) -> None:
    at = f"/api/images/{five[0]['id']}"
    kept = await client.call("PATCH", at, json={"retention": "keep"})
    assert (kept.json["retention"], kept.json["expires_at"]) == ("keep", None)
    again = await client.call("PATCH", at, json={"retention": "ephemeral"})
    assert again.json["retention"] == "ephemeral"
    assert again.json["expires_at"] > five[0]["expires_at"]


async def test_a_deleted_image_takes_its_object_along(client: Client, photo: Path) -> None:
    before = await kept_by(client)
    image = (await client.upload(photo)).json
    link = (await client.post(f"/api/images/{image['id']}/link")).json["url"]
    assert (await client.call("DELETE", f"/api/images/{image['id']}")).status == 200
    await kept_again(client, before)
    async with nothing_kept(client):
        at = f"/api/images/{image['id']}"
        for method, path in (("GET", at), ("GET", f"{at}/download"), ("DELETE", at), ("GET", link)):
            refused(await client.call(method, path), 404, "image_not_found")


async def test_a_result_outlives_its_deleted_source(shared_client: Client, photo: Path) -> None:
    image = (await shared_client.upload(photo, GRAY, wait_s=60)).json
    await shared_client.call("DELETE", f"/api/images/{image['id']}")
    result = await shared_client.get(f"/api/images/{image['result']['id']}")
    assert (result.status, result.json["parent"]) == (200, None)
    assert (await shared_client.get(f"/api/images/{image['result']['id']}/download")).status == 200

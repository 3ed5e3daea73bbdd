"""A watermark from an image of one's own, and from a file sent along."""

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import aiohttp
from PIL import Image

from tests.support.client import Answer, Client

RED = (255, 0, 0)
CORNER = {"op": "watermark", "position": "top-left"}
PNG = {"op": "convert", "format": "png"}


def red_square() -> bytes:
    buffer = BytesIO()
    Image.new("RGB", (40, 40), RED).save(buffer, "PNG")
    return buffer.getvalue()


def form_of(photo: Path, operations: list[dict[str, Any]], *, part_first: bool = False) -> aiohttp.FormData:
    form = aiohttp.FormData()
    if part_first:
        form.add_field("logo", BytesIO(red_square()), filename="logo.png")
    form.add_field("image", BytesIO(photo.read_bytes()), filename=photo.name)
    form.add_field("operations", json.dumps(operations))
    if not part_first:
        form.add_field("logo", BytesIO(red_square()), filename="logo.png")
    return form


async def assert_marked(client: Client, answer: Answer) -> None:
    assert answer.status == 201, answer
    download = await client.get(answer.json["result"]["download_url"])
    with Image.open(BytesIO(download.body)) as image:
        assert (image.format, image.size) == ("PNG", (640, 427))
        pixels = image.convert("RGB")
        assert pixels.getpixel((20, 20)) == RED
        assert pixels.getpixel((60, 60)) != RED


async def test_an_image_of_ones_own_is_laid_over_another(client: Client, photo: Path) -> None:
    logo = (await client.upload(red_square(), filename="logo.png", wait_s=60)).json["id"]
    answer = await client.upload(photo, [{**CORNER, "image_id": logo}, PNG], wait_s=60)
    await assert_marked(client, answer)


async def test_a_file_sent_along_is_laid_over_the_image(client: Client, photo: Path) -> None:
    form = form_of(photo, [{**CORNER, "part": "logo"}, PNG])
    answer = await client.post("/api/images", data=form, headers={"Prefer": "wait=60"})
    await assert_marked(client, answer)


async def test_a_file_that_no_operation_names_is_refused(client: Client, photo: Path) -> None:
    answer = await client.post("/api/images", data=form_of(photo, [PNG]))
    assert (answer.status, answer.code) == (400, "invalid_request")
    early = form_of(photo, [{**CORNER, "part": "logo"}], part_first=True)
    assert (await client.post("/api/images", data=early)).code == "invalid_request"
    assert (await client.get("/api/images")).json == []


async def test_a_part_that_never_came_leaves_nothing(client: Client, photo: Path) -> None:
    answer = await client.upload(photo, [{**CORNER, "part": "logo"}])
    assert (answer.status, answer.code) == (422, "asset_missing")
    assert (await client.get("/api/images")).json == []


async def test_parts_go_again_when_the_image_they_came_with_is_none(client: Client) -> None:
    form = aiohttp.FormData()
    form.add_field("image", BytesIO(b"no image at all"), filename="photo.jpg")
    form.add_field("operations", json.dumps([{**CORNER, "part": "logo"}]))
    form.add_field("logo", BytesIO(red_square()), filename="logo.png")
    answer = await client.post("/api/images", data=form)
    assert (answer.status, answer.code) == (415, "not_an_image")
    assert (await client.get("/api/images")).json == []


async def test_another_accounts_image_cannot_be_laid_over_ones_own(
    client: Client, other_client: Client, photo: Path
) -> None:
    theirs = (await other_client.upload(red_square(), filename="logo.png", wait_s=60)).json["id"]
    refused = await client.upload(photo, [{**CORNER, "image_id": theirs}])
    assert (refused.status, refused.code) == (404, "image_not_found")
    mine = (await client.upload(photo, wait_s=60)).json["id"]
    again = await client.post(
        f"/api/images/{mine}/transform", json={"operations": [{**CORNER, "image_id": theirs}]}
    )
    assert (again.status, again.code) == (404, "image_not_found")

"""Presets of an account, and what their addresses give when they change."""

from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.support.addresses import GRAY, fetched, fetched_as, new_key, put_preset, signed_by
from tests.support.client import Answer, Client
from tests.support.shared_sites import ON_ONE_SITE
from tests.support.site_contents import object_keys, refused
from tests.support.waiting import until, until_equal

SMALL = [{"op": "resize", "width": 32}]


async def kept(client: Client, photo: Path | bytes) -> str:
    answer = await client.upload(photo)
    assert answer.status == 201, answer
    return answer.json["id"]


def width_of(answer: Answer) -> int:
    assert answer.status == 200, answer
    with Image.open(BytesIO(answer.body)) as image:
        return image.width


@ON_ONE_SITE
async def test_a_preset_is_created_replaced_listed_by_name_and_deleted(
    client: Client, other_client: Client, photo: Path
) -> None:
    fallback = await kept(client, photo)
    made = await client.call(
        "PUT",
        "/api/presets/card",
        json={"operations": GRAY, "public": True, "cache": False, "formats": ["avif"], "fallback": fallback},
    )
    assert made.status == 201, made
    shown = made.json
    assert [step["op"] for step in shown["operations"]] == ["resize", "grayscale"]
    assert (shown["name"], shown["public"], shown["cache"]) == ("card", True, False)
    assert (shown["formats"], shown["fallback"]) == (["avif"], fallback)
    replaced = await client.call("PUT", "/api/presets/card", json={"operations": SMALL})
    assert replaced.status == 200, replaced
    assert (replaced.json["public"], replaced.json["cache"], replaced.json["formats"]) == (False, True, [])
    assert replaced.json["created_at"] == shown["created_at"]
    await put_preset(client, "banner", operations=SMALL)
    first = await client.get("/api/presets?limit=1")
    assert ([preset["name"] for preset in first.json], first.headers["X-Total-Count"]) == (["banner"], "2")
    following = first.headers["Link"].partition(">")[0].removeprefix("<")
    assert [preset["name"] for preset in (await client.get(following)).json] == ["card"]
    assert (await client.get("/api/presets/card")).json == replaced.json
    refused(await other_client.get("/api/presets/card"), 404, "preset_not_found")
    assert (await client.call("DELETE", "/api/presets/card")).status == 204
    refused(await client.call("DELETE", "/api/presets/card"), 404, "preset_not_found")


@ON_ONE_SITE
@pytest.mark.parametrize("name", ["Card", "1st", "grayscale", "a_b", "a" * 64, "%C3%A9"])
async def test_a_name_that_no_address_could_have_is_refused(shared_client: Client, name: str) -> None:
    answer = await shared_client.call("PUT", f"/api/presets/{name}", json={"operations": SMALL})
    refused(answer, 400, "preset_name_invalid")


@ON_ONE_SITE
@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        ({}, 400, "invalid_request"),
        ({"operations": [{"op": "resize", "widht": 3}]}, 400, "invalid_request"),
        ({"operations": SMALL * 30}, 400, "too_many_operations"),
        ({"operations": SMALL, "formats": ["tiff"]}, 400, "invalid_request"),
        ({"operations": [{"op": "watermark", "part": "logo"}]}, 422, "asset_missing"),
        (
            {"operations": SMALL, "fallback": "019ab3c2-7f1e-7c7e-9d1a-2f6b8f3c5e01"},
            404,
            "image_not_found",
        ),
    ],
)
async def test_what_no_request_could_ask_for_is_no_preset(
    shared_client: Client, content: dict[str, Any], status: int, code: str
) -> None:
    refused(await shared_client.call("PUT", "/api/presets/refused", json=content), status, code)
    refused(await shared_client.get("/api/presets/refused"), 404, "preset_not_found")


@ON_ONE_SITE
async def test_a_fallback_that_deletes_itself_is_refused(client: Client, photo: Path) -> None:
    image = (await client.upload(photo, retention="ephemeral")).json["id"]
    answer = await client.call("PUT", "/api/presets/card", json={"operations": SMALL, "fallback": image})
    refused(answer, 400, "image_not_kept")


async def test_a_changed_preset_changes_what_its_address_gives_and_nothing_of_the_old_stays(
    client: Client, photo: Path
) -> None:
    image, key = await kept(client, photo), await new_key(client)
    await put_preset(client, "card", operations=GRAY)
    address = signed_by(key, "card", image) + ".webp"
    assert width_of(await fetched(client, address)) == 64
    of_image = f".renditions/{image}/"

    async def stored() -> frozenset[str]:
        return await object_keys(client.site, of_image)

    [former] = await until(stored)
    await put_preset(client, "card", operations=SMALL)

    async def is_new() -> bool:
        return width_of(await fetched(client, address)) == 32

    await until(is_new)

    async def replaced() -> bool:
        now = await stored()
        return len(now) == 1 and former not in now

    await until(replaced)
    assert (await client.call("DELETE", "/api/presets/card")).status == 204
    refused_address = await fetched_as(client, address, 404)
    assert refused_address.code == "preset_not_found"
    await until_equal(frozenset[str](), stored)


@ON_ONE_SITE
async def test_a_preset_that_only_becomes_public_keeps_its_renditions(client: Client, photo: Path) -> None:
    image, key = await kept(client, photo), await new_key(client)
    await put_preset(client, "card", operations=GRAY)
    assert (await fetched(client, signed_by(key, "card", image) + ".webp")).status == 200

    async def stored() -> frozenset[str]:
        return await object_keys(client.site, f".renditions/{image}/")

    before = await until(stored)
    await put_preset(client, "card", operations=GRAY, public=True)
    assert await stored() == before

"""The placeholder that a preset sends instead of an error."""

from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from PIL import Image

from tests.support.addresses import fetched, signed
from tests.support.client import Client
from tests.support.shared_sites import ON_ONE_SITE

pytestmark = ON_ONE_SITE

CORNER = [{"op": "crop", "x": 300, "width": 200, "height": 100}]


@pytest.fixture
async def placeholder(client: Client, photos: Path) -> dict[str, Any]:
    """A picture of 512 x 512, to which the account's preset `corner` falls back."""
    image = (await client.upload(photos / "astronaut.png")).json
    preset = {"operations": CORNER, "fallback": image["id"]}
    assert (await client.call("PUT", "/api/presets/corner", json=preset)).status == 201
    return image


@pytest.fixture
async def too_small(client: Client, small_picture: bytes) -> str:
    """The address of an image that the preset cannot be applied to."""
    image = (await client.upload(small_picture, filename="small.png")).json
    return signed("corner", image["id"])


async def test_what_cannot_be_rendered_is_answered_with_the_placeholder_if_the_request_wants_that(
    client: Client, placeholder: dict[str, Any], too_small: str
) -> None:
    assert (await fetched(client, too_small)).code == "crop_outside"
    answer = await fetched(client, f"{too_small}.png?fallback=1")
    shown = await fetched(client, signed("corner", placeholder["id"]) + ".png")
    assert (answer.status, answer.body) == (200, shown.body)
    assert Image.open(BytesIO(answer.body)).size == (200, 100)


async def test_no_cache_keeps_a_placeholder_for_long(
    client: Client, placeholder: dict[str, Any], too_small: str
) -> None:
    for path in (f"{too_small}?fallback=1", f"{too_small}~00000000?fallback=1"):
        assert (await fetched(client, path)).headers["Cache-Control"] == "public, max-age=10"
    assert (await fetched(client, too_small)).code == "crop_outside"


async def test_a_placeholder_stands_for_a_deleted_image_where_the_key_says_whose_it_was(
    client: Client, placeholder: dict[str, Any]
) -> None:
    key = (await client.post("/accounts/me/delivery-keys", json={"name": "shop"})).json
    names = {"key": key["key"], "secret": key["secret"]}
    answer = await fetched(client, signed("corner", str(uuid4()), **names) + "?fallback=1")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "image/jpeg")
    of_operator = await fetched(client, signed("corner", str(uuid4())) + "?fallback=1")
    assert of_operator.code == "image_not_found"


async def test_a_wrong_signature_gets_no_placeholder(
    client: Client, placeholder: dict[str, Any], too_small: str
) -> None:
    answer = await fetched(client, too_small.replace("/corner/", "/corner:blur/") + "?fallback=1")
    assert answer.code == "address_signature_invalid"

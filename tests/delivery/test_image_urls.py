"""Addresses that the API makes: they open, have the size that they say, and stand in a page as they are."""

from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from PIL import Image

from libs.contracts.enums import Retention
from libs.delivery.image_urls import MakeUrls, make_urls
from libs.delivery.steps import parse_steps
from libs.storage import delivery_keys
from tests.storage.rows import an_owner
from tests.support.addresses import GRAY, fetched, new_key, put_preset
from tests.support.backends import NewBackends, submit
from tests.support.client import Answer, Client
from tests.support.shared_sites import ON_ONE_SITE
from tests.support.site_contents import refused
from tests.support.waiting import until

TURNED = 6  # the EXIF orientation of a picture that is shown on its side


class Elements(HTMLParser):
    """The elements of a piece of HTML."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


async def urls_of(client: Client, image: str, **body: Any) -> dict[str, Any]:
    answer = await client.post(f"/api/images/{image}/urls", json=body)
    assert answer.status == 200, answer
    return answer.json


async def opened(client: Client, url: str, accept: str = "*/*") -> Answer:
    assert url.startswith(f"{client.site.url}/t/")
    parts = urlsplit(url)
    answer = await fetched(
        client, parts.path + (f"?{parts.query}" if parts.query else ""), headers={"Accept": accept}
    )
    assert answer.status == 200, answer
    return answer


def size_of(answer: Answer) -> tuple[int, int]:
    with Image.open(BytesIO(answer.body)) as image:
        return image.size


def candidates(srcset: str) -> dict[int, str]:
    pairs = [candidate.rsplit(" ", 1) for candidate in srcset.split(", ")]
    return {int(width.removesuffix("w")): url for url, width in pairs}


def turned_photo(photo: Path) -> bytes:
    with Image.open(photo) as image:
        exif, target = image.getexif(), BytesIO()
        exif[0x0112] = TURNED
        image.save(target, "JPEG", exif=exif)
    return target.getvalue()


async def test_every_address_of_a_srcset_and_a_picture_opens_with_the_width_it_names(
    client: Client, photo: Path
) -> None:
    image = (await client.upload(photo)).json
    found = await urls_of(
        client, image["id"], steps="w_300,h_200,fit_cover:grayscale", widths=[96, 256, 3840]
    )
    assert found["steps"] == "resize,width_300,height_200,fit_cover:grayscale"
    assert (found["width"], found["height"]) == (300, 200)
    assert f"/{image['id']}~{image['md5'][:8]}" in found["url"]
    answer = await opened(client, found["url"], "image/webp")
    assert answer.headers["Content-Type"] == "image/webp"
    assert "immutable" in answer.headers["Cache-Control"]
    assert candidates(found["srcset"]).keys() == {96, 256, 300}
    [picture, *sources, img] = Elements(found["picture"]).found
    assert picture[0] == "picture"
    assert [(tag, shown["type"]) for tag, shown in sources] == [
        ("source", "image/avif"),
        ("source", "image/webp"),
    ]
    assert (img[0], img[1]["width"], img[1]["height"], img[1]["alt"]) == ("img", "300", "200", "")
    for (_, shown), kind in zip([*sources, img], ("avif", "webp", "jpeg"), strict=True):
        for width, url in candidates(shown["srcset"] or "").items():
            answer = await opened(client, url)
            assert answer.headers["Content-Type"] == f"image/{kind}"
            assert size_of(answer) == (width, round(width * 2 / 3))


@ON_ONE_SITE
async def test_no_width_is_wider_than_the_upright_image(client: Client, photo: Path) -> None:
    image = (await client.upload(turned_photo(photo))).json["id"]  # 427 x 640, shown upright
    for described in (False, True):
        if described:
            await client.until_hashed(image)
        found = await urls_of(client, image, steps="grayscale")
        assert (found["width"], found["height"]) == (427, 640)
        assert max(candidates(found["srcset"])) == 427
        assert sorted(candidates(found["srcset"])) == [16, 32, 48, 64, 96, 128, 256, 384, 427]
        assert size_of(await opened(client, found["url"])) == (427, 640)


@ON_ONE_SITE
async def test_a_size_that_depends_on_the_pixels_is_not_claimed(client: Client, photo: Path) -> None:
    image = (await client.upload(photo)).json["id"]
    found = await urls_of(client, image, steps="trim")
    assert (found["width"], found["height"]) == (None, None)
    assert "width=" not in found["picture"]
    refused(
        await client.post(f"/api/images/{image}/urls", json={"steps": "crop,width_9000,height_9"}),
        422,
        "crop_outside",
    )


@ON_ONE_SITE
async def test_a_preset_decides_the_formats_and_a_public_one_needs_no_signature(
    client: Client, photo: Path
) -> None:
    await put_preset(client, "card", operations=GRAY, formats=["webp"], public=True)
    image = (await client.upload(photo)).json["id"]
    key = await new_key(client)
    private = await urls_of(client, image, preset="card")
    assert urlsplit(private["url"]).path.startswith(f"/t/{key['key']}.")
    assert [one["format"] for one in private["urls"]] == ["webp", "jpeg"]
    await client.call("PATCH", f"/api/images/{image}", json={"public": True})
    public = await urls_of(client, image, preset="card")
    assert urlsplit(public["url"]).path.startswith(f"/t/-/card/{image}~")
    for found in (private, public):
        assert size_of(await opened(client, found["url"])) == (64, 43)
    expiring = await urls_of(client, image, preset="card", expires_in=60)
    steps = parse_steps(expiring["steps"])
    assert (steps.presets, steps.expires_at is not None) == (("card",), True)
    max_age = (await opened(client, expiring["url"])).headers["Cache-Control"]
    assert 0 < int(max_age.partition("max-age=")[2].partition(",")[0]) <= 60
    chosen = await urls_of(client, image, preset="card", formats=["avif", "png"])
    assert [one["format"] for one in chosen["urls"]] == ["avif", "png"]


@ON_ONE_SITE
async def test_what_a_page_says_of_the_image_is_escaped(client: Client, photo: Path) -> None:
    image = (await client.upload(photo)).json["id"]
    alt = 'A "cat" & <b>more</b>'
    found = await urls_of(client, image, steps="w_60", alt=alt, sizes='(max-width: 9px) "x"')
    [*_, (tag, shown)] = Elements(found["picture"]).found
    assert (tag, shown["alt"], shown["sizes"]) == ("img", alt, '(max-width: 9px) "x"')
    assert "<b>" not in found["picture"]


@ON_ONE_SITE
@pytest.mark.parametrize(
    ("body", "status", "code", "key"),
    [
        ({"steps": "w_0"}, 400, "steps_invalid", "steps"),
        ({"steps": "grayscal,amount_3"}, 400, "steps_invalid", "steps"),
        ({"steps": "exp_99999999999"}, 400, "steps_invalid", "steps"),
        ({"steps": "w_60:exp_99999999999", "expires_in": 9}, 400, "steps_invalid", "steps"),
        ({"steps": "w_60", "preset": "card"}, 400, "invalid_request", "body"),
        ({}, 400, "invalid_request", "body"),
        ({"steps": "w_60", "widths": [123]}, 400, "width_not_offered", None),
        ({"steps": ":".join(["flip"] * 30)}, 400, "too_many_operations", None),
        ({"preset": "none"}, 404, "preset_not_found", None),
        ({"preset": "w_60"}, 404, "preset_not_found", None),
    ],
)
async def test_addresses_that_would_not_open_are_refused(
    shared_client: Client, small_picture: bytes, body: dict[str, Any], status: int, code: str, key: str | None
) -> None:
    image = (await shared_client.upload(small_picture)).json["id"]
    answer = await shared_client.post(f"/api/images/{image}/urls", json=body)
    refused(answer, status, code)
    if key is not None:
        assert [error["key"] for error in answer.json["errors"]] == [key]


@ON_ONE_SITE
async def test_an_ephemeral_image_and_that_of_another_account_have_no_addresses(
    client: Client, other_client: Client, photo: Path
) -> None:
    ephemeral = (await client.upload(photo, retention="ephemeral")).json["id"]
    refused(await client.post(f"/api/images/{ephemeral}/urls", json={"steps": "w_60"}), 400, "image_not_kept")
    other = (await other_client.upload(photo)).json["id"]
    for method, path in (("POST", "urls"), ("GET", "renditions"), ("DELETE", "renditions")):
        body: dict[str, Any] = {"json": {"steps": "w_60"}} if method == "POST" else {}
        refused(await client.call(method, f"/api/images/{other}/{path}", **body), 404, "image_not_found")


@pytest.mark.parametrize(
    "new_backends", [pytest.param("services", marks=pytest.mark.services)], indirect=True
)
async def test_the_account_gets_a_key_where_nobody_has_one(new_backends: NewBackends, photo: Path) -> None:
    backends = await new_backends(DELIVERY_KEYS="")
    owner = await an_owner()
    image, _ = await submit(backends, owner, photo, None, Retention.KEEP)
    command = MakeUrls(owner=owner, image=image, steps="w_60")
    first, second = [await make_urls(command, "https://shop.example", backends) for _ in range(2)]
    [key] = await delivery_keys.all_of(owner.id)
    assert key.name == "default"
    assert first == second
    assert first.url.startswith(f"https://shop.example/t/{key.key_id}.")


@ON_ONE_SITE
async def test_renditions_are_listed_and_deleted(client: Client, photo: Path) -> None:
    await put_preset(client, "card", operations=GRAY)
    image = (await client.upload(photo)).json["id"]
    for body in ({"preset": "card"}, {"steps": "w_50"}):
        await opened(client, (await urls_of(client, image, **body))["urls"][-1]["url"])
    address = f"/api/images/{image}/renditions"

    async def both() -> bool:
        return (await client.get(address)).headers["X-Total-Count"] == "2"

    await until(both)
    first = await client.get(f"{address}?limit=1")
    [newest] = first.json
    assert (newest["preset"], newest["format"], newest["width"]) == (None, "jpeg", 50)
    following = first.headers["Link"].partition(">")[0].removeprefix("<")
    [oldest] = (await client.get(following)).json
    assert (oldest["preset"], oldest["width"], oldest["height"]) == ("card", 64, 43)
    assert oldest["size_bytes"] > 0
    assert (await client.call("DELETE", address)).status == 204
    assert (await client.get(address)).json == []


@ON_ONE_SITE
async def test_operations_make_the_same_address_as_their_steps(client: Client, photo: Path) -> None:
    image = (await client.upload(photo)).json["id"]
    operations = [{"op": "resize", "width": 200}, {"op": "tint", "color": "#c0703a"}]
    by_operations = await urls_of(client, image, operations=operations)
    assert by_operations == await urls_of(client, image, steps="w_200:tint,color_c0703a")
    assert size_of(await opened(client, by_operations["url"])) == (200, 133)
    both = await client.post(f"/api/images/{image}/urls", json={"operations": operations, "steps": "w_9"})
    assert (both.status, both.code) == (400, "invalid_request")

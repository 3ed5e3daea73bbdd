"""Finding images again: filters, tags and orders of the list."""

import asyncio
from base64 import b64encode
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from PIL import Image as Picture

from tests.support.client import Answer, Client
from tests.support.photo_server import PhotoServer, picture
from tests.support.site_contents import nothing_kept, refused
from tests.support.url_images import created


def png(width: int, mode: str = "RGB") -> bytes:
    buffer = BytesIO()
    Picture.new(mode, (width, 20), "red").save(buffer, "PNG")
    return buffer.getvalue()


def data_url(data: bytes) -> str:
    return f"data:image/png;base64,{b64encode(data).decode()}"


def photo_of(make: str, model: str) -> bytes:
    exif = Picture.Exif()
    exif[0x010F], exif[0x0110] = make, model
    buffer = BytesIO()
    Picture.new("RGB", (30, 20), "blue").save(buffer, "JPEG", exif=exif)
    return buffer.getvalue()


async def listed(client: Client, **query: object) -> Answer:
    text = "&".join(f"{name}={quote(str(value))}" for name, value in query.items())
    answer = await client.get(f"/api/images?{text}")
    assert answer.status == 200, answer
    return answer


async def names(client: Client, **query: object) -> list[str]:
    answer = await listed(client, **query)
    assert answer.headers["X-Total-Count"] == str(len(answer.json)), answer
    return [one["filename"] for one in answer.json]


async def walked(client: Client, path: str) -> list[str]:
    found: list[str] = []
    while path:
        page = await client.get(path)
        assert page.status == 200, page
        found += [one["filename"] for one in page.json]
        path = page.headers["Link"].partition(">")[0].strip("<") if "Link" in page.headers else ""
    return found


async def uploaded(client: Client, filename: str, data: bytes = b"", **fields: Any) -> dict[str, Any]:
    body = {"image_url": data_url(data or png(20)), "filename": filename, "retention": "ephemeral", **fields}
    answer = await client.post("/api/images", json=body)
    assert answer.status in {201, 202}, answer
    return answer.json


async def test_a_part_of_the_name_finds_whatever_the_case_of_ascii_letters(client: Client) -> None:
    for name in ("Holiday_1.png", "100%_OFF.png", "Straße.png", "a!b.png"):
        await uploaded(client, name)
    assert await names(client, filename="holiDAY") == ["Holiday_1.png"]
    assert await names(client, filename="0%_o") == ["100%_OFF.png"]
    assert await names(client, filename="_") == ["100%_OFF.png", "Holiday_1.png"]
    assert await names(client, filename="A!B") == ["a!b.png"]
    assert await names(client, filename="straß") == ["Straße.png"]
    assert await names(client, filename="%") == ["100%_OFF.png"]
    assert await names(client, filename="nothing") == []


async def test_tags_are_set_by_a_form_and_by_json_and_found_together(client: Client) -> None:
    sent = await client.upload(png(20), filename="1.png", retention="ephemeral", tags="Summer  Sale, cat,CAT")
    assert sent.json["tags"] == ["summer sale", "cat"]
    assert (await uploaded(client, "2.png", tags=["Cat"]))["tags"] == ["cat"]
    assert await names(client, tags="cat") == ["2.png", "1.png"]
    assert await names(client, tags="CAT, summer sale") == ["1.png"]
    assert await names(client, tags="cat", filename="2") == ["2.png"]
    assert await names(client, tags="cat", sort="filename") == ["1.png", "2.png"]
    assert await names(client, tags="dog") == []
    assert await walked(client, "/api/images?tags=cat&limit=1") == ["2.png", "1.png"]
    assert await walked(client, "/api/images?tags=cat&limit=1&sort=filename") == ["1.png", "2.png"]


async def test_a_patch_replaces_all_tags_and_leaves_those_it_does_not_name(client: Client) -> None:
    image = await uploaded(client, "1.png", tags=["a", "b"])
    at = f"/api/images/{image['id']}"
    assert (await client.call("PATCH", at, json={"tags": ["b", "C"]})).json["tags"] == ["b", "c"]
    assert (await client.call("PATCH", at, json={"filename": "2.png"})).json["tags"] == ["b", "c"]
    assert [await names(client, tags=tag) for tag in "abc"] == [[], ["2.png"], ["2.png"]]
    assert (await client.call("PATCH", at, json={"tags": []})).json["tags"] == []
    assert await names(client, tags="b") == []


async def test_a_deleted_image_is_found_by_no_tag(client: Client) -> None:
    image = await uploaded(client, "1.png", tags=["a"])
    assert (await client.call("DELETE", f"/api/images/{image['id']}")).status == 200
    assert await names(client, tags="a") == []


async def test_changes_of_tags_at_once_leave_the_list_in_agreement_with_the_images(client: Client) -> None:
    image = await uploaded(client, "1.png")
    at = f"/api/images/{image['id']}"
    await asyncio.gather(*(client.call("PATCH", at, json={"tags": [f"t{n}"]}) for n in range(8)))
    tags = (await client.get(at)).json["tags"]
    found = [f"t{n}" for n in range(8) if await names(client, tags=f"t{n}")]
    assert found == tags


async def test_new_bytes_keep_the_tags_or_come_with_others(client: Client) -> None:
    image = await uploaded(client, "1.png", tags=["a"])
    at = f"/api/images/{image['id']}"
    url, other = data_url(png(30)), data_url(png(31))
    assert (await client.call("PUT", at, json={"image_url": url})).json["tags"] == ["a"]
    changed = await client.call("PATCH", at, json={"image_url": other, "tags": ["b"]})
    assert (changed.status, changed.json["tags"]) == (200, ["b"])
    assert [await names(client, tags=tag) for tag in "ab"] == [[], ["1.png"]]


async def test_described_images_are_found_by_transparency_and_camera(client: Client) -> None:
    files = {
        "clear.png": png(22, "RGBA"),
        "nikon.jpg": photo_of("NIKON CORPORATION", "NIKON D750"),
        "canon.jpg": photo_of("Canon", "Canon EOS 5D"),
    }
    for name, data in files.items():
        image = await uploaded(client, name, data, retention="keep")
        await client.until_hashed(image["id"])
    await uploaded(client, "not-described.png", png(23, "RGBA"))
    assert await names(client, has_alpha="true") == ["clear.png"]
    assert await names(client, has_alpha="false") == ["canon.jpg", "nikon.jpg"]
    assert await names(client, camera="d750") == ["nikon.jpg"]
    assert await names(client, camera="Canon eos") == ["canon.jpg"]
    shown = (await listed(client, camera="canon")).json[0]
    assert (shown["camera"], shown["has_alpha"]) == ("Canon EOS 5D", False)
    found = (await client.get(f"/api/images/{shown['id']}/metadata")).json
    assert shown["blurhash"] == found["blurhash"]


async def test_sizes_choose_and_both_ends_are_included(client: Client) -> None:
    images = [await uploaded(client, f"{width}.png", png(width)) for width in (20, 4000)]
    small, large = (image["size_bytes"] for image in images)
    assert small < large
    assert await names(client, min_size_bytes=large) == ["4000.png"]
    assert await names(client, max_size_bytes=small) == ["20.png"]
    assert await names(client, min_size_bytes=small, max_size_bytes=large) == ["4000.png", "20.png"]
    assert await names(client, min_size_bytes=small + 1, max_size_bytes=large - 1) == []


@pytest.mark.parametrize(
    ("sort", "ordered"),
    [
        ("filename", ["a.png", "B.png", "c.png", "c.png", "é.png"]),
        ("-filename", ["é.png", "c.png", "c.png", "B.png", "a.png"]),
        ("created_at", ["c.png", "a.png", "B.png", "é.png", "c.png"]),
        ("-created_at", ["c.png", "é.png", "B.png", "a.png", "c.png"]),
        ("size_bytes", ["a.png", "B.png", "c.png", "é.png", "c.png"]),
        ("-size_bytes", ["c.png", "é.png", "c.png", "B.png", "a.png"]),
    ],
)
async def test_the_pages_of_every_order_have_each_image_once(
    client: Client, sort: str, ordered: list[str]
) -> None:
    for name, width in (("c.png", 3000), ("a.png", 10), ("B.png", 1000), ("é.png", 4000), ("c.png", 8000)):
        await uploaded(client, name, png(width))
    whole = await listed(client, sort=sort)
    assert [one["filename"] for one in whole.json] == ordered
    assert await walked(client, f"/api/images?sort={sort}&limit=2") == ordered
    assert await walked(client, f"/api/images?sort={sort}&limit=2&filename=png&min_size_bytes=1") == ordered


async def test_a_page_goes_on_after_an_image_that_was_deleted(client: Client) -> None:
    for name in ("c.png", "b.png", "a.png"):
        image = await uploaded(client, name)
    page = await listed(client, sort="filename", limit=1)
    assert page.json[0]["id"] == image["id"]
    await client.call("DELETE", f"/api/images/{image['id']}")
    assert await walked(client, page.headers["Link"].partition(">")[0].strip("<")) == ["b.png", "c.png"]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("tag=cat", "tags"),
        ("file_name=cat", "filename"),
        ("min_size=1", "min_size_bytes"),
        ("sort=size", "size_bytes"),
        ("sort=-filenme", "-filename"),
        ("has_alpha=maybe", "has_alpha"),
        ("min_size_bytes=-1", "min_size_bytes"),
        ("max_size_bytes=99999999999999999999", "max_size_bytes"),
        ("filename=", "filename"),
        ("filename=%00", "filename"),
        ("camera=%00", "camera"),
        ("source_url=%00", "source_url"),
        ("tags=%00", "tags"),
        ("tags=a,,b", "tags"),
        (f"tags={'a' * 51}", "tags"),
        (f"tags={','.join(map(str, range(21)))}", "tags"),
        ("sort=filename&after=019ab3c2-7f1e-7c7e-9d1a-2f6b8f3c5e01", "after"),
        ("after=7.019ab3c2-7f1e-7c7e-9d1a-2f6b8f3c5e01", "after"),
        ("sort=size_bytes&after=x.019ab3c2-7f1e-7c7e-9d1a-2f6b8f3c5e01", "after"),
        ("sort=size_bytes&after=99999999999999999999.019ab3c2-7f1e-7c7e-9d1a-2f6b8f3c5e01", "after"),
        ("sort=created_at&after=x.019ab3c2-7f1e-7c7e-9d1a-2f6b8f3c5e01", "after"),
        ("sort=filename&after=%00.019ab3c2-7f1e-7c7e-9d1a-2f6b8f3c5e01", "after"),
    ],
)
async def test_a_query_that_will_not_do_is_refused_with_the_right_name(
    shared_client: Client, query: str, said: str
) -> None:
    assert said in refused(await shared_client.get(f"/api/images?{query}"), 400, "invalid_request")


@pytest.mark.parametrize(
    "tags", [["a,b"], [""], ["  "], ["a\0"], ["x" * 51], [f"{n}" for n in range(21)], "cat", [1], ["a\n"]]
)
async def test_tags_that_will_not_do_are_refused_and_nothing_is_kept(client: Client, tags: Any) -> None:
    image = await uploaded(client, "1.png", tags=["a"])
    async with nothing_kept(client):
        patched = await client.call("PATCH", f"/api/images/{image['id']}", json={"tags": tags})
        assert "tags" in refused(patched, 400, "invalid_request")
        posted = await client.post("/api/images", json={"image_url": "https://a.example/1.jpg", "tags": tags})
        assert "tags" in refused(posted, 400, "invalid_request")
    assert (await client.get(f"/api/images/{image['id']}")).json["tags"] == ["a"]


async def test_a_form_with_a_bad_tag_is_refused_and_nothing_is_kept(client: Client, photo: Path) -> None:
    async with nothing_kept(client):
        refused(await client.upload(photo, tags="a,,b"), 400, "invalid_request")
        refused(await client.upload(photo, tags="x" * 51), 400, "invalid_request")
        assert "`tags`" in refused(await client.upload(photo, tag="a"), 400, "invalid_request")


async def test_a_fetched_image_has_its_tags_and_is_found_by_its_exact_url(
    client: Client, photo_server: PhotoServer
) -> None:
    url = photo_server.serve("/pictures/cat.jpg", picture())
    image = await created(client, url, tags=["Cat"])
    assert image["tags"] == ["cat"]
    assert await names(client, source_url=url) == ["cat.jpg"]
    assert await names(client, source_url=url, sort="filename", tags="cat") == ["cat.jpg"]
    assert await names(client, source_url=url[:-1]) == []
    assert await names(client, source_url=f"{url}0") == []


async def test_very_long_urls_of_equal_beginning_are_told_apart(
    client: Client, photo_server: PhotoServer
) -> None:
    one, other = (photo_server.serve(f"/{'x' * 300}/{n}.jpg", picture()) for n in range(2))
    for url in (one, other):
        await created(client, url)
    assert await names(client, source_url=other) == ["1.jpg"]


async def test_a_key_that_writes_images_may_tag_and_one_that_reads_may_find(client: Client) -> None:
    image = await uploaded(client, "1.png")
    keys = [
        (await client.post("/accounts/me/keys", json={"name": "a", "scopes": [scope]})).json["key"]
        for scope in ("images:write", "images:read")
    ]
    at = f"/api/images/{image['id']}"
    write, read = ({"X-API-Key": key, "Authorization": ""} for key in keys)
    tagged = await client.call("PATCH", at, json={"tags": ["a"]}, headers=write)
    assert (tagged.status, tagged.json["tags"]) == (200, ["a"])
    refused(await client.call("PATCH", at, json={"tags": ["b"]}, headers=read), 403, "scope_missing")
    assert [one["id"] for one in (await client.get("/api/images?tags=a", headers=read)).json] == [image["id"]]


async def test_an_image_made_from_a_prompt_alone_takes_no_tags(client: Client) -> None:
    body = {"prompt": "a cat", "tags": ["a"]}
    answer = await client.post("/api/images", json=body)
    assert answer.status in {400, 503}, answer

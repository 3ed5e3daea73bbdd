"""Looking for images by what they look like, over HTTP."""

import base64
import json
import sqlite3
from contextlib import closing
from io import BytesIO
from pathlib import Path
from typing import Any

import imagehash
import pytest
from PIL import Image, ImageDraw, ImageEnhance

from libs.imaging.hashing import HASH_VERSION
from tests.support.client import Answer, Client
from tests.support.photo_server import PhotoServer
from tests.support.shared_sites import ON_ONE_SITE
from tests.support.url_images import created


def variants(photo: Path) -> dict[str, bytes]:
    """A photograph, three that look like it, and one that does not."""
    with Image.open(photo) as image:
        plain = image.convert("RGB")
    return {
        "same": photo.read_bytes(),
        "small.png": encoded(plain.resize((320, 213)), "PNG"),
        "dark.webp": encoded(ImageEnhance.Brightness(plain).enhance(0.7), "WEBP"),
        "poor.jpg": encoded(plain, "JPEG", quality=10),
        "mirrored.jpg": encoded(plain.transpose(Image.Transpose.FLIP_LEFT_RIGHT), "JPEG"),
    }


def encoded(image: Image.Image, format_name: str, **options: Any) -> bytes:
    file = BytesIO()
    image.save(file, format_name, **options)
    return file.getvalue()


def distance(one: bytes, other: bytes) -> int:
    hashes = [imagehash.phash(Image.open(BytesIO(data))) for data in (one, other)]
    return int(hashes[0] - hashes[1])


async def uploaded(client: Client, files: dict[str, bytes]) -> dict[str, str]:
    ids: dict[str, str] = {}
    for name, data in files.items():
        answer = await client.upload(data, filename=name, wait_s=60)
        assert answer.status == 201, answer
        ids[name] = answer.json["id"]
    return ids


def matches_of(answer: Answer) -> list[tuple[int, str]]:
    assert answer.status == 200, answer
    found = [(image["distance"], image["id"]) for image in answer.json]
    assert [one for one, _ in found] == sorted(one for one, _ in found)
    return sorted(found)


def expected(
    query: bytes, files: dict[str, bytes], ids: dict[str, str], within: int
) -> list[tuple[int, str]]:
    found = [(distance(query, data), ids[name]) for name, data in files.items()]
    return sorted(one for one in found if one[0] <= within)


async def test_similar_images_come_with_their_distance(client: Client, photo: Path) -> None:
    files = variants(photo)
    ids = await uploaded(client, files)
    others = {name: data for name, data in files.items() if name != "same"}
    for within in (0, 4, 10, 30):
        answer = await client.get(f"/api/images/{ids['same']}/similar?max_distance={within}")
        assert matches_of(answer) == expected(files["same"], others, ids, within)
    limited = await client.get(f"/api/images/{ids['same']}/similar?max_distance=64&limit=2")
    assert len(limited.json) == 2
    async with Client(client.site) as other_client:
        await other_client.register()
        await other_client.login()
        assert (await other_client.get(f"/api/images/{ids['same']}/similar")).code == "image_not_found"
        assert (
            await other_client.post("/api/images/search", json={"phash": "0" * 16, "max_distance": 64})
        ).json == []


@ON_ONE_SITE
async def test_a_photo_finds_its_turned_twin_and_a_logo_no_other_logo(client: Client, photo: Path) -> None:
    with Image.open(photo) as image:
        upright = image.convert("RGB")
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = upright.transpose(Image.Transpose.ROTATE_90)
    disc, cross = Image.new("RGBA", (90, 90)), Image.new("RGBA", (90, 90))
    ImageDraw.Draw(disc).ellipse((10, 10, 80, 80), fill="black")
    ImageDraw.Draw(cross).line((10, 10, 80, 80), fill="black", width=20)
    files = {
        "upright.jpg": encoded(upright, "JPEG"),
        "turned.jpg": encoded(turned, "JPEG", exif=exif),
        "disc.png": encoded(disc, "PNG"),
        "cross.png": encoded(cross, "PNG"),
    }
    ids = await uploaded(client, files)
    for one, other in (("upright.jpg", "turned.jpg"), ("turned.jpg", "upright.jpg")):
        answer = await client.get(f"/api/images/{ids[one]}/similar?max_distance=4")
        assert [image["id"] for image in answer.json] == [ids[other]]
    (group,) = (await client.get("/api/images/duplicates?max_distance=4")).json
    assert set(group["images"]) == {ids["upright.jpg"], ids["turned.jpg"]}
    metadata = (await client.get(f"/api/images/{ids['turned.jpg']}/metadata")).json
    assert (metadata["hash_version"], metadata["orientation"]) == (HASH_VERSION, 6)


@ON_ONE_SITE
async def test_a_hash_of_an_earlier_version_is_renewed_on_request_where_the_file_can_be_read(
    client: Client, photo: Path
) -> None:
    ids = await uploaded(client, {name: variants(photo)[name] for name in ("same", "small.png")})
    directory = Path(client.site.settings["DATA_DIR"])
    phash = (await client.get(f"/api/images/{ids['same']}")).json["phash"]
    earlier = "update image set hash_version = 1, phash = 0 where id = ?"
    for readable, distances in ((True, 4), (False, 64)):
        if not readable:
            (file,) = (path for path in (directory / "objects").rglob("*") if ids["same"] in path.name)
            file.write_bytes(b"no image")
        with closing(sqlite3.connect(directory / "darkroom.sqlite", timeout=30)) as database:
            assert database.execute(earlier, (ids["same"],)).rowcount == 1
            database.commit()
        answer = await client.get(f"/api/images/{ids['same']}/similar?max_distance={distances}")
        assert [image["id"] for image in answer.json] == [ids["small.png"]]
        shown = (await client.get(f"/api/images/{ids['same']}")).json["phash"]
        assert shown == (phash if readable else "0" * 16)


async def test_an_image_without_a_hash_gets_one_on_request(client: Client, photo: Path) -> None:
    files = variants(photo)
    ids = await uploaded(client, {"dark.webp": files["dark.webp"]})
    made = await client.upload(files["same"], filename="a.jpg", retention="ephemeral")
    assert made.json["phash"] is None
    answer = await client.get(f"/api/images/{made.json['id']}/similar")
    assert matches_of(answer) == expected(files["same"], {"dark.webp": files["dark.webp"]}, ids, 10)


async def test_search_by_file_url_and_hash_agree_and_keep_nothing(
    client: Client, photo_server: PhotoServer, photo: Path
) -> None:
    files = variants(photo)
    ids = await uploaded(client, files)
    query = files["poor.jpg"]
    wanted = expected(query, files, ids, 12)
    form = {"image": BytesIO(query), "max_distance": "12"}
    assert matches_of(await client.post("/api/images/search", data=form)) == wanted
    embedded = f"data:image/jpeg;base64,{base64.b64encode(query).decode()}"
    for said in (
        {"image_url": photo_server.serve("/query.jpg", query)},
        {"image_url": embedded},
        {"phash": str(imagehash.phash(Image.open(BytesIO(query)))).upper()},
    ):
        body = BytesIO(json.dumps({**said, "max_distance": 12}).encode())
        headers = {"Content-Type": "application/json"}
        assert matches_of(await client.post("/api/images/search", data=body, headers=headers)) == wanted
    assert (await client.get("/api/images")).headers["X-Total-Count"] == str(len(files))


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"phash": "xyz"},
        {"phash": "0" * 16, "image_url": "http://example.com/"},
        {"phash": "0" * 16, "max_distance": 65},
        {"phash": "0" * 16, "limit": 0},
        {"md5": "0" * 32},
    ],
)
async def test_a_wrong_search_is_refused(client: Client, body: dict[str, Any]) -> None:
    answer = await client.post("/api/images/search", json=body)
    assert (answer.status, answer.code) == (400, "invalid_request")


async def test_a_search_by_what_is_no_image_is_refused(client: Client, photo_server: PhotoServer) -> None:
    answer = await client.post("/api/images/search", data={"image": BytesIO(b"text"), "limit": "5"})
    assert (answer.status, answer.code) == (415, "not_an_image")
    page = photo_server.serve("/page", b"<html>")
    answer = await client.post("/api/images/search", json={"image_url": page})
    assert (answer.status, answer.code) == (415, "url_not_an_image")
    answer = await client.post("/api/images/search", json={"image_url": "http://127.0.0.1/"})
    assert (answer.status, answer.code) == (422, "url_forbidden")
    assert (await client.get("/api/images")).json == []


async def test_duplicates_are_grouped_and_the_largest_represents_them(client: Client, photo: Path) -> None:
    files = variants(photo)
    ids = await uploaded(client, files)
    again = await client.upload(files["mirrored.jpg"], filename="again.jpg", wait_s=60)
    answer = await client.get("/api/images/duplicates?max_distance=10")
    groups = {frozenset(one["images"]): one for one in answer.json}
    mirrored = groups[frozenset([ids["mirrored.jpg"], again.json["id"]])]
    assert mirrored["reclaimable_bytes"] == len(files["mirrored.jpg"])
    assert mirrored["representative"] == ids["mirrored.jpg"]
    alike = [name for name in files if name != "mirrored.jpg"]
    (group,) = [one for members, one in groups.items() if ids["same"] in members]
    assert ids["small.png"] in {ids[name] for name in alike}
    assert group["representative"] != ids["small.png"]
    assert answer.headers["X-Total-Count"] == str(len(groups))

    pages = [await client.get("/api/images/duplicates?max_distance=10&limit=1")]
    while link := pages[-1].headers.get("Link"):
        pages.append(await client.get(link[1 : link.index(">")]))
    assert [group for page in pages for group in page.json] == answer.json
    assert (await client.get("/api/images/duplicates?after=1.x")).code == "invalid_request"


async def test_metadata_is_that_of_a_decode(client: Client, photo_server: PhotoServer, photo: Path) -> None:
    fetched = await created(client, photo_server.serve("/rocket.jpg", photo.read_bytes()))
    kept = (await client.upload(photo, wait_s=60)).json
    passing = (await client.upload(photo, retention="ephemeral")).json
    answers = [await client.get(f"/api/images/{one['id']}/metadata") for one in (fetched, kept, passing)]
    assert {answer.status for answer in answers} == {200}
    first, *others = [{**answer.json, "id": None} for answer in answers]
    assert others == [first, first]
    assert (first["phash"], first["mode"], first["orientation"]) == (fetched["phash"], "RGB", 1)
    async with Client(client.site) as other_client:
        await other_client.register()
        await other_client.login()
        assert (await other_client.get(f"/api/images/{kept['id']}/metadata")).code == "image_not_found"

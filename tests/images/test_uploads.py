"""Uploads: any size, any accepted format, any name; the response describes them correctly."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

import imagehash
import pytest
from PIL import Image

from tests.support.client import Client
from tests.support.multipart import END, FORM_TYPE, file_part, send, text_part
from tests.support.pictures import encoded
from tests.support.site_contents import kept_by, object_bytes, object_keys, scratch_files
from tests.support.waiting import WAIT_S

FORMATS = [
    ("JPEG", "jpeg", "image/jpeg", "jpg"),
    ("PNG", "png", "image/png", "png"),
    ("WEBP", "webp", "image/webp", "webp"),
    ("GIF", "gif", "image/gif", "gif"),
    ("AVIF", "avif", "image/avif", "avif"),
    ("TIFF", "tiff", "image/tiff", "tiff"),
    ("BMP", "bmp", "image/bmp", "bmp"),
    ("JXL", "jxl", "image/jxl", "jxl"),
]
HEIC = Path(__file__).parents[1] / "imaging/heic/rgb.heic"


@pytest.mark.parametrize(("saver", "name", "mime", "extension"), FORMATS)
async def test_every_accepted_format_is_recognised_by_its_bytes(
    shared_client: Client, saver: str, name: str, mime: str, extension: str
) -> None:
    data = encoded(Image.linear_gradient("L").resize((60, 20)).convert("RGB"), saver)
    answer = await send(shared_client, file_part(data, "x.bin", mime="text/html"))
    assert answer.status == 201
    view = answer.json
    assert view["filename"] == f"x.{extension}"
    assert (view["format"], view["mime"], view["width"], view["height"]) == (name, mime, 60, 20)
    assert (view["frames"], view["size_bytes"]) == (1, len(data))
    assert view["md5"] == hashlib.md5(data).hexdigest()  # noqa: S324
    assert await object_bytes(shared_client.site, view["id"]) == data


async def test_a_heic_is_kept_as_it_came_and_becomes_a_jpeg(shared_client: Client) -> None:
    operations = [{"op": "resize", "width": 50}]
    view = (await shared_client.upload(HEIC, operations, filename="IMG_0001.HEIC", wait_s=60)).json
    assert (view["filename"], view["format"], view["mime"]) == ("IMG_0001.HEIC", "heic", "image/heic")
    assert (view["result"]["format"], view["result"]["width"]) == ("jpeg", 50)
    original = await shared_client.get(f"/api/images/{view['id']}/download?version=original")
    assert (original.headers["Content-Type"], original.body) == ("image/heic", HEIC.read_bytes())


@pytest.mark.parametrize("saver", ["GIF", "WEBP", "PNG", "TIFF"])
async def test_frames_are_counted(shared_client: Client, saver: str) -> None:
    frames = [Image.new("RGB", (20, 20), (60 * n, 0, 0)) for n in range(4)]
    data = encoded(frames[0], saver, save_all=True, append_images=frames[1:], duration=100)
    answer = await shared_client.upload(data, filename="moving", retention="ephemeral")
    assert (answer.status, answer.json["frames"]) == (201, 4)


async def test_a_large_file_streams_to_disk_while_it_arrives(shared_client: Client) -> None:
    picture = encoded(Image.frombytes("RGB", (4080, 4080), os.urandom(4080 * 4080 * 3)), "BMP")
    assert 49_900_000 < len(picture) < 50_000_000
    form = file_part(picture, "large.bmp") + text_part("retention", "ephemeral") + END
    site = shared_client.site

    async def arriving() -> AsyncIterator[bytes]:
        half = len(form) // 2
        for at in range(0, half, 1_000_000):
            yield form[at : min(at + 1_000_000, half)]
        async with asyncio.timeout(WAIT_S):
            while sum(path.stat().st_size for path in scratch_files(site)) < half - 1_000_000:
                await asyncio.sleep(0.02)
        yield form[half:]

    answer = await shared_client.post("/api/images", data=arriving(), headers=FORM_TYPE)
    assert answer.status == 201
    assert (answer.json["width"], answer.json["size_bytes"]) == (4080, len(picture))
    assert answer.json["md5"] == hashlib.md5(picture).hexdigest()  # noqa: S324
    download = await shared_client.get(f"/api/images/{answer.json['id']}/download")
    assert download.body == picture


@pytest.mark.parametrize(
    ("sent", "named"),
    [
        ("Überraschung 漢字 😀.jpg", "Überraschung 漢字 😀.jpg"),
        ("../../etc/passwd.jpg", "passwd.jpg"),
        ("C:\\Users\\me\\photo.jpg", "photo.jpg"),
        ("/absolute/photo.jpg", "photo.jpg"),
        ("a\x01b\x7fc%0D%0Ad.jpg", "abcd.jpg"),
        ("say %22cheese%22.jpg", 'say "cheese".jpg'),
        ("..", "image.jpg"),
        ("nothing/", "image.jpg"),
        ("x" * 300 + ".jpg", "x" * 251 + ".jpg"),
        ("漢" * 300 + ".png", "漢" * 251 + ".jpg"),
        ("𠀀" * 200 + ".jpg", "𠀀" * 200 + ".jpg"),
        ("e\u0301" * 100 + ".jpg", "e\u0301" * 100 + ".jpg"),
    ],
)
async def test_a_filename_is_kept_as_far_as_it_is_one(
    shared_client: Client, photo: Path, sent: str, named: str
) -> None:
    answer = await send(
        shared_client, file_part(photo.read_bytes(), sent), text_part("retention", "ephemeral")
    )
    assert answer.status == 201, answer
    assert answer.json["filename"] == named
    keys = await object_keys(shared_client.site, f"{shared_client.username}/")
    [key] = [key for key in keys if answer.json["id"] in key]
    assert key.startswith(f"{shared_client.username}/originals/")
    assert key.count("/") == 5


async def test_an_upload_is_kept_and_hashed(shared_client: Client, photo: Path) -> None:
    accepted = await shared_client.upload(photo)
    assert accepted.status == 201
    assert accepted.headers["Location"] == accepted.json["url"]
    assert (accepted.json["retention"], accepted.json["expires_at"]) == ("keep", None)
    assert accepted.json["result"] is None
    job = await shared_client.job_done(accepted.json["job_id"])
    assert (job["kind"], job["status"], job["priority"]) == ("describe", "completed", "bulk")
    described = (await shared_client.get(accepted.json["url"])).json
    with Image.open(photo) as image:
        assert described["phash"] == str(imagehash.phash(image))
    assert described["status"] == "completed"


async def test_who_waits_for_an_upload_gets_its_hash_with_it(shared_client: Client, photos: Path) -> None:
    for name in ("astronaut.png", "coffee.png", "rocket.jpg"):
        answer = await shared_client.upload(photos / name, wait_s=60)
        assert (answer.status, answer.json["status"]) == (201, "completed")
        with Image.open(photos / name) as image:
            assert answer.json["phash"] == str(imagehash.phash(image))


async def test_an_ephemeral_image_is_hashed_on_first_request(client: Client, photo: Path) -> None:
    answer = await client.upload(photo, retention="ephemeral", wait_s=60)
    assert (answer.status, answer.json["phash"], answer.json["job_id"]) == (201, None, None)
    assert answer.json["expires_at"] is not None
    metadata = await client.get(f"/api/images/{answer.json['id']}/metadata")
    assert metadata.status == 200
    with Image.open(photo) as image:
        assert metadata.json["phash"] == str(imagehash.phash(image))
    assert (await client.get(answer.json["url"])).json["phash"] == metadata.json["phash"]
    assert (await client.get(f"/api/images/{answer.json['id']}/metadata")).json == metadata.json
    assert len((await client.get("/api/jobs?kind=describe")).json) == 1


async def test_an_upload_with_operations_is_ephemeral_and_answers_202(client: Client, photo: Path) -> None:
    answer = await client.upload(photo, [{"op": "grayscale"}])
    assert answer.status == 202
    assert answer.headers["Location"] == f"{client.site.url}/api/jobs/{answer.json['job_id']}"
    assert (answer.json["retention"], answer.json["phash"]) == ("ephemeral", None)
    assert answer.json["expires_at"] is not None
    await client.job_done(answer.json["job_id"])
    done = (await client.get(answer.json["url"])).json
    assert done["result"]["parent"] == done["id"]
    assert (done["result"]["retention"], done["result"]["expires_at"]) == ("ephemeral", done["expires_at"])


async def test_an_upload_with_operations_is_kept_with_its_result_on_request(
    client: Client, photo: Path
) -> None:
    answer = await client.upload(photo, [{"op": "grayscale"}], retention="keep", wait_s=60)
    assert answer.status == 201
    for image in (answer.json, answer.json["result"]):
        assert (image["retention"], image["expires_at"]) == ("keep", None)


async def test_the_same_file_twice_is_two_images(client: Client, photo: Path) -> None:
    first, second = [(await client.upload(photo)).json for _ in range(2)]
    assert first["id"] != second["id"]
    assert first["md5"] == second["md5"]
    assert (await kept_by(client)).images == "2"

"""Downloads: the right bytes with the right headers, whole or in part."""

import hashlib
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest
from PIL import Image

from tests.support.client import Client
from tests.support.multipart import file_part, send, text_part
from tests.support.site_contents import assert_untrusted, object_bytes, refused
from tests.support.site_jobs import SLOW

GRAY = [{"op": "grayscale"}]


@pytest.fixture
async def image(shared_client: Client, photo: Path) -> dict[str, Any]:
    """An ephemeral photograph that nobody has downloaded."""
    return (await shared_client.upload(photo, retention="ephemeral")).json


async def first_download(client: Client, image: dict[str, Any]) -> str | None:
    return (await client.get(f"/api/images/{image['id']}")).json["first_downloaded_at"]


async def test_a_download_gives_the_stored_bytes_and_says_what_they_are(
    shared_client: Client, photo: Path
) -> None:
    name = 'Überraschung "漢字" 😀.jpg'
    part = file_part(photo.read_bytes(), name.replace('"', "%22"))
    image = (await send(shared_client, part, text_part("retention", "ephemeral"))).json
    answer = await shared_client.get(f"/api/images/{image['id']}/download")
    assert answer.status == 200
    assert answer.body == await object_bytes(shared_client.site, image["id"]) == photo.read_bytes()
    assert answer.headers["Content-Type"] == "image/jpeg"
    assert answer.headers["Content-Length"] == str(len(answer.body))
    assert answer.headers["ETag"] == f'"{hashlib.md5(answer.body).hexdigest()}"'  # noqa: S324
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert_untrusted(answer)
    disposition = answer.headers["Content-Disposition"]
    assert disposition.startswith('attachment; filename="_berraschung ____ _.jpg"; ')
    assert disposition.endswith(f"filename*=UTF-8''{quote(name, safe='')}")


async def test_every_spelling_of_the_address_downloads(
    shared_client: Client, image: dict[str, Any], photo: Path
) -> None:
    at = f"/api/images/{image['id']}"
    for path in (f"{at}/download", f"{at}/download/", f"{at}download", f"{at}download/"):
        for method in ("GET", "POST"):
            answer = await shared_client.call(method, path)
            assert (answer.status, answer.body) == (200, photo.read_bytes()), (method, path)


async def test_an_unchanged_file_is_not_sent_again(shared_client: Client, image: dict[str, Any]) -> None:
    at, etag = f"/api/images/{image['id']}/download", f'"{image["md5"]}"'
    for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        answer = await shared_client.get(at, headers={"If-None-Match": known})
        assert (answer.status, answer.body, answer.headers["ETag"]) == (304, b"", etag)
    assert await first_download(shared_client, image) is None
    unchanged = await shared_client.get(at, headers={"If-None-Match": etag})
    whole = await shared_client.get(at, headers={"If-None-Match": '"other"'})
    assert whole.status == 200
    for name in ("ETag", "Cache-Control", "Content-Disposition", "Accept-Ranges"):
        assert unchanged.headers[name] == whole.headers[name]
    assert "Content-Length" not in unchanged.headers


async def test_the_head_has_all_headers_and_does_not_count_as_a_download(
    shared_client: Client, image: dict[str, Any]
) -> None:
    at = f"/api/images/{image['id']}/download"
    head = await shared_client.call("HEAD", at)
    assert await first_download(shared_client, image) is None
    assert (await shared_client.get(f"/api/images/{image['id']}")).json["expires_at"] == image["expires_at"]
    whole = await shared_client.get(at)
    assert (head.status, head.body) == (200, b"")
    for name in ("Content-Type", "Content-Length", "Content-Disposition", "ETag", "Accept-Ranges"):
        assert head.headers[name] == whole.headers[name]


async def test_only_the_first_download_sets_the_expiry(shared_client: Client, image: dict[str, Any]) -> None:
    at = f"/api/images/{image['id']}"
    await shared_client.get(f"{at}/download")
    once = (await shared_client.get(at)).json
    assert once["first_downloaded_at"] is not None
    assert once["expires_at"] < image["expires_at"]
    await shared_client.get(f"{at}/download")
    assert (await shared_client.get(at)).json == once


@pytest.mark.parametrize("range_header", ["bytes=0-0", "bytes=0-99999", "bytes=100-200"])
async def test_a_preview_of_the_first_bytes_does_not_start_the_expiry(
    shared_client: Client, image: dict[str, Any], range_header: str
) -> None:
    at = f"/api/images/{image['id']}/download"
    assert (await shared_client.get(at, headers={"Range": range_header})).status == 206
    assert await first_download(shared_client, image) is None
    assert (await shared_client.get(at, headers={"Range": "bytes=100000-"})).status == 206
    assert await first_download(shared_client, image) is not None


async def test_a_download_that_breaks_off_does_not_start_the_expiry(
    shared_client: Client, photos: Path, tmp_path: Path
) -> None:
    large = tmp_path / "large.bmp"
    with Image.open(photos / "retina.jpg") as picture:
        picture.convert("RGB").resize((2400, 2400)).save(large)
    image = (await shared_client.upload(large, retention="ephemeral")).json
    at, headers = f"{shared_client.site.url}/api/images/{image['id']}/download", bearer(shared_client)
    async with aiohttp.ClientSession() as session:
        async with session.get(at, headers=headers) as answer:
            assert len(await answer.content.read(100_000)) > 0
        assert await first_download(shared_client, image) is None
        async with session.get(at, headers=headers) as answer:
            assert len(await answer.read()) == image["size_bytes"] > 17_000_000
    assert await first_download(shared_client, image) is not None


def bearer(client: Client) -> dict[str, str]:
    return {"Authorization": f"Bearer {client.token}"}


async def test_an_answer_says_why_an_image_expires(shared_client: Client, image: dict[str, Any]) -> None:
    assert image["expires_reason"].startswith("24 hours after it was made")
    await shared_client.get(f"/api/images/{image['id']}/download")
    seen = (await shared_client.get(f"/api/images/{image['id']}")).json
    assert seen["expires_reason"] == "5 minutes after its first download, because it is ephemeral"


async def test_a_kept_image_does_not_expire_after_its_download(
    shared_client: Client, small_picture: bytes
) -> None:
    image = (await shared_client.upload(small_picture, filename="a.png", wait_s=60)).json
    await shared_client.get(f"/api/images/{image['id']}/download")
    assert (await shared_client.get(f"/api/images/{image['id']}")).json == image


@pytest.mark.parametrize(
    ("range_header", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=10-19", 10, 20),
        ("bytes=100000-", 100_000, None),
        ("bytes=-10", -10, None),
        ("bytes=-99999999", 0, None),
        ("bytes=5-99999999", 5, None),
    ],
)
async def test_a_range_gives_its_part(
    shared_client: Client, image: dict[str, Any], photo: Path, range_header: str, start: int, end: int | None
) -> None:
    answer = await shared_client.get(f"/api/images/{image['id']}/download", headers={"Range": range_header})
    whole = photo.read_bytes()
    part = whole[start:end]
    assert (answer.status, answer.body) == (206, part)
    begin = whole.index(part) if len(part) > 9 else start
    assert answer.headers["Content-Range"] == f"bytes {begin}-{begin + len(part) - 1}/{len(whole)}"
    assert answer.headers["Content-Length"] == str(len(part))


@pytest.mark.parametrize("range_header", ["bytes=99999999-", "bytes=-0", "bytes=112525-"])
async def test_a_range_outside_the_file_is_refused(
    shared_client: Client, image: dict[str, Any], range_header: str
) -> None:
    answer = await shared_client.get(f"/api/images/{image['id']}/download", headers={"Range": range_header})
    refused(answer, 416, "range_not_satisfiable")
    assert answer.headers["Content-Range"] == f"bytes */{image['size_bytes']}"
    assert await first_download(shared_client, image) is None


@pytest.mark.parametrize(
    "range_header",
    ["bytes=9-3", "bytes=-", "lines=1-2", "bytes=a-b", "bytes=0-1,5-9", f"bytes=0-{'9' * 5000}"],
)
async def test_what_is_no_single_range_is_ignored(
    shared_client: Client, image: dict[str, Any], range_header: str
) -> None:
    answer = await shared_client.get(f"/api/images/{image['id']}/download", headers={"Range": range_header})
    assert (answer.status, len(answer.body)) == (200, image["size_bytes"])


async def test_a_range_of_another_version_is_ignored(shared_client: Client, image: dict[str, Any]) -> None:
    at = f"/api/images/{image['id']}/download"
    for version, status in ((f'"{image["md5"]}"', 206), ('"other"', 200)):
        headers = {"Range": "bytes=0-9", "If-Range": version}
        assert (await shared_client.get(at, headers=headers)).status == status


async def test_a_download_is_the_newest_result_or_the_original(shared_client: Client, photo: Path) -> None:
    image = (await shared_client.upload(photo, [{"op": "resize", "width": 50}], wait_s=60)).json
    at = f"/api/images/{image['id']}/download"
    assert (await shared_client.get(at)).headers["ETag"] == f'"{image["result"]["md5"]}"'
    assert (await shared_client.get(f"{at}?version=original")).body == photo.read_bytes()
    body = {"operations": [{"op": "convert", "format": "png"}]}
    job = await shared_client.post(
        f"/api/images/{image['id']}/transform", json=body, headers={"Prefer": "wait=60"}
    )
    newest = await shared_client.get(at)
    assert newest.headers["Content-Type"] == "image/png"
    assert newest.body == (await shared_client.get(job.json["download_url"])).body
    refused(await shared_client.get(f"{at}?version=oldest"), 400, "invalid_request")


async def test_what_is_not_ready_says_when_to_ask_again(limited_client: Client, slow_picture: bytes) -> None:
    image = (await limited_client.upload(slow_picture, SLOW)).json
    early = await limited_client.get(f"/api/images/{image['id']}/download")
    refused(early, 400, "image_not_ready")
    assert early.headers["Retry-After"] == "1"
    refused(await limited_client.post(f"/api/images/{image['id']}/link"), 400, "image_not_ready")
    await limited_client.call("DELETE", f"/api/jobs/{image['job_id']}")
    assert (await limited_client.get(f"/api/images/{image['id']}/download")).status == 200


async def test_what_has_failed_says_why(shared_client: Client, photo: Path) -> None:
    image = (await shared_client.upload(photo, [{"op": "crop", "width": 5000, "height": 1}])).json
    await shared_client.job_done(image["job_id"])
    for path, method in (("download", "GET"), ("link", "POST")):
        answer = await shared_client.call(method, f"/api/images/{image['id']}/{path}")
        assert "crop_outside" in refused(answer, 409, "image_failed")

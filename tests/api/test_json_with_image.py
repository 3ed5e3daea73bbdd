"""`data:` URLs in JSON bodies: taken out while they arrive, with less memory than they have bytes."""

import base64
import json
import random
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from apps.api.uploads.errors import BadUpload, UploadTooLarge
from apps.api.uploads.json_with_image import JsonWithImage
from libs.outbound import UrlNotAnImage, UrlTooLarge
from tests.support.client import Answer, Client
from tests.support.shared_sites import NewSite, signed_in
from tests.support.site_contents import refused, scratch_is_empty

DATA = random.Random(1).randbytes(5000)  # noqa: S311 - not a secret
BASE64 = base64.b64encode(DATA).decode()
URL = f"data:image/png;base64,{BASE64}"
MAX_BYTES = 10_000


def split(body: str | bytes, *, every: int) -> tuple[Any, bytes]:
    """Return the decoded text and the image of a body that comes in chunks of this size."""
    body = body.encode() if isinstance(body, str) else body
    splitter = JsonWithImage(max_file_bytes=MAX_BYTES)
    image = b"".join(splitter.feed(body[at : at + every]) for at in range(0, len(body), every))
    assert splitter.has_file == bool(image)
    return json.loads(splitter.text.decode()), image


@pytest.mark.parametrize("every", [1, 7, 100, 100_000])
@pytest.mark.parametrize(
    "url",
    [
        URL,
        URL.replace("/", "\\/"),  # as PHP writes it
        URL.replace("+", "\\u002b"),
        URL.replace("+", "-").replace("/", "_").rstrip("="),
        "data:;base64," + "\\n".join(BASE64[at : at + 76] for at in range(0, len(BASE64), 76)),
        "  DATA:image/png;base64," + quote(BASE64),
        "data:application/octet-stream," + quote(DATA),
    ],
)
def test_the_bytes_of_the_url_are_taken_out(url: str, every: int) -> None:
    body = (
        f'{{"filename": "a \\"b\\\\", "x": {{"image_url": "{URL}"}}, "image_url" : "{url}", "n": [1, "]"]}}'
    )
    text, image = split(body, every=every)
    assert image == DATA
    head = json.loads(f'"{url.partition(",")[0]},"')
    assert text == {"filename": 'a "b\\', "x": {"image_url": URL}, "image_url": head, "n": [1, "]"]}


@pytest.mark.parametrize("every", [1, 10, 100_000])
@pytest.mark.parametrize(
    "value",
    [
        {"image_url": "https://example.org/a,b.png"},
        {"image_url": "data:image/png;base64"},
        {"image_url": ""},
        {"image_url": None, "filename": URL},
        {"image_url": ["data:;base64,AAAA"]},
        {'key "image_url': 1, "image_url": {"image_url": URL}},
        [{"image_url": URL}],
        "image_url",
    ],
)
def test_anything_else_is_left_as_it_is(value: object, every: int) -> None:
    assert split(json.dumps(value), every=every) == (value, b"")


def test_a_url_in_disguise_is_taken_out_or_left_to_whoever_decodes_it() -> None:
    text = '{"image\\u005furl": "data:,a"}'
    assert split(text, every=5) == (json.loads(text), b"")
    assert split('{"image_url": "\\u0064ata:,a"}', every=5) == ({"image_url": "data:,"}, b"a")


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ('{"image_url": "data:;base64,A"}', UrlNotAnImage),
        ('{"image_url": "data:;base64,AA=A"}', UrlNotAnImage),
        ('{"image_url": "data:;base64,?AAA"}', UrlNotAnImage),
        ('{"image_url": "data:;base64,' + "A" * 20_000 + '"}', UrlTooLarge),
        ('{"image_url": "data:,a", "image_url": "data:,b"}', BadUpload),
        ('{"filename": "' + "x" * 1_100_000, UploadTooLarge),
    ],
)
def test_a_url_that_will_not_do_is_refused_as_it_arrives(body: str, error: type[Exception]) -> None:
    for every in (9, 1000):
        with pytest.raises(error):
            split(body, every=every)


@pytest.mark.parametrize("new_site", ["embedded"], indirect=True)
async def test_twenty_megabytes_in_a_url_are_never_in_memory(new_site: NewSite, small_picture: bytes) -> None:
    site = await new_site()
    url = "data:image/png;base64," + base64.b64encode(small_picture + bytes(20_000_000)).decode()
    async with signed_in(site) as client:
        await uploaded(client, "data:image/png;base64," + base64.b64encode(small_picture).decode())
        [process] = site.apps.values()
        before = peak_bytes(process.pid)
        image = await uploaded(client, url)
        assert image["size_bytes"] == len(small_picture) + 20_000_000
        assert peak_bytes(process.pid) - before < 15_000_000
        refused(await upload(client, url[:-5000] + "?"), 415, "url_not_an_image")
        await scratch_is_empty(site)


async def upload(client: Client, url: str) -> Answer:
    body = json.dumps({"image_url": url, "retention": "ephemeral"}).encode()
    headers = {"Content-Type": "application/json"}
    return await client.post("/api/images", data=BytesIO(body), headers=headers)


async def uploaded(client: Client, url: str) -> Any:
    answer = await upload(client, url)
    assert answer.status == 201, answer
    return answer.json


def peak_bytes(pid: int) -> int:
    """Return the most memory that a process has had."""
    status = Path(f"/proc/{pid}/status").read_text()
    [line] = [line for line in status.splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) * 1024

"""Images by URL over HTTP: what is sent, under which headers, and to whom."""

import hashlib
from email.utils import parsedate_to_datetime
from io import BytesIO
from pathlib import Path
from time import time
from typing import Any
from uuid import uuid4

import pytest
from PIL import Image

from tests.support.addresses import fetched, remote, signed
from tests.support.client import Client
from tests.support.photo_server import PhotoServer
from tests.support.shared_sites import ON_ONE_SITE
from tests.support.site_contents import assert_untrusted

BROWSER = {"Accept": "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"}


@pytest.fixture(scope="session")
async def image(shared_client: Client, photo: Path) -> dict[str, Any]:
    """A photograph, 640 x 427, that stays."""
    image = (await shared_client.upload(photo)).json
    return (
        await shared_client.call("PATCH", f"/api/images/{image['id']}", json={"filename": "ä b.jpg"})
    ).json


def opened(body: bytes) -> Image.Image:
    return Image.open(BytesIO(body))


async def test_an_address_gives_the_pixels_that_a_job_gives(
    shared_client: Client, image: dict[str, Any]
) -> None:
    steps = "w_300,h_200,fit_cover:grayscale:convert,format_png"
    answer = await fetched(shared_client, signed(steps, image["id"]))
    job = await shared_client.post(
        f"/api/images/{image['id']}/transform",
        json={
            "operations": [
                {"op": "resize", "width": 300, "height": 200, "fit": "cover"},
                {"op": "grayscale"},
                {"op": "convert", "format": "png"},
            ]
        },
        headers={"Prefer": "wait=60"},
    )
    result = await shared_client.get(f"/api/images/{job.json['image_id']}/download")
    assert (answer.status, answer.body) == (200, result.body)


@ON_ONE_SITE
@pytest.mark.parametrize(
    ("accept", "mime"),
    [
        (BROWSER["Accept"], "image/avif"),
        ("image/webp,*/*", "image/webp"),
        ("image/avif;q=0, image/webp;q=0.5", "image/webp"),
        ("image/jxl, image/png", "image/jpeg"),
        ("*/*", "image/jpeg"),
        ("", "image/jpeg"),
    ],
)
async def test_without_an_extension_the_client_says_what_it_takes(
    shared_client: Client, image: dict[str, Any], accept: str, mime: str
) -> None:
    answer = await fetched(shared_client, signed("w_64", image["id"]), headers={"Accept": accept})
    assert (answer.headers["Content-Type"], answer.headers["Vary"]) == (mime, "Accept")
    assert Image.MIME[opened(answer.body).format or ""] == mime


@ON_ONE_SITE
@pytest.mark.parametrize(
    ("extension", "mime"),
    [
        ("jpg", "image/jpeg"),
        ("JPEG", "image/jpeg"),
        ("png", "image/png"),
        ("webp", "image/webp"),
        ("avif", "image/avif"),
        ("gif", "image/gif"),
        ("jxl", "image/jxl"),
    ],
)
async def test_an_extension_decides_whatever_the_client_takes(
    shared_client: Client, image: dict[str, Any], extension: str, mime: str
) -> None:
    path = f"{signed('w_64:convert,format_webp', image['id'])}.{extension}"
    answer = await fetched(shared_client, path, headers=BROWSER)
    assert answer.headers["Content-Type"] == mime
    assert "Vary" not in answer.headers


@ON_ONE_SITE
async def test_what_is_clear_stays_clear_where_the_client_takes_no_new_format(
    shared_client: Client, image: dict[str, Any]
) -> None:
    answer = await fetched(shared_client, signed("w_64:round_corners,radius_20", image["id"]))
    assert answer.headers["Content-Type"] == "image/png"


async def test_an_answer_carries_all_that_caches_and_browsers_need(
    shared_client: Client, image: dict[str, Any]
) -> None:
    answer = await fetched(shared_client, signed("w_65", image["id"]) + ".webp")
    headers = answer.headers
    assert headers["ETag"] == f'"{hashlib.md5(answer.body).hexdigest()}"'  # noqa: S324
    assert parsedate_to_datetime(headers["Last-Modified"])
    assert headers["Accept-Ranges"] == "bytes"
    assert headers["Content-Length"] == str(len(answer.body))
    assert headers["Content-Disposition"].startswith("inline; ")
    assert headers["Content-Disposition"].endswith("filename*=UTF-8''%C3%A4%20b.webp")
    assert headers["Cache-Status"] == "darkroom; fwd=miss; stored"
    assert headers["Server-Timing"].startswith("render;dur=")
    assert headers["Cache-Tag"] == f"img-{image['id']}"
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert_untrusted(answer)
    again = await fetched(shared_client, signed("w_65", image["id"]) + ".webp")
    assert again.body == answer.body
    assert again.headers["Cache-Status"].startswith("darkroom; hit")


@ON_ONE_SITE
async def test_only_the_address_of_the_present_version_is_kept_for_good(
    shared_client: Client, image: dict[str, Any]
) -> None:
    path = signed("w_66", image["id"])
    versions = {
        f"{path}~{image['md5'][:8]}": "public, max-age=31536000, immutable",
        path: "public, max-age=3600, stale-while-revalidate=86400",
        f"{path}~00000000.jpg": "public, max-age=3600, stale-while-revalidate=86400",
    }
    answers = {path: await fetched(shared_client, path) for path in versions}
    assert {path: answer.headers["Cache-Control"] for path, answer in answers.items()} == versions
    assert len({answer.body for answer in answers.values()}) == 1


@ON_ONE_SITE
async def test_no_cache_keeps_an_answer_beyond_the_expiry_of_its_address(
    shared_client: Client, image: dict[str, Any]
) -> None:
    def of(seconds: int) -> str:
        return signed(f"w_67:exp_{int(time()) + seconds}", image["id"])

    short, long = await fetched(shared_client, of(100)), await fetched(shared_client, of(10**6))
    versioned = await fetched(shared_client, f"{of(1000)}~{image['md5'][:8]}")
    assert short.headers["ETag"] == long.headers["ETag"]
    assert 90 <= int(short.headers["Cache-Control"].removeprefix("public, max-age=")) <= 100
    assert long.headers["Cache-Control"] == "public, max-age=3600, stale-while-revalidate=86400"
    assert 990 <= int(versioned.headers["Cache-Control"].split("=")[1].split(",")[0]) <= 1000
    expired = await fetched(shared_client, of(-1))
    assert (expired.status, expired.code) == (403, "address_expired")


@ON_ONE_SITE
async def test_a_client_that_has_the_version_gets_304_with_the_headers_of_the_200(
    shared_client: Client, image: dict[str, Any]
) -> None:
    path = signed("w_68", image["id"])
    whole = await fetched(shared_client, path)
    etag, modified = whole.headers["ETag"], whole.headers["Last-Modified"]
    for condition in ({"If-None-Match": f'"x", W/{etag}'}, {"If-Modified-Since": modified}):
        answer = await fetched(shared_client, path, headers=condition)
        assert (answer.status, answer.body) == (304, b"")
        for name in ("ETag", "Cache-Control", "Vary", "Last-Modified", "Access-Control-Allow-Origin"):
            assert answer.headers[name] == whole.headers[name]
    for condition in ({"If-None-Match": '"x"'}, {"If-Modified-Since": "Thu, 01 Jan 1970 00:00:00 GMT"}):
        assert (await fetched(shared_client, path, headers=condition)).status == 200


@ON_ONE_SITE
async def test_ranges_and_heads_are_those_of_the_whole_file(
    shared_client: Client, image: dict[str, Any]
) -> None:
    path = signed("w_69", image["id"])
    whole = await fetched(shared_client, path)
    part = await fetched(shared_client, path, headers={"Range": "bytes=10-19"})
    assert (part.status, part.body) == (206, whole.body[10:20])
    assert part.headers["Content-Range"] == f"bytes 10-19/{len(whole.body)}"
    head = await fetched(shared_client, path, method="HEAD")
    assert (head.status, head.body) == (200, b"")
    assert head.headers["Content-Length"] == str(len(whole.body))
    beyond = await fetched(shared_client, path, headers={"Range": "bytes=9999999-"})
    assert (beyond.status, beyond.headers["Content-Range"]) == (416, f"bytes */{len(whole.body)}")


async def test_a_large_result_is_streamed_whole_and_in_part(shared_client: Client, photos: Path) -> None:
    image = (await shared_client.upload(photos / "astronaut.png")).json
    path = signed("convert,format_bmp", image["id"]) + ".png"
    first, again = await fetched(shared_client, path), await fetched(shared_client, path)
    assert len(first.body) > 300_000
    assert first.body == again.body
    part = await fetched(shared_client, path, headers={"Range": "bytes=-5"})
    assert part.body == first.body[-5:]


@ON_ONE_SITE
@pytest.mark.parametrize(
    ("query", "size"), [("?w=128", (128, 85)), ("?w=128&utm_source=x", (128, 85)), ("", (300, 200))]
)
async def test_the_browser_chooses_a_width_under_one_signature(
    shared_client: Client, image: dict[str, Any], query: str, size: tuple[int, int]
) -> None:
    answer = await fetched(shared_client, signed("w_300,h_200,fit_cover", image["id"]) + query)
    assert opened(answer.body).size == size


@ON_ONE_SITE
@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("?w=129", "width_not_offered"),
        ("?w=x", "address_invalid"),
        ("?width=128", "address_invalid"),
        ("?q=50", "address_invalid"),
    ],
)
async def test_other_widths_and_other_services_parameters_are_refused(
    shared_client: Client, image: dict[str, Any], query: str, code: str
) -> None:
    answer = await fetched(shared_client, signed("w_300", image["id"]) + query)
    assert answer.code == code
    assert answer.headers["Cache-Control"] == "public, max-age=10"
    assert answer.headers["Vary"] == "Accept"


@ON_ONE_SITE
async def test_only_the_right_signature_opens_an_image(shared_client: Client, image: dict[str, Any]) -> None:
    good = signed("w_300", image["id"])
    key, signature = good.split("/")[2].split(".")
    refused = {
        good.replace(signature, signature[:-5] + "AAAAA"): "address_signature_invalid",
        good.replace("w_300", "w_301"): "address_signature_invalid",
        good.replace(f"{key}.", "k9."): "address_signature_invalid",
        good.replace(image["id"], str(uuid4())): "address_signature_invalid",
        good.replace(f"{key}.{signature}", "-"): "address_not_signed",
        f"/t/-/card/{image['id']}": "image_not_found",
        signed("w_300", str(uuid4())): "image_not_found",
        signed("nopreset", image["id"]): "preset_not_found",
        signed("w_300,hight_9", image["id"]): "steps_invalid",
        good + "/": "address_invalid",
        good.replace("/w_300/", "//w_300/"): "address_invalid",
        good.replace("/w_300/", "%2Fw_300/"): "address_invalid",
    }
    answers = {path: await fetched(shared_client, path) for path in refused}
    assert {path: answer.code for path, answer in answers.items()} == refused
    assert all(400 <= answer.status < 500 for answer in answers.values())


@ON_ONE_SITE
async def test_an_image_that_deletes_itself_has_no_address(shared_client: Client, photo: Path) -> None:
    image = (await shared_client.upload(photo, retention="ephemeral")).json
    answer = await fetched(shared_client, signed("w_300", image["id"]))
    assert (answer.status, answer.code) == (404, "image_not_found")


@ON_ONE_SITE
async def test_a_text_with_every_separator_is_drawn(shared_client: Client, image: dict[str, Any]) -> None:
    plain = await fetched(shared_client, signed("w_300", image["id"]) + ".png")
    text = "watermark,text_a%2Cb%3Ac%2Fd%20%2B%C3%A9_1,size_20"
    marked = await fetched(shared_client, signed(f"w_300:{text}", image["id"]) + ".png")
    assert marked.status == 200
    assert marked.body != plain.body


@ON_ONE_SITE
async def test_separators_that_a_proxy_has_encoded_do_not_break_the_signature(
    shared_client: Client, image: dict[str, Any]
) -> None:
    path = signed("w_300,h_200,fit_cover:grayscale", image["id"])
    encoded = path.replace(",", "%2C").replace(":", "%3A")
    assert (await fetched(shared_client, encoded)).body == (await fetched(shared_client, path)).body


@ON_ONE_SITE
async def test_other_methods_are_refused_and_a_preflight_is_answered(
    shared_client: Client, image: dict[str, Any]
) -> None:
    path = signed("w_300", image["id"])
    posted = await fetched(shared_client, path, method="POST")
    assert (posted.status, posted.headers["Allow"]) == (405, "GET, HEAD, OPTIONS")
    preflight = await fetched(shared_client, path, method="OPTIONS", headers={"Origin": "https://a.example"})
    assert (preflight.status, preflight.headers["Access-Control-Allow-Origin"]) == (204, "*")


@ON_ONE_SITE
async def test_steps_that_the_image_is_too_small_for_are_an_error_that_caches_forget_soon(
    shared_client: Client, image: dict[str, Any]
) -> None:
    answer = await fetched(shared_client, signed("crop,x_600,width_600,height_300", image["id"]))
    assert (answer.status, answer.code) == (422, "crop_outside")
    assert answer.headers["Cache-Control"] == "public, max-age=10"


@ON_ONE_SITE
async def test_remote_images_are_refused_unless_the_operator_lists_them(
    shared_client: Client, photo_server: PhotoServer
) -> None:
    answer = await fetched(shared_client, signed("w_300", remote(f"{photo_server.url}/photo.jpg")))
    assert (answer.status, answer.code) == (403, "source_not_allowed")

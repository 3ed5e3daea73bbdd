"""Clients of the transformation service move in unchanged: their documented requests, sent by curl."""

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from PIL import Image, ImageDraw, ImageOps

from tests.api.legacy.curl_requests import BLUE, JSON, ROUNDING, body, colours, opened, visible
from tests.support.client import Client
from tests.support.curl import Curl
from tests.support.photo_server import PhotoServer
from tests.support.shared_sites import ON_ONE_SITE
from tests.support.site_contents import refused

pytestmark = ON_ONE_SITE


@pytest.mark.parametrize("slash", ["/", ""])
async def test_an_upload_has_a_link_that_opens_and_stands_in_the_list(
    curl: Curl, anonymous_curl: Curl, photo: Path, slash: str
) -> None:
    made = await curl(f"/images{slash}", "-X", "POST", "-F", f"image=@{photo}")
    assert made.status == 201, made
    record = made.json
    assert (record["filename"], record["file_type"]) == (photo.name, "jpeg")
    assert record["id"]
    assert record["created_at"]
    link = await anonymous_curl(record["original_url"], "-L")
    assert (link.status, link.body) == (200, photo.read_bytes())
    [listed] = (await curl(f"/images{slash}")).json
    assert {name: listed[name] for name in ("id", "filename", "file_type", "created_at")} == {
        name: record[name] for name in ("id", "filename", "file_type", "created_at")
    }
    assert (await anonymous_curl(listed["original_url"], "-L")).body == photo.read_bytes()


async def test_an_upload_that_is_sent_again_with_its_key_is_answered_the_same(
    curl: Curl, corners: Path
) -> None:
    sent = ("-F", f"image=@{corners}", "-H", f"Idempotency-Key: {uuid4()}")
    first, second = await curl("/images/", *sent), await curl("/images/", *sent)
    assert (second.status, second.json["id"]) == (201, first.json["id"])
    assert second.json["file_type"] == "png"
    assert second.json["original_url"]


async def transformed(curl: Curl, image: Path, kind: Any, parameters: Any, *form: str) -> Image.Image:
    """What a transformation made, by the link that it answered with."""
    uploaded = (await curl("/images/", "-F", f"image=@{image}")).json["id"]
    request = form or (*JSON, *body(transformation_type=kind, transformation_parameters=parameters))
    answer = await curl(f"/images/{uploaded}/transform/", "-X", "POST", *request)
    assert answer.status == 200, answer
    assert answer.json["message"] == "Image transformation successful."
    assert answer.json["expires_in"] == 3600
    return opened(await Curl(curl.site, None)(answer.json["transformed_image_url"], "-L"))


async def test_resize_means_exactly_this_size_larger_too(curl: Curl, corners: Path) -> None:
    result = await transformed(curl, corners, "resize", {"width": 90, "height": 90})
    assert (result.format, result.size) == ("PNG", (90, 90))


async def test_crop_keeps_the_box(curl: Curl, corners: Path) -> None:
    box = {"x": 40, "y": 0, "width": 20, "height": 20}
    result = await transformed(curl, corners, "crop", box)
    assert (result.format, result.size) == ("PNG", (20, 20))
    assert colours(result) == [(400, BLUE)]


@pytest.fixture
def pictures(photos: Path, tmp_path: Path) -> dict[str, Path]:
    """A photograph of 600 x 400 as it is, with clear corners, and as a camera on its side stores it."""
    opaque, clear, turned = photos / "coffee.png", tmp_path / "clear.png", tmp_path / "turned.jpg"
    with Image.open(opaque) as picture:
        alpha = Image.new("L", picture.size)
        ImageDraw.Draw(alpha).ellipse((0, 0, *picture.size), fill=200)
        exif = Image.Exif()
        exif[0x0112] = 6
        picture.save(turned, exif=exif)
        picture.putalpha(alpha)
        picture.save(clear)
    return {"opaque": opaque, "clear": clear, "turned": turned}


@pytest.mark.parametrize("kind", ["opaque", "clear", "turned"])
@pytest.mark.parametrize(
    ("x", "y", "width", "height"),
    [
        (400, 300, 300, 400),
        (-50, -20, 200, 100),
        (-30, -40, 720, 720),
        (800, 700, 30, 20),
        (450, 90, 40, 30),
    ],
)
async def test_a_crop_beyond_the_image_is_filled_as_pillow_fills_it(
    curl: Curl, pictures: dict[str, Path], kind: str, x: int, y: int, width: int, height: int
) -> None:
    box = {"x": x, "y": y, "width": width, "height": height}
    result = await transformed(curl, pictures[kind], "crop", box)
    with Image.open(pictures[kind]) as source:
        expected = ImageOps.exif_transpose(source).crop((x, y, x + width, y + height))
    assert (result.format, result.mode, result.size) == ("PNG", expected.mode, expected.size)
    assert visible(result) == visible(expected)


async def test_a_crop_beyond_a_resized_image_is_filled_too(curl: Curl, corners: Path) -> None:
    parameters_of_all = {
        "resize": {"width": 120, "height": 80},
        "crop": {"x": 100, "y": 0, "width": 40, "height": 20},
    }
    result = await transformed(curl, corners, None, parameters_of_all)
    assert sorted(colours(result)) == [(400, (0, 0, 0)), (400, BLUE)]


@pytest.mark.parametrize("parameters", [90, {"degrees": 90}])
async def test_rotate_turns_counter_clockwise_and_makes_room(
    curl: Curl, corners: Path, parameters: Any
) -> None:
    result = await transformed(curl, corners, "rotate", parameters)
    with Image.open(corners) as source:
        assert result.convert("RGB").tobytes() == source.rotate(90, expand=True).tobytes()


@pytest.mark.parametrize(("kind", "turned"), [("flip", ImageOps.mirror), ("mirror", ImageOps.flip)])
async def test_flip_exchanges_left_and_right_and_mirror_top_and_bottom(
    curl: Curl, corners: Path, kind: str, turned: Any
) -> None:
    result = await transformed(curl, corners, kind, {})
    with Image.open(corners) as source:
        assert result.format == "PNG"
        assert result.convert("RGB").tobytes() == turned(source).tobytes()


async def test_compress_makes_a_jpeg_and_less_quality_makes_it_smaller(curl: Curl, photo: Path) -> None:
    uploaded = (await curl("/images/", "-F", f"image=@{photo}")).json["id"]
    sizes: list[int] = []
    for quality in (20, 80):
        request = body(transformation_type="compress", transformation_parameters={"quality": quality})
        answer = await curl(f"/images/{uploaded}/transform/", *JSON, *request)
        file = await curl(answer.json["transformed_image_url"], "-L")
        assert opened(file).format == "JPEG"
        sizes.append(len(file.body))
    assert sizes[0] < sizes[1] / 2


@pytest.mark.parametrize(
    ("parameters", "name"), [("webp", "WEBP"), ({"format": "jpg"}, "JPEG"), ("PNG", "PNG")]
)
async def test_format_decides_the_file_type(curl: Curl, corners: Path, parameters: Any, name: str) -> None:
    assert (await transformed(curl, corners, "format", parameters)).format == name


async def test_filters_are_those_that_are_true(curl: Curl, corners: Path) -> None:
    gray = await transformed(curl, corners, "filters", {"grayscale": True, "sepia": False})
    assert all(max(pixel) == min(pixel) for _, pixel in colours(gray))
    sepia = await transformed(curl, corners, "filters", {"grayscale": False, "sepia": True})
    assert all(red >= blue for _, (red, _, blue) in colours(sepia))


@pytest.mark.parametrize("key", ["transformation_parameters", "transformations"])
async def test_several_transformations_go_in_one_request(curl: Curl, corners: Path, key: str) -> None:
    uploaded = (await curl("/images/", "-F", f"image=@{corners}")).json["id"]
    parameters_of_all = {
        "resize": {"width": 120, "height": 80},
        "rotate": 90,
        "filters": {"grayscale": True},
        "format": "webp",
    }
    answer = await curl(f"/images/{uploaded}/transform/", *JSON, *body(**{key: parameters_of_all}))
    result = opened(await curl(answer.json["transformed_image_url"], "-L"))
    assert (result.format, result.size) == ("WEBP", (80, 120))
    assert all(max(pixel) - min(pixel) <= ROUNDING for _, pixel in colours(result))


@pytest.fixture
def logo(tmp_path: Path) -> Path:
    """Something blue to lay over: PNG, 10 x 10."""
    path = tmp_path / "logo.png"
    Image.new("RGB", (10, 10), BLUE).save(path)
    return path


async def test_a_watermark_is_an_image_of_ones_own_by_its_id(curl: Curl, corners: Path, logo: Path) -> None:
    mark = (await curl("/images/", "-F", f"image=@{logo}")).json["id"]
    parameters_of_all = {"image": mark, "position": "bottom_right"}
    result = (await transformed(curl, corners, "watermark", parameters_of_all)).convert("RGB")
    assert (result.getpixel((55, 35)), result.getpixel((45, 35))) == (BLUE, (0, 128, 0))


@pytest.mark.parametrize("part", ["image", "watermark", "logo"])
async def test_a_watermark_is_a_file_sent_along(curl: Curl, corners: Path, logo: Path, part: str) -> None:
    parameters_of_all: dict[str, Any] = {"position": [0, 30]}
    if part == "logo":
        parameters_of_all["image"] = "logo"
    form = (
        "-F", "transformation_type=watermark",
        "-F", f"transformation_parameters={json.dumps(parameters_of_all)}",
        "-F", f"{part}=@{logo}",
    )  # fmt: skip
    result = (await transformed(curl, corners, None, None, *form)).convert("RGB")
    assert (result.getpixel((5, 35)), result.getpixel((15, 35))) == (BLUE, (0, 128, 0))


async def test_a_watermark_is_fetched_from_its_url(
    photo_server: PhotoServer, curl: Curl, corners: Path, logo: Path
) -> None:
    url = photo_server.serve("/logo.png", logo.read_bytes())
    parameters_of_all = {"image": url, "position": "center"}
    result = (await transformed(curl, corners, "watermark", parameters_of_all)).convert("RGB")
    assert (result.getpixel((30, 20)), result.getpixel((20, 20))) == (BLUE, (0, 128, 0))


async def test_a_form_may_ask_for_any_transformation_by_bare_words(curl: Curl, corners: Path) -> None:
    form = ("-F", "transformation_type=format", "-F", "transformation_parameters=jpeg")
    assert (await transformed(curl, corners, None, None, *form)).format == "JPEG"


@pytest.mark.parametrize(
    ("kind", "parameters", "status", "code"),
    [
        ("melt", {}, 400, "invalid_request"),
        (None, None, 400, "invalid_request"),
        ("resize", {"width": 3}, 400, "invalid_request"),
        ("resize", {"width": 0, "height": 3}, 400, "invalid_request"),
        ("format", "tga", 400, "invalid_request"),
        ("rotate", None, 400, "invalid_request"),
        ("watermark", {"image": "nowhere"}, 422, "asset_missing"),
        ("watermark", {"image": str(uuid4())}, 404, "image_not_found"),
        ("watermark", {"image": "http://127.0.0.1/logo.png"}, 422, "url_forbidden"),
        ("crop", {"x": 16_384, "y": 0, "width": 16_384, "height": 5}, 400, "invalid_request"),
        ("crop", {"x": 0, "y": 0, "width": 16_384, "height": 16_384}, 422, "result_too_large"),
    ],
)
async def test_a_transformation_that_cannot_be_is_refused(
    curl: Curl, corners: Path, kind: str | None, parameters: Any, status: int, code: str
) -> None:
    uploaded = (await curl("/images/", "-F", f"image=@{corners}")).json["id"]
    request = body(transformation_type=kind, transformation_parameters=parameters)
    refused(await curl(f"/images/{uploaded}/transform/", *JSON, *request), status, code)


async def test_another_accounts_image_can_neither_be_transformed_nor_deleted(
    curl: Curl, other_client: Client, corners: Path
) -> None:
    uploaded = (await curl("/images/", "-F", f"image=@{corners}")).json["id"]
    other_curl = Curl(other_client.site, other_client.token)
    request = body(transformation_type="flip", transformation_parameters={})
    refused(await other_curl(f"/images/{uploaded}/transform/", *JSON, *request), 404, "image_not_found")
    refused(await other_curl(f"/images/{uploaded}/", "-X", "DELETE"), 404, "image_not_found")
    assert (await other_curl("/images/")).json == []


@pytest.mark.parametrize("path", ["/images/{}/", "/api/images/images/{}/", "/images/{}"])
async def test_an_image_that_is_deleted_is_gone_from_store_and_database(
    curl: Curl, corners: Path, path: str
) -> None:
    record = (await curl("/images/", "-F", f"image=@{corners}")).json
    assert (await curl(path.format(record["id"]), "-X", "DELETE")).status == 200
    assert (await curl("/images/")).json == []
    assert (await curl(record["original_url"], "-L")).status == 404

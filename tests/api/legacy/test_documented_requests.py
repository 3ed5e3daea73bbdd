"""Clients of older services move in unchanged: their documented requests, sent by curl as they stand."""

import hashlib
import json
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import imagehash
import pytest
from PIL import Image, ImageDraw, ImageOps

from tests.support.client import PASSWORD, Answer, Client
from tests.support.curl import Curl
from tests.support.photo_server import PhotoServer
from tests.support.site import Site
from tests.support.site_contents import refused

JSON = ("-H", "Content-Type: application/json")
RED, BLUE = (255, 0, 0), (0, 0, 255)
ROUNDING = 4  # levels that a lossy format may change


@pytest.fixture
def curl(client: Client) -> Curl:
    """A new account's curl."""
    return Curl(client.site, client.token)


@pytest.fixture
def anonymous_curl(site: Site) -> Curl:
    """Somebody without an account."""
    return Curl(site, None)


@pytest.fixture
def corners(tmp_path: Path) -> Path:
    """A picture by whose corners one sees how it lies: PNG, 60 x 40; red top left, blue top right."""
    picture = Image.new("RGB", (60, 40), (0, 128, 0))
    picture.paste(RED, (0, 0, 20, 20))
    picture.paste(BLUE, (40, 0, 60, 20))
    path = tmp_path / "corners.png"
    picture.save(path)
    return path


def body(**fields: Any) -> tuple[str, str]:
    return ("-d", json.dumps(fields))


def opened(answer: Answer) -> Image.Image:
    assert answer.status == 200, answer
    return Image.open(BytesIO(answer.body))


def colours(image: Image.Image) -> list[tuple[int, Any]]:
    """How often which colour stands there."""
    return image.convert("RGB").getcolors(image.width * image.height) or []


def visible(image: Image.Image) -> bytes:
    """The pixels, where those that are wholly clear have no colour."""
    return Image.alpha_composite(Image.new("RGBA", image.size), image.convert("RGBA")).tobytes()


# Hash records


@pytest.mark.parametrize("slash", ["/", ""])
async def test_a_hash_record_is_made_from_a_url_and_answered_when_it_is_hashed(
    photo_server: PhotoServer, curl: Curl, photo: Path, slash: str
) -> None:
    url = photo_server.serve("/photo.jpg", photo.read_bytes())
    made = await curl(f"/api/images/create{slash}", "-X", "POST", *JSON, *body(image_url=url))
    assert made.status == 201, made
    record = made.json
    original = await curl(f"/api/images/{record['id']}/download/?version=original")
    assert (record["image_url"], record["md5_hash"]) == (url, hashlib.md5(original.body).hexdigest())  # noqa: S324
    assert record["phash"] == str(imagehash.phash(opened(original)))

    [listed] = (await curl("/api/images/")).json
    one = (await curl(f"/api/images/{record['id']}/")).json
    for found in (listed, one):
        assert {name: found[name] for name in ("id", "image_url", "md5_hash", "phash")} == {
            name: record[name] for name in ("id", "image_url", "md5_hash", "phash")
        }


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_a_record_whose_url_changes_is_hashed_again_and_one_that_is_deleted_is_gone(
    photo_server: PhotoServer, curl: Curl, photo: Path, corners: Path, method: str
) -> None:
    first = photo_server.serve("/photo.jpg", photo.read_bytes())
    made = (await curl("/api/images/create/", *JSON, *body(image_url=first))).json
    second = photo_server.serve("/other.png", corners.read_bytes())
    changed = await curl(f"/api/images/{made['id']}/", "-X", method, *JSON, *body(image_url=second))
    assert (changed.status, changed.json["id"], changed.json["image_url"]) == (200, made["id"], second)
    assert changed.json["md5_hash"] != made["md5_hash"]
    assert changed.json["phash"] != made["phash"]

    gone = await curl(f"/api/images/{made['id']}/", "-X", "DELETE")
    assert (gone.status, gone.json) == (200, {"message": "Record deleted successfully"})
    refused(await curl(f"/api/images/{made['id']}/"), 404, "image_not_found")
    refused(await curl(f"/api/images/{made['id']}/", "-X", "DELETE"), 404, "image_not_found")


async def test_a_record_that_takes_longer_than_the_client_waits_is_answered_202(
    photo_server: PhotoServer, curl: Curl
) -> None:
    url = photo_server.url("/drip")
    answer = await curl("/api/images/create/", *JSON, *body(image_url=url), "-H", "Prefer: wait=1")
    assert answer.status == 202
    assert answer.headers["Location"].endswith(f"/api/jobs/{answer.json['id']}")


async def test_a_record_without_its_url_is_a_bad_request(curl: Curl) -> None:
    refused(await curl("/api/images/create/", "-X", "POST", *JSON, *body()), 400, "invalid_request")


# Accounts


@pytest.mark.parametrize("path", ["/api/register/", "/users/register/", "/api/register", "/users/register"])
async def test_an_account_is_registered_and_its_password_never_told(anonymous_curl: Curl, path: str) -> None:
    name = f"user-{uuid4().hex[:12]}"
    asked = body(username=name, email=f"{name}@example.org", password=PASSWORD)
    made = await anonymous_curl(path, "-X", "POST", *JSON, *asked)
    assert made.status == 201
    told = {field: made.json[field] for field in ("username", "email", "last_login")}
    assert told == {"username": name, "email": f"{name}@example.org", "last_login": None}
    assert PASSWORD not in made.body.decode()
    assert "password" not in made.json
    refused(await anonymous_curl(path, "-X", "POST", *JSON, *asked), 409, "username_taken")


async def test_the_account_of_a_pipeline_client_comes_with_a_message_and_data(anonymous_curl: Curl) -> None:
    name = f"user-{uuid4().hex[:12]}"
    made = await anonymous_curl(
        "/accounts/register/",
        *JSON,
        *body(username=name, email=f"{name}@example.org", password=PASSWORD),
    )
    assert made.status == 201
    assert made.json["message"]
    assert (made.json["data"]["username"], made.json["data"]["email"]) == (name, f"{name}@example.org")


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("/api/login/", ("access_token", "refresh_token")),
        ("/api/token/", ("access", "refresh")),
        ("/accounts/login/", ("access", "refresh")),
    ],
)
async def test_a_login_gives_tokens_under_the_names_that_the_client_reads(
    client: Client, anonymous_curl: Curl, path: str, names: tuple[str, str]
) -> None:
    credentials = {"username": client.username, "password": PASSWORD}
    if path == "/api/login/":
        credentials["email"] = f"{client.username}@example.org"
    answer = await anonymous_curl(path, "-X", "POST", *JSON, *body(**credentials))
    assert answer.status == 200
    access, refresh = (answer.json[name] for name in names)
    assert (await Curl(client.site, access)("/images/")).status == 200
    assert refresh != access
    wrong = await anonymous_curl(path, *JSON, *body(**{**credentials, "password": "wrong password"}))
    refused(wrong, 401, "bad_credentials")


@pytest.mark.parametrize("path", ["/api/token/refresh", "/api/token/refresh/", "/accounts/refresh/"])
async def test_a_client_that_keeps_its_refresh_token_may_refresh_with_it_again_and_again(
    client: Client, anonymous_curl: Curl, path: str
) -> None:
    for _ in range(3):
        answer = await anonymous_curl(path, *JSON, *body(refresh=client.refresh_token))
        assert answer.status == 200, answer
        assert answer.json["refresh"] == client.refresh_token
        assert (await Curl(client.site, answer.json["access"])("/images/")).status == 200
    refused(await anonymous_curl(path, *JSON, *body(refresh="nothing.of.ours")), 401, "token_invalid")
    refused(await anonymous_curl(path, *JSON, *body()), 400, "invalid_request")


@pytest.mark.parametrize("path", ["/accounts/logout/", "/account/logout/", "/account/logout"])
async def test_a_logout_is_answered_205_and_ends_the_login(
    client: Client, curl: Curl, anonymous_curl: Curl, path: str
) -> None:
    out = await curl(path, "-X", "POST", *JSON, *body(refresh=client.refresh_token))
    assert (out.status, out.body) == (205, b"")
    refused(await curl("/images/"), 401, "not_authenticated")
    again = await anonymous_curl("/api/token/refresh", *JSON, *body(refresh=client.refresh_token))
    refused(again, 401, "token_invalid")


async def test_a_token_that_was_used_up_the_new_way_does_not_refresh_the_old_way(
    client: Client, anonymous_curl: Curl
) -> None:
    used = await anonymous_curl("/accounts/refresh", *JSON, *body(refresh_token=client.refresh_token))
    assert used.status == 200
    again = await anonymous_curl("/api/token/refresh", *JSON, *body(refresh=client.refresh_token))
    refused(again, 401, "token_reused")


# Transforms


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
    asked = form or (*JSON, *body(transformation_type=kind, transformation_parameters=parameters))
    answer = await curl(f"/images/{uploaded}/transform/", "-X", "POST", *asked)
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
    wanted = {"resize": {"width": 120, "height": 80}, "crop": {"x": 100, "y": 0, "width": 40, "height": 20}}
    result = await transformed(curl, corners, None, wanted)
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
        asked = body(transformation_type="compress", transformation_parameters={"quality": quality})
        answer = await curl(f"/images/{uploaded}/transform/", *JSON, *asked)
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
    wanted = {
        "resize": {"width": 120, "height": 80},
        "rotate": 90,
        "filters": {"grayscale": True},
        "format": "webp",
    }
    answer = await curl(f"/images/{uploaded}/transform/", *JSON, *body(**{key: wanted}))
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
    wanted = {"image": mark, "position": "bottom_right"}
    result = (await transformed(curl, corners, "watermark", wanted)).convert("RGB")
    assert (result.getpixel((55, 35)), result.getpixel((45, 35))) == (BLUE, (0, 128, 0))


@pytest.mark.parametrize("part", ["image", "watermark", "logo"])
async def test_a_watermark_is_a_file_sent_along(curl: Curl, corners: Path, logo: Path, part: str) -> None:
    wanted: dict[str, Any] = {"position": [0, 30]}
    if part == "logo":
        wanted["image"] = "logo"
    form = (
        "-F", "transformation_type=watermark",
        "-F", f"transformation_parameters={json.dumps(wanted)}",
        "-F", f"{part}=@{logo}",
    )  # fmt: skip
    result = (await transformed(curl, corners, None, None, *form)).convert("RGB")
    assert (result.getpixel((5, 35)), result.getpixel((15, 35))) == (BLUE, (0, 128, 0))


async def test_a_watermark_is_fetched_from_its_url(
    photo_server: PhotoServer, curl: Curl, corners: Path, logo: Path
) -> None:
    url = photo_server.serve("/logo.png", logo.read_bytes())
    wanted = {"image": url, "position": "center"}
    result = (await transformed(curl, corners, "watermark", wanted)).convert("RGB")
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
    asked = body(transformation_type=kind, transformation_parameters=parameters)
    refused(await curl(f"/images/{uploaded}/transform/", *JSON, *asked), status, code)


async def test_another_accounts_image_can_neither_be_transformed_nor_deleted(
    curl: Curl, other_client: Client, corners: Path
) -> None:
    uploaded = (await curl("/images/", "-F", f"image=@{corners}")).json["id"]
    other_curl = Curl(other_client.site, other_client.token)
    asked = body(transformation_type="flip", transformation_parameters={})
    refused(await other_curl(f"/images/{uploaded}/transform/", *JSON, *asked), 404, "image_not_found")
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


# Pipeline


def steps(*found: tuple[str, dict[str, Any]]) -> str:
    named = [{"operation_type": kind, "parameters": parameters} for kind, parameters in found]
    return f"operations={json.dumps(named)}"


EVERY_STEP = steps(
    ("resize", {"width": 80, "height": 80}),
    ("filter", {"type": "grayscale"}),
    ("filter", {"type": "blur"}),
    ("filter", {"type": "sharpen"}),
    ("compress", {"quality": 70}),
    ("convert", {"format": "webp"}),
)


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("glue", ["/download/", "download/", "download", "/download"])
async def test_a_pipeline_upload_is_followed_to_its_file(
    curl: Curl, client: Client, corners: Path, method: str, glue: str
) -> None:
    made = await curl("/api/images/", "-X", "POST", "-F", f"original_image=@{corners}", "-F", EVERY_STEP)
    assert made.status in (201, 202), made
    record = made.json
    assert record["status"] in ("pending", "processing", "completed")
    assert (record["image_format"], record["detail_url"]) == (
        "png",
        f"{curl.site.url}/api/images/{record['id']}",
    )
    assert record["created_at"]
    await client.job_done(record["job_id"])
    seen = (await curl(record["detail_url"] + "/", "-X", method)).json
    assert (seen["id"], seen["status"], seen["seconds_remaining"]) == (record["id"], "completed", 0)
    assert seen["estimated_ready_at"] >= seen["created_at"]
    assert seen["download_url"] == record["detail_url"] + "/download"
    file = await curl(f"/api/images/{record['id']}{glue}", "-X", method)
    result = opened(file)
    assert (result.format, result.size) == ("WEBP", (80, 80))
    after = (await curl(record["detail_url"])).json
    assert after["first_downloaded_at"] is not None  # the five minutes have begun


@pytest.mark.parametrize(("word", "name"), [("jpg", "JPEG"), ("png", "PNG"), ("webp", "WEBP")])
async def test_a_pipeline_converts_to_what_it_names(curl: Curl, corners: Path, word: str, name: str) -> None:
    form = ("-F", f"original_image=@{corners}", "-F", steps(("convert", {"format": word})))
    made = await curl("/api/images/", *form, "-H", "Prefer: wait=30")
    assert (made.status, made.json["status"]) == (201, "completed")
    assert opened(await curl(f"/api/images/{made.json['id']}/download/")).format == name


async def test_a_pipeline_result_that_is_not_ready_is_a_bad_request(
    limited_client: Client, slow_picture: bytes, tmp_path: Path
) -> None:
    curl = Curl(limited_client.site, limited_client.token)
    slow = tmp_path / "slow.jpg"
    slow.write_bytes(slow_picture)
    form = ("-F", f"original_image=@{slow}", "-F", steps(("filter", {"type": "blur"})))
    made = (await curl("/api/images/", *form)).json
    early = await curl(f"/api/images/{made['id']}download/")
    assert refused(early, 400, "image_not_ready").startswith("Image not ready")
    seen = (await curl(f"/api/images/{made['id']}/")).json
    if seen["status"] != "completed":
        assert seen["status"] in ("pending", "processing")
        assert seen["seconds_remaining"] >= 1
    await limited_client.job_done(made["job_id"])
    assert (await curl(f"/api/images/{made['id']}download/")).status == 200


async def test_a_pipeline_that_fails_says_so(curl: Curl, client: Client, photo: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.jpg"
    cut.write_bytes(photo.read_bytes()[:20_000])
    form = ("-F", f"original_image=@{cut}", "-F", steps(("filter", {"type": "blur"})))
    made = (await curl("/api/images/", *form)).json
    assert (await client.job_done(made["job_id"]))["status"] == "failed"


@pytest.mark.parametrize(
    "form",
    [
        (steps(("melt", {})),),
        (steps(("filter", {"type": "melt"})),),
        (steps(("resize", {"width": 5})),),
        ("operations=[{}]",),
        ("operations=nothing",),
    ],
)
async def test_a_pipeline_that_cannot_be_is_refused(curl: Curl, corners: Path, form: tuple[str, ...]) -> None:
    sent = [word for field in form for word in ("-F", field)]
    answer = await curl("/api/images/", "-F", f"original_image=@{corners}", *sent)
    refused(answer, 400, "invalid_request")


async def test_a_form_with_two_images_is_refused(curl: Curl, corners: Path) -> None:
    both = ("-F", f"original_image=@{corners}", "-F", f"image=@{corners}")
    refused(await curl("/api/images/", *both), 400, "invalid_request")

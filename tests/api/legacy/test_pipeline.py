"""Clients of the pipeline service move in unchanged: their documented requests, sent by curl."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.api.legacy.curl_requests import opened
from tests.support.client import Client
from tests.support.curl import Curl
from tests.support.shared_sites import NewSite, signed_in
from tests.support.site_contents import refused


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


async def test_a_jpeg_has_the_format_jpg_as_it_had(curl: Curl, photo: Path) -> None:
    made = await curl("/api/images/", "-X", "POST", "-F", f"original_image=@{photo}")
    assert (made.json["image_format"], made.json["format"]) == ("jpg", "jpeg")


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
    assert made["download_url"] is None
    seen = (await curl(f"/api/images/{made['id']}/")).json
    if seen["status"] != "completed":
        assert seen["status"] in ("pending", "processing")
        assert seen["seconds_remaining"] >= 1
        assert seen["download_url"] is None
    await limited_client.job_done(made["job_id"])
    assert (await curl(f"/api/images/{made['id']}download/")).status == 200


async def download_urls(curl: Curl, record: dict[str, Any]) -> list[str | None]:
    """What each answer of the older service says of an image: by GET, by POST, and in the list."""
    answers = [(await curl(f"{record['detail_url']}/", "-X", method)).json for method in ("GET", "POST")]
    listed = [one for one in (await curl("/api/images/")).json if one["id"] == record["id"]]
    return [answer["download_url"] for answer in answers + listed]


@pytest.mark.services
@pytest.mark.parametrize("new_site", ["services"], indirect=True)
async def test_there_is_no_download_address_until_there_is_something_to_download(
    new_site: NewSite, corners: Path
) -> None:
    site = await new_site()
    async with signed_in(site) as client:
        curl, image = Curl(site, client.token), ("-F", f"original_image=@{corners}")
        await site.stop("worker")
        plain = (await curl("/api/images/", *image, "-F", "retention=keep")).json
        there = f"{plain['detail_url']}/download"
        assert plain["status"] == "pending"  # it is only not described yet
        assert [plain["download_url"], *await download_urls(curl, plain)] == [there] * 4

        made = (await curl("/api/images/", *image, "-F", EVERY_STEP)).json
        there = f"{made['detail_url']}/download"
        assert [made["download_url"], *await download_urls(curl, made)] == [None] * 4
        refused(await curl(f"{made['detail_url']}/download/"), 400, "image_not_ready")
        await site.start("worker")
        await client.job_done(made["job_id"])
        assert await download_urls(curl, made) == [there] * 3
        assert opened(await curl(there)).format == "WEBP"

        failing = {"operations": [{"op": "crop", "x": 0, "y": 0, "width": 9000, "height": 9000}]}
        job = (await client.post(f"/api/images/{plain['id']}/transform", json=failing)).json
        assert (await client.job_done(job["id"]))["status"] == "failed"
        assert await download_urls(curl, plain) == [None] * 3


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

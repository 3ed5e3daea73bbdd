"""Clients of the hash service move in unchanged: their documented requests, sent by curl."""

import hashlib
from pathlib import Path

import imagehash
import pytest

from tests.api.legacy.curl_requests import JSON, body, opened
from tests.support.curl import Curl
from tests.support.photo_server import PhotoServer
from tests.support.site_contents import refused


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

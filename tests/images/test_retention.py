"""Retention of an upload and of its result, set apart, by default and by the settings; from every door."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.client import Client
from tests.support.photo_server import PhotoServer
from tests.support.shared_sites import NewSite, signed_in
from tests.support.site_contents import refused

GRAY = [{"op": "grayscale"}]
CHOICES: list[tuple[dict[str, Any], str, str]] = [
    ({}, "ephemeral", "ephemeral"),
    ({"retention": "keep"}, "keep", "keep"),
    ({"result_retention": "keep"}, "ephemeral", "keep"),
    ({"retention": "keep", "result_retention": "ephemeral"}, "keep", "ephemeral"),
    ({"retention": "ephemeral", "result_retention": "ephemeral"}, "ephemeral", "ephemeral"),
]


def retained(image: dict[str, Any]) -> tuple[str, str]:
    for one in (image, image["result"]):
        assert (one["retention"] == "keep") == (one["expires_at"] is None) == (one["expires_reason"] is None)
    return image["retention"], image["result"]["retention"]


@pytest.mark.parametrize(("fields", "upload", "result"), CHOICES)
async def test_an_upload_and_its_result_have_a_retention_each(
    shared_client: Client, photo: Path, fields: dict[str, Any], upload: str, result: str
) -> None:
    image = (await shared_client.upload(photo, GRAY, wait_s=60, **fields)).json
    assert retained(image) == (upload, result)
    await shared_client.get(f"/api/images/{image['result']['id']}/download")
    seen = (await shared_client.get(f"/api/images/{image['id']}")).json
    group = upload == result == "ephemeral"
    assert (seen["first_downloaded_at"] is not None) == group  # of an expiry group, all expire together


@pytest.mark.parametrize(("fields", "upload", "result"), CHOICES)
async def test_a_fetched_image_and_its_result_have_a_retention_each(
    shared_client: Client,
    photo_server: PhotoServer,
    photo: Path,
    fields: dict[str, Any],
    upload: str,
    result: str,
) -> None:
    photo_server.serve("/retained.jpg", photo.read_bytes())
    body = {"image_url": photo_server.url("/retained.jpg"), "operations": GRAY, **fields}
    answer = await shared_client.post("/api/images", json=body, headers={"Prefer": "wait=60"})
    assert answer.status == 201, answer
    assert retained(answer.json) == (upload, result)


async def test_a_result_retention_without_a_result_is_refused(shared_client: Client, photo: Path) -> None:
    for answer in (
        await shared_client.upload(photo, result_retention="keep"),
        await shared_client.post(
            "/api/images", json={"image_url": "http://example.org/a.jpg", "result_retention": "keep"}
        ),
    ):
        refused(answer, 400, "invalid_request")
        assert "result_retention" in answer.json["detail"]
    answer = await shared_client.upload(photo, GRAY, result_retention="kept")
    refused(answer, 400, "invalid_request")
    assert "keep" in answer.json["detail"]


@pytest.mark.parametrize("new_site", ["embedded"], indirect=True)
async def test_the_default_of_uploads_with_operations_is_a_setting(new_site: NewSite, photo: Path) -> None:
    site = await new_site(RETENTION_WITH_OPERATIONS="keep")
    async with signed_in(site) as client:
        assert retained((await client.upload(photo, GRAY, wait_s=60)).json) == ("keep", "keep")
        one = await client.upload(photo, GRAY, wait_s=60, result_retention="ephemeral")
        assert retained(one.json) == ("keep", "ephemeral")

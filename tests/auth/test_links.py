"""Links: open without a token, for a time, and only as they were signed."""

import asyncio
from datetime import datetime
from pathlib import Path
from time import time
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import aiohttp
import jwt
import pytest
from yarl import URL

from libs.auth.links import LinkTarget, sign_link, sign_permanent_link, verify_link
from libs.auth.tokens import SignatureInvalid, sign_permanent
from tests.support.client import Answer, Client
from tests.support.site import SECRET
from tests.support.site_contents import refused, signed_again
from tests.support.waiting import WAIT_S

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@pytest.fixture
async def image(shared_client: Client, photo: Path) -> dict[str, Any]:
    """An ephemeral photograph that nobody has downloaded."""
    return (await shared_client.upload(photo, filename="Fährte.jpg", retention="ephemeral")).json


async def link_to(shared_client: Client, image: dict[str, Any], **request: object) -> dict[str, Any]:
    answer = await shared_client.post(f"/api/images/{image['id']}/link", json=request)
    assert answer.status == 201
    return answer.json


def test_a_token_is_a_json_web_token() -> None:
    claims = {"sub": str(uuid4()), "aud": "image"}
    assert sign_permanent(SECRET, "image", {"sub": claims["sub"]}) == jwt.encode(claims, SECRET)


async def opened(link: str) -> Answer:
    """What anyone gets who follows the link, wherever it leads."""
    async with aiohttp.ClientSession() as anyone:
        async with anyone.get(link, allow_redirects=False) as answer:
            url = answer.headers.get("Location", link)
        async with anyone.get(URL(url, encoded=True)) as answer:
            return Answer(answer.status, answer.headers.copy(), await answer.read())


async def test_a_link_opens_for_anyone_and_counts_as_the_download(
    shared_client: Client, image: dict[str, Any], photo: Path
) -> None:
    link = await link_to(shared_client, image)
    assert link["expires_in"] == 3600
    assert link["url"].startswith(f"{shared_client.site.url}/d/")
    async with aiohttp.ClientSession() as anyone, anyone.get(link["url"], allow_redirects=False) as answer:
        if shared_client.site.kind == "embedded":
            assert answer.status == 200
            url = link["url"]
        else:
            assert answer.status == 302
            assert answer.headers["Cache-Control"] == "no-store"
            url = answer.headers["Location"]
            assert "X-Amz-Signature" in url
    async with aiohttp.ClientSession() as anyone, anyone.get(URL(url, encoded=True)) as answer:
        assert answer.status == 200
        assert await answer.read() == photo.read_bytes()
        assert answer.headers["Content-Type"] == "image/jpeg"
        assert answer.headers["Content-Disposition"].startswith("inline; ")
        assert quote(image["filename"], safe="") in answer.headers["Content-Disposition"]
    saved = await opened(f"{link['url']}?attachment=true")
    assert saved.headers["Content-Disposition"].startswith("attachment; ")
    seen = (await shared_client.get(f"/api/images/{image['id']}")).json
    assert seen["first_downloaded_at"] is not None
    assert seen["expires_at"] < image["expires_at"]


async def test_the_head_of_a_link_does_not_count_as_a_download(
    shared_client: Client, image: dict[str, Any]
) -> None:
    link = await link_to(shared_client, image)
    head = await shared_client.call("HEAD", link["url"], token="", allow_redirects=False)
    assert head.status in (200, 302)
    assert (await shared_client.get(f"/api/images/{image['id']}")).json["first_downloaded_at"] is None


async def test_a_link_with_any_character_changed_opens_nothing_and_unchanged_it_still_opens(
    shared_client: Client, image: dict[str, Any], photo: Path
) -> None:
    link = (await link_to(shared_client, image))["url"]
    token = link.rpartition("/")[2]
    for at, character in enumerate(token):
        if character == ".":
            continue
        other = ALPHABET[(ALPHABET.index(character) + 1) % len(ALPHABET)]
        changed = f"{token[:at]}{other}{token[at + 1 :]}"
        refused(await shared_client.get(f"/d/{changed}", token=""), 401, "token_invalid")
    for changed in (token[:-1], f"{token}A", f"{token}=", f"A{token}", token.replace(".", "", 1), "x"):
        refused(await shared_client.get(f"/d/{changed}", token=""), 401, "token_invalid")
    assert (await shared_client.get(f"/api/images/{image['id']}")).json["first_downloaded_at"] is None
    whole = await opened(link)
    assert (whole.status, whole.body) == (200, photo.read_bytes())


async def test_a_link_whose_time_is_over_says_so(shared_client: Client, image: dict[str, Any]) -> None:
    link = await link_to(shared_client, image, expires_in=1)
    assert link["expires_in"] == 1
    async with asyncio.timeout(WAIT_S):
        while (
            answer := await shared_client.call("HEAD", link["url"], token="", allow_redirects=False)
        ).status != 401:
            await asyncio.sleep(0.05)
    refused(await shared_client.get(link["url"], token=""), 401, "token_expired")
    assert time() >= datetime.fromisoformat(link["expires_at"]).timestamp()
    assert answer.status == 401


async def test_a_link_never_outlasts_its_image(shared_client: Client, image: dict[str, Any]) -> None:
    await shared_client.get(f"/api/images/{image['id']}/download")
    ends = (await shared_client.get(f"/api/images/{image['id']}")).json["expires_at"]
    link = await link_to(shared_client, image, expires_in=604_800)
    assert datetime.fromisoformat(link["expires_at"]) <= datetime.fromisoformat(ends)
    assert 290 <= link["expires_in"] <= 300


async def test_a_link_opens_the_result_or_the_original(shared_client: Client, photo: Path) -> None:
    image = (await shared_client.upload(photo, [{"op": "convert", "format": "png"}], wait_s=60)).json
    for version, mime in (("latest", "image/png"), ("original", "image/jpeg")):
        answer = await opened((await link_to(shared_client, image, version=version))["url"])
        assert (answer.status, answer.headers["Content-Type"]) == (200, mime)


async def test_a_link_is_signed_for_links_alone(shared_client: Client, image: dict[str, Any]) -> None:
    token = (await link_to(shared_client, image))["url"].rpartition("/")[2]
    refused(await shared_client.get("/accounts/me", token=token), 401, "token_invalid")
    access = signed_again(shared_client.site, token, aud="access")
    refused(await shared_client.get(f"/d/{access}", token=""), 401, "token_invalid")


def test_a_link_without_an_expiry_is_no_link() -> None:
    token = sign_permanent(SECRET, "link", {"sub": str(uuid4())})
    with pytest.raises(SignatureInvalid):
        verify_link(SECRET, token)


def test_a_link_of_either_kind_names_its_image() -> None:
    image_id = uuid4()
    permanent = verify_link(SECRET, sign_permanent_link(SECRET, image_id))
    assert permanent == LinkTarget(image_id, None)
    passing = verify_link(SECRET, sign_link(SECRET, image_id, ttl_s=60))
    assert passing.image_id == image_id
    assert passing.expires_at is not None

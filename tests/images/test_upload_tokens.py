"""Upload tokens: what browsers that are not trusted may do, and that it is exactly that."""

import asyncio
import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from PIL import Image

from libs.auth.upload_tokens import FORM
from libs.contracts.enums import Scope
from tests.support.client import PASSWORD, Answer, Client
from tests.support.forged_keys import with_other_secret
from tests.support.multipart import file_part, send, text_part
from tests.support.pictures import encoded
from tests.support.shared_sites import ON_ONE_SITE, NewSite, signed_in
from tests.support.site_contents import nothing_kept, refused
from tests.support.waiting import WAIT_S, until

TOKENS = "/api/upload-tokens"
GRAY = [{"op": "grayscale"}, {"op": "convert", "format": "png"}]


async def new_token(client: Client, **fields: Any) -> dict[str, Any]:
    answer = await client.post(TOKENS, json=fields)
    assert answer.status == 201, answer
    return answer.json


def bearer(token: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {token['token']}"}


async def used(client: Client, token: dict[str, Any]) -> int:
    return (await client.get(f"{TOKENS}/{token['id']}")).json["used"]


@ON_ONE_SITE
async def test_a_token_is_shown_once_and_lists_what_it_fixes(client: Client, other_client: Client) -> None:
    new = await new_token(client, operations=GRAY, formats=["jpeg"], count=3, tags=["Profile"])
    assert new["token"].startswith(new["prefix"])
    listed = await client.get(TOKENS)
    assert listed.headers["X-Total-Count"] == "1"
    [shown] = listed.json
    assert shown == {name: value for name, value in new.items() if name != "token"}
    assert (shown["formats"], shown["count"], shown["used"], shown["tags"]) == (["jpeg"], 3, 0, ["profile"])
    refused(await other_client.get(f"{TOKENS}/{new['id']}"), 404, "upload_token_not_found")
    refused(await other_client.call("DELETE", f"{TOKENS}/{new['id']}"), 404, "upload_token_not_found")


@ON_ONE_SITE
async def test_an_upload_by_token_is_made_as_the_token_says_and_followed_without_a_login(
    client: Client, photo: Path
) -> None:
    token = await new_token(
        client, operations=GRAY, retention="keep", result_retention="ephemeral", tags=["profile"]
    )
    uploaded = await client.upload(photo, headers=bearer(token))
    assert uploaded.status == 202, uploaded
    events: list[str] = []
    async with (
        asyncio.timeout(WAIT_S),
        aiohttp.ClientSession() as session,
        session.get(uploaded.json["events_url"]) as stream,
    ):
        assert stream.status == 200
        events = [line.decode().split()[1] async for line in stream.content if line.startswith(b"event:")]
    assert events[-1] == "completed"
    image = (await client.get(f"/api/images/{uploaded.json['id']}")).json
    assert (image["retention"], image["tags"]) == ("keep", ["profile"])
    assert (image["result"]["format"], image["result"]["retention"]) == ("png", "ephemeral")
    assert "events_url" not in image
    assert await used(client, token) == 1


@ON_ONE_SITE
async def test_who_has_a_token_can_set_nothing_else_and_hears_so_about_all_fields_at_once(
    client: Client, small_picture: bytes
) -> None:
    token = await new_token(client, operations=GRAY)
    async with nothing_kept(client):
        answer = await send(
            client,
            text_part("operations", "[]"),
            text_part("webhook_url", "https://shop.example/"),
            file_part(small_picture),
            text_part("retention", "keep"),
            text_part("imgae", "x"),
            headers=bearer(token),
        )
        refused(answer, 400, "invalid_request")
        told = {error["key"]: error["message"] for error in answer.json["errors"]}
        assert told == {
            "operations": "`operations` is fixed by the upload token",
            "webhook_url": "`webhook_url` is fixed by the upload token",
            "retention": "`retention` is fixed by the upload token",
            "imgae": "unknown field `imgae`; did you mean `image`?",
        }
        refused(
            await client.post("/api/images", json={"image_url": "https://x.example/"}, headers=bearer(token)),
            400,
            "invalid_request",
        )
    assert await used(client, token) == 0


@ON_ONE_SITE
async def test_a_token_opens_nothing_but_uploads(client: Client, small_picture: bytes) -> None:
    token = await new_token(client, count=2)
    uploaded = await client.upload(small_picture, headers=bearer(token))
    assert uploaded.status == 201, uploaded
    image = f"/api/images/{uploaded.json['id']}"
    for method, path in (
        ("GET", image),
        ("GET", f"{image}/download"),
        ("DELETE", image),
        ("POST", f"{image}/transform"),
        ("GET", "/api/images"),
        ("POST", "/api/images/"),
        ("GET", f"/api/jobs/{uploaded.json['job_id']}"),
        ("POST", f"/api/jobs/{uploaded.json['job_id']}/events/ticket"),
        ("POST", TOKENS),
        ("GET", TOKENS),
        ("GET", "/accounts/me"),
        ("POST", "/accounts/me/keys"),
    ):
        answer = await client.call(method, path, token=token["token"], json={} if method == "POST" else None)
        refused(answer, 403, "upload_token_not_allowed")
    refused(await client.get("/accounts/me", headers={"X-API-Key": token["token"]}), 401, "api_key_invalid")
    in_address = f"/api/images?upload_token={token['token']}"
    refused(await client.get(in_address, token=""), 401, "not_authenticated")


@ON_ONE_SITE
async def test_the_id_of_a_token_with_another_secret_uploads_nothing(
    client: Client, small_picture: bytes
) -> None:
    forged = with_other_secret((await new_token(client))["token"])
    assert FORM.parse(forged) is not None  # the digest alone tells
    refused(
        await client.upload(small_picture, headers={"Authorization": f"Bearer {forged}"}),
        401,
        "upload_token_invalid",
    )


@ON_ONE_SITE
async def test_a_form_without_a_header_has_the_token_in_its_address(
    client: Client, small_picture: bytes
) -> None:
    token = await new_token(client)
    client.token = None
    form = aiohttp.FormData()
    form.add_field("image", small_picture, filename="small.png")
    answer = await client.post(f"/api/images?upload_token={token['token']}", data=form)
    assert answer.status == 201, answer


async def test_exactly_as_many_images_are_stored_as_the_token_allows(
    client: Client, small_picture: bytes
) -> None:
    token = await new_token(client, count=3)
    answers = await asyncio.gather(*(client.upload(small_picture, headers=bearer(token)) for _ in range(50)))
    counted = Counter(answer.status for answer in answers)
    assert counted[201] == 3, counted
    assert {answer.code for answer in answers if answer.status != 201} == {"upload_token_used_up"}
    assert (await client.get("/api/images?limit=1")).headers["X-Total-Count"] == "3"
    assert await used(client, token) == 3
    async with nothing_kept(client):
        refused(await client.upload(small_picture, headers=bearer(token)), 403, "upload_token_used_up")


@ON_ONE_SITE
async def test_a_refused_upload_does_not_count(client: Client, photo: Path, small_picture: bytes) -> None:
    token = await new_token(client, formats=["jpeg"], max_bytes=photo.stat().st_size)
    webp = encoded(Image.new("RGB", (40, 30)), "WEBP")
    too_large = photo.read_bytes() + b"\0"
    async with nothing_kept(client):
        detail = refused(await client.upload(webp, headers=bearer(token)), 415, "format_not_accepted")
        assert detail == "webp files are not accepted; send jpeg"
        refused(await client.upload(b"no image", headers=bearer(token)), 415, "not_an_image")
        refused(await client.upload(too_large, headers=bearer(token)), 413, "upload_too_large")
    assert await used(client, token) == 0
    assert (await client.upload(photo, headers=bearer(token))).status == 201
    assert await used(client, token) == 1


@ON_ONE_SITE
async def test_a_repeated_request_finds_its_image_although_the_token_is_used_up(
    client: Client, small_picture: bytes
) -> None:
    token, key = await new_token(client), {"Idempotency-Key": "one-photo"}
    first = await client.upload(small_picture, headers={**bearer(token), **key})
    again = await client.upload(small_picture, headers={**bearer(token), **key})
    assert (first.status, again.status) == (201, 201), again
    assert again.json["id"] == first.json["id"]
    other = await new_token(client)
    for headers in ({}, bearer(other)):  # the account's own keys, and those of other tokens, are not these
        answer = await client.upload(small_picture, headers={**headers, **key})
        assert (answer.status, answer.json["id"] == first.json["id"]) == (201, False), answer


@ON_ONE_SITE
async def test_a_token_ends_with_its_time_its_key_its_account_and_when_it_is_revoked(
    client: Client, other_client: Client, small_picture: bytes
) -> None:
    short, revoked = await new_token(client, expires_in=1), await new_token(client, operations=GRAY)
    stream = (await client.upload(small_picture, headers=bearer(revoked))).json["events_url"]
    assert (await client.get(stream, token="")).status == 200

    async def expired() -> bool:
        answer = await client.upload(b"", headers=bearer(short))
        return answer.code == "upload_token_expired"

    await until(expired)
    assert (await client.call("DELETE", f"{TOKENS}/{revoked['id']}")).status == 204
    refused(await client.upload(small_picture, headers=bearer(revoked)), 401, "upload_token_invalid")
    refused(await client.get(stream, token=""), 401, "not_authenticated")

    made = await client.post("/accounts/me/keys", json={"name": "shop", "scopes": ["images:write"]})
    answer = await client.call("POST", TOKENS, token=made.json["key"], json={})
    assert answer.status == 201, answer
    await client.call("DELETE", f"/accounts/me/keys/{made.json['id']}")
    refused(await client.upload(small_picture, headers=bearer(answer.json)), 401, "upload_token_invalid")

    closed = await new_token(other_client)
    await other_client.call("DELETE", "/accounts/me", json={"password": PASSWORD})
    refused(await other_client.upload(small_picture, headers=bearer(closed)), 401, "upload_token_invalid")


@ON_ONE_SITE
async def test_a_token_is_made_by_a_login_or_by_a_key_that_may_write(client: Client) -> None:
    for scope in Scope:
        made = await client.post("/accounts/me/keys", json={"name": "a key", "scopes": [scope]})
        answer = await client.call("POST", TOKENS, token=made.json["key"], json={})
        assert answer.status == (201 if scope == Scope.IMAGES_WRITE else 403), (scope, answer)


@ON_ONE_SITE
async def test_a_token_ends_no_later_than_the_key_that_makes_it(client: Client) -> None:
    end = (datetime.now(UTC) + timedelta(minutes=5)).isoformat()
    key = {"name": "shop", "scopes": ["images:write"], "expires_at": end}
    made = await client.post("/accounts/me/keys", json=key)
    assert made.status == 201, made
    ends = [
        (await client.call("POST", TOKENS, token=made.json["key"], json={"expires_in": s})).json["expires_at"]
        for s in (60, 3600)
    ]
    assert ends[0] < ends[1] == made.json["expires_at"]


@ON_ONE_SITE
@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"max_bytes": 0}, 400, "invalid_request"),
        ({"max_bytes": 10**12}, 400, "invalid_request"),
        ({"formats": []}, 400, "invalid_request"),
        ({"formats": ["svg"]}, 400, "invalid_request"),
        ({"count": 0}, 400, "invalid_request"),
        ({"count": 10_001}, 400, "invalid_request"),
        ({"expires_in": 0}, 400, "invalid_request"),
        ({"expires_in": 604_801}, 400, "invalid_request"),
        ({"result_retention": "keep"}, 400, "invalid_request"),
        ({"operations": [{"op": "sepia"}] * 99}, 400, "too_many_operations"),
        ({"operations": [{"op": "watermark", "image": "logo"}]}, 400, "invalid_request"),
        ({"webhook_url": "http://127.0.0.1/"}, 422, "url_forbidden"),
    ],
    ids=json.dumps,
)
async def test_a_token_that_no_upload_could_use_is_refused(
    shared_client: Client, fields: dict[str, Any], status: int, code: str
) -> None:
    answer = await shared_client.post(TOKENS, json=fields)
    assert answer.status == status, answer
    assert answer.code in (code, "asset_missing"), answer


@pytest.mark.parametrize("new_site", ["embedded"], indirect=True)
async def test_one_address_cannot_use_up_the_minute_of_the_account(
    new_site: NewSite, small_picture: bytes
) -> None:
    site = await new_site(UPLOAD_TOKEN_LIMIT_PER_MINUTE="4", RATE_LIMIT_PER_MINUTE="20")
    async with signed_in(site) as client:
        token = await new_token(client, count=9)
        answers: list[Answer] = [await client.upload(small_picture, headers=bearer(token)) for _ in range(9)]
        assert [answer.status for answer in answers] == [201] * 4 + [429] * 5
        assert answers[0].headers["RateLimit-Limit"] == "4"
        # The login and the first upload, by a token not known yet, counted for the address.
        assert (await client.get("/accounts/me")).headers["RateLimit-Remaining"] == "15"

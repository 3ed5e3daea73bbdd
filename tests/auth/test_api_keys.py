"""API keys: made once, limited to scopes, networks and a time, and revoked everywhere at once."""

import asyncio
import base64
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from libs.auth.api_keys import new_key, parse_key
from libs.contracts.enums import Scope
from libs.storage.api_keys import MAX_KEYS
from tests.support.client import PASSWORD, Answer, Client
from tests.support.forged_keys import with_other_secret
from tests.support.shared_sites import ON_ONE_SITE, NewSite
from tests.support.site_contents import refused
from tests.support.waiting import until

KEYS = "/accounts/me/keys"
FORM = re.compile(r"dk_[0-9A-Za-z]{12}_[0-9A-Za-z]{38}")


async def made(client: Client, *scopes: str, **fields: Any) -> dict[str, Any]:
    answer = await client.post(KEYS, json={"name": "a program", "scopes": scopes or [*Scope], **fields})
    assert answer.status == 201, answer
    return answer.json


async def with_key(client: Client, key: str, method: str, path: str, **options: Any) -> Answer:
    return await client.call(method, path, token=key, **options)


async def test_a_key_is_shown_once_and_only_its_digest_is_stored(client: Client) -> None:
    new = await made(client, "images:read", "jobs")
    assert FORM.fullmatch(new["key"])
    assert new["key"].startswith(new["prefix"])
    listed = await client.get(KEYS)
    assert listed.headers["X-Total-Count"] == "1"
    [shown] = listed.json
    assert shown == {name: value for name, value in new.items() if name != "key"}
    assert shown == (await client.get(f"{KEYS}/{new['id']}")).json
    assert (shown["scopes"], shown["last_used_at"]) == (["images:read", "jobs"], None)


async def test_a_key_is_sent_as_a_bearer_token_a_header_or_the_username_of_basic(client: Client) -> None:
    key = (await made(client))["key"]
    basic = base64.b64encode(f"{key}:".encode()).decode()
    client.token = None
    for headers in (
        {"Authorization": f"Bearer {key}"},
        {"Authorization": f"bearer  {key}"},
        {"X-API-Key": key},
        {"Authorization": f"Basic {basic}"},
        {"X-API-Key": key, "Authorization": "Basic cHJveHk6cGFzc3dvcmQ="},  # the proxy's own, passed on
    ):
        answer = await client.get("/accounts/me", headers=headers)
        assert (answer.status, answer.json["username"]) == (200, client.username), headers


async def test_whatever_is_not_exactly_a_key_is_refused(client: Client) -> None:
    key = (await made(client))["key"]
    other = "A" if key[20] != "A" else "B"
    client.token = None
    for wrong in (key[:-1], key + "A", key[:20] + other + key[21:], key.lower(), "dk_", new_key().text, ""):
        refused(await client.get("/accounts/me", headers={"X-API-Key": wrong}), 401, "api_key_invalid")
    for header in ("Basic", "Basic ???", "Basic /w==", "Basic Og==", f"Basic {key}", f"Token {key}", key):
        refused(await client.get("/accounts/me", headers={"Authorization": header}), 401, "not_authenticated")


async def test_an_upload_a_transform_and_a_download_need_no_login(client: Client, photo: Path) -> None:
    client.token = (await made(client, "images:read", "images:write"))["key"]
    uploaded = await client.upload(photo, [{"op": "resize", "width": 40}], wait_s=30)
    assert uploaded.status == 201, uploaded
    assert (await client.get(f"/api/images/{uploaded.json['id']}/download")).status == 200


@pytest.mark.parametrize(
    ("scope", "allowed", "forbidden"),
    [
        ("images:read", [("GET", "/api/images"), ("POST", "/api/images/search")],
         [("POST", "/api/images"), ("GET", "/api/jobs"), ("DELETE", "/api/images/{id}")]),
        ("images:write", [("POST", "/api/images"), ("POST", "/api/images/{id}/transform")],
         [("GET", "/api/images"), ("POST", "/api/images/{id}/edit")]),
        ("jobs", [("GET", "/api/jobs")], [("GET", "/api/images"), ("GET", "/accounts/me")]),
        ("batches", [("GET", "/api/batches"), ("GET", "/status/{id}")], [("GET", "/api/webhooks")]),
        ("webhooks", [("GET", "/api/webhooks"), ("GET", "/api/webhooks/secret")], [("GET", "/api/batches")]),
        ("edits", [("POST", "/api/images/{id}/edit")], [("POST", "/api/images/{id}/transform")]),
        ("account", [("GET", "/accounts/me"), ("GET", "/accounts/me/usage"), ("GET", KEYS)],
         [("GET", "/api/images")]),
    ],
)  # fmt: skip
async def test_a_key_can_do_what_its_scope_says_and_nothing_else(
    shared_client: Client, scope: str, allowed: list[tuple[str, str]], forbidden: list[tuple[str, str]]
) -> None:
    new = await made(shared_client, scope)
    for method, path in allowed:
        answer = await with_key(shared_client, new["key"], method, path.format(id=new["id"]))
        assert answer.status not in (401, 403), (method, path, answer)
    for method, path in forbidden:
        answer = await with_key(shared_client, new["key"], method, path.format(id=new["id"]))
        refused(answer, 403, "scope_missing")
        assert 'error="insufficient_scope"' in answer.headers["WWW-Authenticate"]
    assert (await shared_client.call("DELETE", f"{KEYS}/{new['id']}")).status == 204


async def test_the_description_says_which_operations_a_key_may_call(shared_client: Client) -> None:
    key = (await made(shared_client))["key"]
    described = (await shared_client.get("/schema/openapi.json")).json
    asked = 0
    for path, item in described["paths"].items():
        for method, operation in item.items():
            if not operation.get("security") or operation["operationId"] == "streamAll":  # it would not end
                continue
            address = re.sub(r"\{[^}]+\}", str(uuid4()), path)
            code = _code(await with_key(shared_client, key, method.upper(), address))
            allowed = {"api_key": []} in operation["security"]
            assert (code != "login_required") is allowed, (method, path, code)
            asked += 1
    assert asked > 40


async def test_a_prompt_needs_the_scope_for_edits_wherever_it_comes_in(client: Client, photo: Path) -> None:
    client.token = (await made(client, "images:write"))["key"]
    refused(await client.upload(photo, prompt="make it snow"), 403, "scope_missing")
    refused(await client.post("/api/images", json={"prompt": "a red fox"}), 403, "scope_missing")


async def test_what_only_a_person_may_do_needs_a_login(client: Client) -> None:
    key = (await made(client))["key"]
    refused(
        await with_key(client, key, "POST", KEYS, json={"name": "n", "scopes": ["jobs"]}),
        403,
        "login_required",
    )
    refused(await with_key(client, key, "DELETE", "/accounts/me"), 403, "login_required")


async def test_a_revoked_key_is_refused_by_the_next_request(client: Client) -> None:
    new = await made(client)
    assert (await with_key(client, new["key"], "GET", "/accounts/me")).status == 200
    assert (await client.call("DELETE", f"{KEYS}/{new['id']}")).status == 204
    refused(await with_key(client, new["key"], "GET", "/accounts/me"), 401, "api_key_invalid")
    refused(await client.call("DELETE", f"{KEYS}/{new['id']}"), 404, "api_key_not_found")


async def test_a_key_ends_at_its_time(client: Client) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=2)
    new = await made(client, expires_at=soon.isoformat())
    assert (await with_key(client, new["key"], "GET", "/accounts/me")).status == 200

    async def expired() -> Answer | None:
        answer = await with_key(client, new["key"], "GET", "/accounts/me")
        return None if answer.status == 200 else answer

    ended = await until(expired)
    assert ended is not None
    refused(ended, 401, "api_key_expired")
    assert datetime.now(UTC) >= soon


async def test_a_key_works_from_its_networks_only(client: Client) -> None:
    here = await made(client, networks=["10.0.0.0/8", "127.0.0.1"])
    assert here["networks"] == ["10.0.0.0/8", "127.0.0.1/32"]
    assert (await with_key(client, here["key"], "GET", "/accounts/me")).status == 200
    elsewhere = await made(client, networks=["10.0.0.0/8", "::/0"])
    refused(await with_key(client, elsewhere["key"], "GET", "/accounts/me"), 403, "address_not_allowed")


async def test_the_time_of_the_last_use_is_stored_at_most_once_a_minute(client: Client) -> None:
    new = await made(client)

    async def used() -> str | None:
        return (await client.get(f"{KEYS}/{new['id']}")).json["last_used_at"]

    await with_key(client, new["key"], "GET", "/accounts/me")
    first = await until(used)
    assert first is not None
    assert abs(datetime.fromisoformat(first) - datetime.now(UTC)) < timedelta(minutes=1)
    for _ in range(3):
        await with_key(client, new["key"], "GET", "/accounts/me")
    assert await used() == first


async def test_keys_of_an_account_end_with_it(client: Client) -> None:
    key = (await made(client))["key"]
    assert (await client.call("DELETE", "/accounts/me", json={"password": PASSWORD})).status == 204
    refused(await with_key(client, key, "GET", "/accounts/me"), 401, "api_key_invalid")


async def test_the_keys_of_another_account_do_not_exist(client: Client, other_client: Client) -> None:
    new = await made(client)
    assert (await other_client.get(KEYS)).json == []
    refused(await other_client.get(f"{KEYS}/{new['id']}"), 404, "api_key_not_found")
    refused(await other_client.call("DELETE", f"{KEYS}/{new['id']}"), 404, "api_key_not_found")


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"scopes": ["image:read"]}, "images:read"),
        ({"scopes": []}, "scopes"),
        ({"name": ""}, "name"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "past"),
        ({"expires_at": "2090-01-01T00:00:00"}, "expires_at"),
        ({"networks": ["10.0.0.1/8"]}, "host bits"),
        ({"networks": ["everywhere"]}, "everywhere"),
        ({"scope": ["jobs"]}, "scope"),
    ],
)
async def test_a_request_for_a_key_that_is_wrong_names_the_fault(
    shared_client: Client, wrong: dict[str, Any], named: str
) -> None:
    answer = await shared_client.post(KEYS, json={"name": "n", "scopes": ["jobs"], **wrong})
    refused(answer, 400, "invalid_request")
    assert named in answer.json["detail"]


async def test_an_account_has_a_limit_of_keys(client: Client) -> None:
    body = {"name": "n", "scopes": ["jobs"]}
    answers = await asyncio.gather(*(client.post(KEYS, json=body) for _ in range(MAX_KEYS)))
    assert {answer.status for answer in answers} == {201}
    refused(await client.post(KEYS, json=body), 409, "too_many_api_keys")


async def test_all_keys_of_an_account_share_its_rate_limit(new_site: NewSite) -> None:
    async with Client(await new_site(RATE_LIMIT_PER_MINUTE="12")) as client:
        await client.register()
        await client.login()
        keys = [(await made(client))["key"] for _ in range(2)]
        statuses = [
            (await with_key(client, keys[turn % 2], "GET", "/accounts/me")).status for turn in range(20)
        ]
        assert 429 in statuses, statuses
        refused(await client.get("/accounts/me"), 429, "rate_limited")


@ON_ONE_SITE
async def test_the_id_of_a_key_with_another_secret_opens_nothing(client: Client) -> None:
    forged = with_other_secret((await made(client))["key"])
    assert parse_key(forged) is not None  # the digest alone tells
    refused(await client.get("/accounts/me", headers={"X-API-Key": forged}), 401, "api_key_invalid")


def test_a_key_that_was_mistyped_anywhere_fails_its_checksum() -> None:
    key = new_key().text
    assert parse_key(key) is not None
    for position in range(3, len(key)):
        for digit in "0Az":
            if key[position] not in (digit, "_"):
                assert parse_key(key[:position] + digit + key[position + 1 :]) is None


def test_new_keys_differ_in_id_and_secret() -> None:
    keys = [new_key() for _ in range(1000)]
    assert len({key.id for key in keys}) == len({key.digest for key in keys}) == 1000


def _code(answer: Answer) -> str | None:
    is_problem = "problem" in answer.headers.get("Content-Type", "")
    return answer.json["code"] if is_problem and answer.body else None  # none answers HEAD

"""Accounts and tokens as older services document them, sent by curl as they stand."""

from uuid import uuid4

import pytest

from tests.api.legacy.curl_requests import JSON, body
from tests.support.client import PASSWORD, Client
from tests.support.curl import Curl
from tests.support.site_contents import refused


@pytest.mark.parametrize("path", ["/api/register/", "/users/register/", "/api/register", "/users/register"])
async def test_an_account_is_registered_and_its_password_never_shown(anonymous_curl: Curl, path: str) -> None:
    name = f"user-{uuid4().hex[:12]}"
    request = body(username=name, email=f"{name}@example.org", password=PASSWORD)
    made = await anonymous_curl(path, "-X", "POST", *JSON, *request)
    assert made.status == 201
    account = {field: made.json[field] for field in ("username", "email", "last_login")}
    assert account == {"username": name, "email": f"{name}@example.org", "last_login": None}
    assert PASSWORD not in made.body.decode()
    assert "password" not in made.json
    refused(await anonymous_curl(path, "-X", "POST", *JSON, *request), 409, "username_taken")


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


async def test_a_login_that_has_rotated_its_token_cannot_keep_it_the_old_way(
    client: Client, anonymous_curl: Curl
) -> None:
    kept = await anonymous_curl("/api/token/refresh", *JSON, *body(refresh=client.refresh_token))
    assert kept.status == 200
    rotated = await anonymous_curl("/accounts/refresh", *JSON, *body(refresh_token=client.refresh_token))
    stolen = rotated.json["refresh_token"]
    refused(await anonymous_curl("/accounts/refresh/", *JSON, *body(refresh=stolen)), 401, "token_invalid")
    again = await anonymous_curl("/accounts/refresh/", *JSON, *body(refresh_token=stolen))
    assert again.status == 200, "the login itself goes on"
    stolen = again.json["refresh_token"]
    refused(await anonymous_curl("/api/token/refresh", *JSON, *body(refresh=stolen)), 401, "token_invalid")

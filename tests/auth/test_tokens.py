"""Tokens: short access, rotating refresh, and what ends them."""

import asyncio
from time import time

import pytest

from tests.support.client import Answer, Client
from tests.support.site_contents import refused, signed_again


async def refresh(client: Client, token: str) -> Answer:
    return await client.post("/accounts/refresh", json={"refresh_token": token})


async def test_a_refresh_gives_a_new_pair_that_works(client: Client) -> None:
    answer = await refresh(client, client.refresh_token)
    assert answer.status == 200
    assert answer.json["refresh_token"] != client.refresh_token
    assert (await client.get("/accounts/me", token=answer.json["access_token"])).status == 200
    assert (await refresh(client, answer.json["refresh_token"])).status == 200


async def test_a_refresh_token_used_again_ends_the_whole_login_at_once_and_no_later_one(
    client: Client,
) -> None:
    following = (await refresh(client, client.refresh_token)).json
    refused(await refresh(client, client.refresh_token), 401, "token_reused")
    for token in (client.token, following["access_token"]):
        refused(await client.get("/accounts/me", token=token), 401, "not_authenticated")
    refused(await refresh(client, following["refresh_token"]), 401, "token_invalid")
    await client.login()
    assert (await client.get("/accounts/me")).status == 200
    assert (await refresh(client, client.refresh_token)).status == 200


async def test_of_two_uses_at_the_same_moment_one_is_a_reuse(client: Client) -> None:
    answers = await asyncio.gather(*(refresh(client, client.refresh_token) for _ in range(2)))
    [won] = [answer for answer in answers if answer.status == 200]
    [lost] = [answer for answer in answers if answer.status != 200]
    refused(lost, 401, "token_reused")
    refused(await refresh(client, won.json["refresh_token"]), 401, "token_invalid")


async def test_logout_ends_access_and_refresh_at_once(client: Client) -> None:
    body = {"refresh_token": client.refresh_token}
    assert (await client.post("/accounts/logout", json=body)).status == 204
    refused(await client.get("/accounts/me"), 401, "not_authenticated")
    refused(await refresh(client, client.refresh_token), 401, "token_invalid")
    assert (await client.post("/accounts/logout", json=body)).status == 204


async def test_logout_of_one_login_leaves_the_other(client: Client) -> None:
    first = client.token
    await client.login()
    await client.post("/accounts/logout", json={"refresh_token": client.refresh_token})
    assert (await client.get("/accounts/me", token=first)).status == 200


async def test_an_expired_access_token_says_so_and_a_fresh_one_works(client: Client) -> None:
    assert client.token
    expired = signed_again(client.site, client.token, exp=int(time()) - 1)
    refused(await client.get("/accounts/me", token=expired), 401, "token_expired")
    fresh = (await refresh(client, client.refresh_token)).json["access_token"]
    assert (await client.get("/accounts/me", token=fresh)).status == 200


async def test_an_expired_refresh_token_says_so_and_a_new_login_works(client: Client) -> None:
    expired = signed_again(client.site, client.refresh_token, exp=int(time()) - 1)
    refused(await refresh(client, expired), 401, "token_expired")
    await client.login()
    assert (await refresh(client, client.refresh_token)).status == 200


async def test_one_kind_of_token_does_not_serve_as_the_other(client: Client) -> None:
    assert client.token
    refused(await client.get("/accounts/me", token=client.refresh_token), 401, "token_invalid")
    refused(await refresh(client, client.token), 401, "token_invalid")
    refused(await client.get(f"/d/{client.token}", token=""), 401, "token_invalid")


async def test_a_tampered_token_is_invalid(client: Client) -> None:
    assert client.token
    head, body, signature = client.token.split(".")
    unsigned = f"eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{body}."
    for token in (
        f"{head}.{body}x.{signature}",
        f"{head}.{body}.{signature[:-4]}AAAA",
        unsigned,
        "a.b.c",
        "x",
    ):
        refused(await client.get("/accounts/me", token=token), 401, "token_invalid")


@pytest.mark.parametrize("header", [None, "Basic dXNlcjpwYXNz", "Bearer", "token abc"])
async def test_a_request_without_a_bearer_token_is_challenged(client: Client, header: str | None) -> None:
    client.token = None
    answer = await client.get("/accounts/me", headers={"Authorization": header} if header else {})
    assert "Bearer" in refused(answer, 401, "not_authenticated")
    assert answer.headers["WWW-Authenticate"] == "Bearer"

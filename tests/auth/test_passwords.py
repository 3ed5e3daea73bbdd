"""Passwords: changed by their owner, reset by an operator, and what ends with them."""

import asyncio
import re

import pytest

from libs.auth.password_resets import sign_reset
from libs.auth.tokens import sign
from tests.support.client import PASSWORD, Client
from tests.support.commands import run_command
from tests.support.site import Site
from tests.support.site_contents import refused, secret_of

NEW = "a new password"


async def reset_password(site: Site, *options: str, typed: str = "") -> tuple[int, str]:
    """Run `darkroom reset-password`; return its exit status and what it prints."""
    ended = await run_command(site, "reset-password", *options, typed=typed)
    return ended.status, (ended.out or ended.errors).strip()


async def reset_path(client: Client) -> str:
    """Let an operator make an address for the client's account; return its path."""
    status, address = await reset_password(client.site, client.username)
    assert status == 0, address
    found = re.fullmatch(r"http://[^/]+(/accounts/reset/[\w.-]+)", address)
    assert found is not None, address
    return found[1]


async def logs_in(client: Client, password: str) -> bool:
    body = {"username": client.username, "password": password}
    return (await client.post("/accounts/login", json=body, token="")).status == 200


async def test_a_changed_password_ends_all_logins_but_the_one_that_changed_it(client: Client) -> None:
    async with Client(client.site) as other:
        other.username = client.username
        await other.login()
        change = {"old_password": PASSWORD, "new_password": NEW}
        assert (await client.post("/accounts/me/password", json=change)).status == 204
        assert (await client.get("/accounts/me")).status == 200
        refused(await other.get("/accounts/me"), 401, "not_authenticated")
        again = await other.post("/accounts/refresh", json={"refresh_token": other.refresh_token})
        refused(again, 401, "token_invalid")
    mine = await client.post("/accounts/refresh", json={"refresh_token": client.refresh_token})
    assert mine.status == 200
    assert await logs_in(client, NEW)
    assert not await logs_in(client, PASSWORD)


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"old_password": "a wrong guess", "new_password": NEW}, 403, "wrong_password"),
        ({"old_password": PASSWORD, "new_password": "short"}, 400, "invalid_request"),
        ({"new_password": NEW}, 400, "invalid_request"),
    ],
)
async def test_a_change_without_the_old_password_or_with_a_short_one_changes_nothing(
    client: Client, change: dict[str, str], status: int, code: str
) -> None:
    refused(await client.post("/accounts/me/password", json=change), status, code)
    assert (await client.get("/accounts/me")).status == 200
    assert await logs_in(client, PASSWORD)


async def test_of_two_changes_at_the_same_moment_one_counts(client: Client) -> None:
    changes = [{"old_password": PASSWORD, "new_password": f"{NEW} {turn}"} for turn in range(2)]
    answers = await asyncio.gather(*(client.post("/accounts/me/password", json=one) for one in changes))
    assert sorted(answer.status for answer in answers) in ([204, 403], [204, 409])
    won = next(turn for turn, answer in enumerate(answers) if answer.status == 204)
    assert await logs_in(client, f"{NEW} {won}")
    assert not await logs_in(client, f"{NEW} {1 - won}")


async def test_the_address_of_an_operator_sets_a_password_once(client: Client) -> None:
    path = await reset_path(client)
    page = await client.get(path, token="")
    assert page.headers["Content-Type"].startswith("text/html")
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert client.username in page.body.decode()

    short = await client.post(path, data={"password": "short"}, token="")
    assert (short.status, "at least 8" in short.body.decode() or "length" in short.body.decode()) == (
        400,
        True,
    )
    done = await client.post(path, data={"password": NEW}, token="")
    assert (done.status, done.headers["Content-Type"].partition(";")[0]) == (200, "text/html")
    assert await logs_in(client, NEW)
    refused(await client.get("/accounts/me"), 401, "not_authenticated")
    for again in (
        await client.get(path, token=""),
        await client.post(path, json={"password": PASSWORD}, token=""),
    ):
        refused(again, 409, "password_changed")


async def test_a_program_resets_by_json(client: Client) -> None:
    path = await reset_path(client)
    refused(await client.post(path, json={"password": "short"}, token=""), 400, "invalid_request")
    assert (await client.post(path, json={"password": NEW}, token="")).status == 204
    assert await logs_in(client, NEW)


async def test_an_address_is_refused_when_it_is_old_forged_or_of_another_kind(client: Client) -> None:
    me, secret = (await client.get("/accounts/me")).json["id"], secret_of(client.site)
    old = sign_reset(secret, me, "any", ttl_s=-1)
    other_password = sign_reset(secret, me, "pbkdf2_sha256$1$a$b", ttl_s=60)
    forged = sign_reset("another secret of 32 characters..", me, "any", ttl_s=60)
    access = sign(secret, "access", {"sub": str(me)}, ttl_s=60)
    for token, status, code in (
        (old, 401, "token_expired"),
        (other_password, 409, "password_changed"),
        (forged, 401, "token_invalid"),
        (access, 401, "token_invalid"),
        ("x", 401, "token_invalid"),
    ):
        refused(await client.post(f"/accounts/reset/{token}", json={"password": NEW}), status, code)
    assert await logs_in(client, PASSWORD)


async def test_an_operator_sets_a_password_from_standard_input(client: Client) -> None:
    status, said = await reset_password(client.site, client.username, "--stdin", typed=f"{NEW}\n")
    assert (status, said) == (0, f"password of {client.username} set")
    assert await logs_in(client, NEW)
    refused(await client.get("/accounts/me"), 401, "not_authenticated")
    status, said = await reset_password(client.site, client.username, "--stdin", typed="short\n")
    assert (status, "8" in said) == (2, True)
    status, said = await reset_password(client.site, "no-such-account")
    assert (status, "no-such-account" in said) == (2, True)

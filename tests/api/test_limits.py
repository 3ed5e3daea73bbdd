"""Limits: of requests, of bytes, of jobs; one account's use is not another's."""

import asyncio
from pathlib import Path

import pytest

from tests.support.client import PASSWORD, Answer, Client
from tests.support.multipart import file_part, send
from tests.support.shared_sites import NewSite, signed_in
from tests.support.site_contents import kept_by, nothing_kept, refused
from tests.support.site_jobs import SLOW


@pytest.mark.parametrize("new_site", ["embedded"], indirect=True)
async def test_requests_and_logins_are_limited_per_account(new_site: NewSite) -> None:
    site = await new_site(RATE_LIMIT_PER_MINUTE="12", LOGIN_LIMIT_PER_MINUTE="2")
    async with signed_in(site) as one, signed_in(site) as two:
        answers = await asyncio.gather(*(one.get("/accounts/me") for _ in range(14)))
        assert sorted(answer.status for answer in answers) == [200] * 12 + [429] * 2
        late = await one.get("/api/images")
        refused(late, 429, "rate_limited")
        assert 0 < int(late.headers["Retry-After"]) <= 60
        assert (await two.get("/accounts/me")).status == 200
        assert (await one.get("/health/ready")).status == 200
        assert (await one.get("/schema")).status == 200

        login = {"username": two.username, "password": PASSWORD}
        assert (await two.post("/accounts/login", json=login, token="")).status == 200
        two.token = None
        for password in ("wrong password", PASSWORD):
            answer = await two.post("/accounts/login", json={**login, "password": password})
            refused(answer, 429, "rate_limited")
        assert (await two.post("/accounts/refresh", json={"refresh_token": two.refresh_token})).status == 200


@pytest.mark.parametrize("new_site", ["embedded"], indirect=True)
async def test_guesses_of_one_password_lock_out_nobody_else_at_the_address(new_site: NewSite) -> None:
    site = await new_site(LOGIN_LIMIT_PER_MINUTE="10", ADDRESS_LOGIN_LIMIT_PER_MINUTE="20")
    async with signed_in(site) as one, signed_in(site) as two:
        guess = {"username": one.username, "password": "a wrong guess"}
        guesses = [(await two.post("/accounts/login", json=guess, token="")).status for _ in range(11)]
        assert guesses == [401] * 9 + [429] * 2
        assert (await two.login()).status == 200
        routes = ("/accounts/login", "/api/login/", "/api/token/", "/accounts/login/")
        unknown = [{"username": f"nobody-{turn}", "password": "a wrong guess"} for turn in range(8)]
        tries = [await one.post(routes[turn % 4], json=body, token="") for turn, body in enumerate(unknown)]
        # Two logins, eleven guesses and one login came before.
        assert [answer.status for answer in tries] == [401] * 6 + [429] * 2


@pytest.mark.parametrize("new_site", ["embedded"], indirect=True)
async def test_the_guesses_of_a_password_are_limited_wherever_it_is_asked_for(new_site: NewSite) -> None:
    site = await new_site(LOGIN_LIMIT_PER_MINUTE="3")
    async with signed_in(site) as client:
        wrong = {"password": "a wrong guess"}
        new = {"old_password": "a wrong guess", "new_password": "a new one"}
        refused(await client.call("DELETE", "/accounts/me", json=wrong), 403, "wrong_password")
        refused(await client.post("/accounts/me/password", json=new), 403, "wrong_password")
        refused(await client.post("/accounts/me/password", json=new), 429, "rate_limited")


@pytest.mark.parametrize("new_site", ["embedded"], indirect=True)
async def test_an_account_has_a_limit_of_logins_from_all_addresses_together(new_site: NewSite) -> None:
    site = await new_site(ACCOUNT_LOGIN_LIMIT_PER_MINUTE="5", TRUSTED_PROXIES="127.0.0.1")
    async with signed_in(site) as client:

        async def tried(username: str, address: int) -> int:
            guess = {"username": username, "password": "a wrong guess"}
            sender = {"X-Forwarded-For": f"10.0.0.{address}"}
            return (await client.post("/accounts/login", json=guess, token="", headers=sender)).status

        assert [await tried(client.username, n) for n in range(5)] == [401] * 4 + [429]
        # Of names beyond what an account can have only the beginning is counted: each stays in memory.
        assert [await tried(f"{'x' * 100}{n}", n) for n in range(6)] == [401] * 5 + [429]


@pytest.mark.parametrize("new_site", ["embedded"], indirect=True)
async def test_where_registration_is_closed_operators_make_the_accounts(new_site: NewSite) -> None:
    site = await new_site(REGISTRATION="closed")
    async with Client(site) as client:
        details = {"username": client.username, "email": client.email, "password": PASSWORD}
        for route in ("/accounts/register", "/api/register/", "/users/register/", "/accounts/register/"):
            refused(await client.post(route, json=details), 403, "registration_closed")
        await site.run("create-user", "--username", client.username, "--password", PASSWORD)
        assert (await client.login()).status == 200


@pytest.mark.parametrize("new_site", ["embedded"], indirect=True)
async def test_registrations_are_limited_per_address_whatever_their_route(new_site: NewSite) -> None:
    site = await new_site(REGISTER_LIMIT_PER_MINUTE="3")

    async def register(path: str) -> Answer:
        async with Client(site) as client:
            details = {"username": client.username, "email": client.email, "password": PASSWORD}
            return await client.post(path, json=details)

    routes = ("/accounts/register", "/api/register/", "/users/register/", "/accounts/register/")
    answers = [await register(path) for path in routes]
    assert [answer.status for answer in answers[:3]] == [201] * 3
    refused(answers[3], 429, "rate_limited")
    assert 0 < int(answers[3].headers["Retry-After"]) <= 60


async def test_an_account_holds_no_more_than_its_quota(limited_client: Client, photos: Path) -> None:
    data = (photos / "chelsea.png").read_bytes()
    assert len(data) * 12 < 3_000_000 < len(data) * 13
    for _ in range(12):
        assert (await limited_client.upload(data, retention="ephemeral")).status == 201
    async with nothing_kept(limited_client):
        refused(await limited_client.upload(data, retention="ephemeral"), 413, "quota_exceeded")
    [newest] = (await limited_client.get("/api/images?limit=1")).json
    await limited_client.call("DELETE", f"/api/images/{newest['id']}")
    assert (await limited_client.upload(data, retention="ephemeral")).status == 201


async def test_an_account_has_no_more_unfinished_jobs_than_it_may(
    limited_client: Client, slow_picture: bytes, small_picture: bytes
) -> None:
    image = (await limited_client.upload(slow_picture, retention="ephemeral")).json
    at = f"/api/images/{image['id']}/transform"
    jobs = [(await limited_client.post(at, json={"operations": SLOW})).json["id"] for _ in range(6)]
    before = await kept_by(limited_client)
    refused(await limited_client.post(at, json={"operations": SLOW}), 429, "too_many_jobs")
    late = await limited_client.upload(small_picture, [{"op": "grayscale"}], filename="a.png")
    refused(late, 429, "too_many_jobs")
    assert late.headers["Retry-After"] == "1"
    assert await kept_by(limited_client) == before
    for job_id in reversed(jobs):
        await limited_client.call("DELETE", f"/api/jobs/{job_id}")
    assert (
        await limited_client.upload(small_picture, [{"op": "grayscale"}], filename="a.png", wait_s=60)
    ).status == 201


async def test_the_limits_of_an_upload_are_settings(limited_client: Client, small_picture: bytes) -> None:
    async with nothing_kept(limited_client):
        refused(await send(limited_client, file_part(bytes(2_000_001))), 413, "upload_too_large")
        many = await limited_client.upload(small_picture, [{"op": "grayscale"}] * 10, filename="a.png")
        assert "10" in refused(many, 400, "too_many_operations")

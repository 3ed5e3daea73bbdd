"""Limits: of requests, of bytes, of jobs; one account's use is not another's."""

import asyncio
from pathlib import Path

from tests.api.evidence import kept_by, nothing_kept, refused
from tests.api.forms import file_part, send
from tests.conftest import NewSite, signed_in
from tests.support.client import PASSWORD, Client

SLOW = [{"op": "blur", "sigma": 60}] * 3


async def test_requests_are_limited_per_account_and_logins_per_address(new_site: NewSite) -> None:
    site = await new_site(RATE_LIMIT_PER_MINUTE="12", LOGIN_LIMIT_PER_MINUTE="3")
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


async def test_an_account_holds_no_more_than_its_quota(narrow: Client, photos: Path) -> None:
    data = (photos / "chelsea.png").read_bytes()
    assert len(data) * 12 < 3_000_000 < len(data) * 13
    for _ in range(12):
        assert (await narrow.upload(data, retention="ephemeral")).status == 201
    async with nothing_kept(narrow):
        refused(await narrow.upload(data, retention="ephemeral"), 413, "quota_exceeded")
    [newest] = (await narrow.get("/api/images?limit=1")).json
    await narrow.call("DELETE", f"/api/images/{newest['id']}")
    assert (await narrow.upload(data, retention="ephemeral")).status == 201


async def test_an_account_has_no_more_unfinished_jobs_than_it_may(
    narrow: Client, slow_picture: bytes, small: bytes
) -> None:
    image = (await narrow.upload(slow_picture, retention="ephemeral")).json
    at = f"/api/images/{image['id']}/transform"
    jobs = [(await narrow.post(at, json={"operations": SLOW})).json["id"] for _ in range(6)]
    before = await kept_by(narrow)
    refused(await narrow.post(at, json={"operations": SLOW}), 429, "too_many_jobs")
    late = await narrow.upload(small, [{"op": "grayscale"}], filename="a.png")
    refused(late, 429, "too_many_jobs")
    assert late.headers["Retry-After"] == "1"
    assert await kept_by(narrow) == before
    for job_id in reversed(jobs):
        await narrow.call("DELETE", f"/api/jobs/{job_id}")
    assert (await narrow.upload(small, [{"op": "grayscale"}], filename="a.png", wait_s=60)).status == 201


async def test_the_limits_of_an_upload_are_settings(narrow: Client, small: bytes) -> None:
    async with nothing_kept(narrow):
        refused(await send(narrow, file_part(bytes(2_000_001))), 413, "upload_too_large")
        many = await narrow.upload(small, [{"op": "grayscale"}] * 4, filename="a.png")
        assert "4" in refused(many, 400, "too_many_operations")

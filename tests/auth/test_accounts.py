"""Accounts: made, opened, and ended with all that is in them."""

import asyncio
from pathlib import Path

import pytest

from tests.support.client import PASSWORD, Client
from tests.support.site import Site
from tests.support.site_contents import object_keys, refused
from tests.support.waiting import WAIT_S


async def test_a_new_account_logs_in_and_sees_itself(site: Site) -> None:
    async with Client(site) as client:
        made = await client.register()
        assert made.status == 201
        assert made.json["username"] == client.username
        assert made.json["last_login"] is None
        tokens = await client.login()
        assert tokens.status == 200
        assert (tokens.json["token_type"], tokens.json["expires_in"]) == ("Bearer", 900)
        me = await client.get("/accounts/me")
        assert me.status == 200
        assert {**me.json, "last_login": None} == made.json
        assert me.json["last_login"] is not None


async def test_a_client_that_sends_the_email_at_login_is_welcome(client: Client) -> None:
    body = {"username": client.username, "password": PASSWORD, "email": "any@example.org"}
    assert (await client.post("/accounts/login", json=body)).status == 200


async def test_a_taken_username_and_a_taken_email_have_codes_of_their_own(client: Client) -> None:
    taken, email = client.username, f"{client.username}@example.org"
    for body, code in (
        ({"username": taken, "email": "new@example.org", "password": PASSWORD}, "username_taken"),
        ({"username": f"{taken}-2", "email": email, "password": PASSWORD}, "email_taken"),
    ):
        refused(await client.post("/accounts/register", json=body), 409, code)


async def test_of_two_who_register_at_the_same_moment_one_gets_the_name(site: Site) -> None:
    async with Client(site) as one, Client(site) as two:
        two.username = one.username
        answers = await asyncio.gather(one.register(), two.register())
        assert sorted(answer.status for answer in answers) == [201, 409]
        assert (await one.login()).status == 200


async def test_of_two_who_register_one_email_at_the_same_moment_one_gets_it(site: Site) -> None:
    async with Client(site) as client:
        bodies = [
            {"username": f"{client.username}-{n}", "email": f"{client.username}@x.org", "password": PASSWORD}
            for n in range(2)
        ]
        answers = await asyncio.gather(*(client.post("/accounts/register", json=body) for body in bodies))
        [lost] = [answer for answer in answers if answer.status != 201]
        refused(lost, 409, "email_taken")


@pytest.mark.parametrize("username", ["inbox", "INBOX", "deleted-7"])
async def test_reserved_names_are_taken(site: Site, username: str) -> None:
    async with Client(site) as client:
        body = {"username": username, "email": f"{client.username}@example.org", "password": PASSWORD}
        refused(await client.post("/accounts/register", json=body), 409, "username_taken")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("password", "short"),
        ("password", "x" * 129),
        ("username", ""),
        ("username", "a b"),
        ("username", "../etc"),
        ("username", ".hidden"),
        ("username", "name\n"),
        ("username", "na\0me"),
        ("username", "x" * 65),
        ("email", "nobody"),
        ("email", "a@b\n"),
        ("email", "a\0@b"),
        ("email", None),
    ],
)
async def test_a_registration_that_will_not_do_is_refused_naming_the_field(
    site: Site, field: str, value: str | None
) -> None:
    async with Client(site) as client:
        body = {"username": client.username, "email": f"{client.username}@example.org", "password": PASSWORD}
        answer = await client.post("/accounts/register", json={**body, field: value})
        assert field in refused(answer, 400, "invalid_request")
        assert answer.json["errors"][0]["key"] == field
        assert str(value or "-").strip() not in answer.body.decode() or field != "password"


async def test_unknown_user_and_wrong_password_get_the_same_answer(client: Client) -> None:
    bodies = [
        {"username": client.username, "password": "wrong password"},
        {"username": "nobody-at-all", "password": PASSWORD},
    ]
    answers = [await client.post("/accounts/login", json=body, token="") for body in bodies]
    for answer in answers:
        refused(answer, 401, "bad_credentials")
    first, second = ({**answer.json, "request_id": ""} for answer in answers)
    assert first == second
    assert answers[0].headers.keys() == answers[1].headers.keys()


@pytest.mark.parametrize("username", ["a\0b", "a\nb"])
async def test_a_login_with_control_characters_is_refused(client: Client, username: str) -> None:
    body = {"username": username, "password": PASSWORD}
    refused(await client.post("/accounts/login", json=body), 400, "invalid_request")


async def test_an_ended_account_leaves_nothing_but_its_name(client: Client, photo: Path) -> None:
    kept = (await client.upload(photo, wait_s=60)).json
    made = (await client.upload(photo, [{"op": "grayscale"}], wait_s=60)).json
    assert made["result"]
    link = (await client.post(f"/api/images/{kept['id']}/link")).json["url"]
    assert len(await object_keys(client.site, f"{client.username}/")) == 3

    refused(await client.call("DELETE", "/accounts/me"), 400, "invalid_request")
    refused(await client.call("DELETE", "/accounts/me", json={"password": "a guess"}), 403, "wrong_password")
    assert (await client.call("DELETE", "/accounts/me", json={"password": PASSWORD})).status == 204

    refused(await client.get("/accounts/me"), 401, "not_authenticated")
    again = await client.post("/accounts/refresh", json={"refresh_token": client.refresh_token})
    refused(again, 401, "token_invalid")
    body = {"username": client.username, "password": PASSWORD}
    refused(await client.post("/accounts/login", json=body, token=""), 401, "bad_credentials")
    refused(await client.get(link, token=""), 404, "image_not_found")
    async with asyncio.timeout(WAIT_S):
        while await object_keys(client.site, f"{client.username}/"):
            await asyncio.sleep(0.05)

    refused(await client.register(), 409, "username_taken")  # the broker and the inbox know it by its name
    name, email = f"{client.username}2", client.email
    fresh = {"username": name, "email": email, "password": PASSWORD}
    assert (await client.post("/accounts/register", json=fresh)).status == 201
    client.username = name
    await client.login()
    assert (await client.get("/api/images")).json == []
    assert (await client.get("/api/jobs")).json == []

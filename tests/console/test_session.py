"""The login of the console over HTTP: its cookie, and who may use it."""

from http.cookies import Morsel, SimpleCookie

import pytest

from apps.api.console.session import COOKIE, PATH
from libs.storage import refresh_tokens, sessions
from libs.storage.database.engine import Engine
from libs.storage.refresh_tokens import TokenError, TokenReused
from tests.storage.rows import an_owner
from tests.support.client import PASSWORD, Answer, Client
from tests.support.shared_sites import ON_ONE_SITE, NewSite

CROSS_SITE = {"Sec-Fetch-Site": "same-site"}


def cookie_of(answer: Answer) -> Morsel[str]:
    return SimpleCookie(answer.headers["Set-Cookie"])[COOKIE]


async def opened(client: Client, **headers: str) -> Answer:
    content = {"username": client.username, "password": PASSWORD}
    return await client.call("POST", PATH, json=content, headers=headers)


async def refreshed(client: Client, value: str, **headers: str) -> Answer:
    cookie = {"Cookie": f"{COOKIE}={value}", **headers}
    return await client.call("POST", f"{PATH}/refresh", headers=cookie)


@ON_ONE_SITE
async def test_the_refresh_token_is_in_a_cookie_that_only_the_console_s_routes_get(client: Client) -> None:
    answer = await opened(client)
    assert answer.status == 200
    assert answer.json.keys() == {"access_token", "expires_in"}
    assert answer.headers["Cache-Control"] == "no-store"
    cookie = cookie_of(answer)
    assert (cookie["path"], cookie["httponly"], cookie["samesite"]) == (PATH, True, "strict")
    assert cookie.value not in answer.body.decode()
    me = await client.call("GET", "/accounts/me", token=answer.json["access_token"])
    assert me.json["username"] == client.username


@ON_ONE_SITE
async def test_a_renewed_login_has_another_cookie_and_ends_with_it(client: Client) -> None:
    first = cookie_of(await opened(client)).value
    answer = await refreshed(client, first)
    second = cookie_of(answer).value
    assert (answer.status, second != first) == (200, True)
    ended = await client.call("DELETE", PATH, headers={"Cookie": f"{COOKIE}={second}"})
    assert (ended.status, cookie_of(ended).value, cookie_of(ended)["max-age"]) == (204, "", "0")
    assert (await refreshed(client, second)).code == "token_invalid"
    me = await client.call("GET", "/accounts/me", token=answer.json["access_token"])
    assert me.code == "not_authenticated"


@ON_ONE_SITE
async def test_a_page_that_never_saw_the_new_cookie_renews_its_login_with_the_last(client: Client) -> None:
    first = cookie_of(await opened(client)).value
    assert (await refreshed(client, first)).status == 200
    again = await refreshed(client, first)
    assert again.status == 200
    assert (await refreshed(client, cookie_of(again).value)).status == 200


@ON_ONE_SITE
async def test_pages_of_other_hosts_of_the_same_site_cannot_use_the_login(client: Client) -> None:
    cookie = cookie_of(await opened(client)).value
    assert (await opened(client, **CROSS_SITE)).code == "forbidden"
    assert (await refreshed(client, cookie, **CROSS_SITE)).code == "forbidden"
    ended = await client.call("DELETE", PATH, headers={"Cookie": f"{COOKIE}={cookie}", **CROSS_SITE})
    assert ended.code == "forbidden"
    assert (await refreshed(client, cookie)).status == 200


@ON_ONE_SITE
async def test_without_a_cookie_there_is_no_login_to_renew_or_to_end(client: Client) -> None:
    assert (await client.call("POST", f"{PATH}/refresh")).code == "not_authenticated"
    assert (await client.call("DELETE", PATH)).status == 204


@pytest.mark.parametrize("new_site", ["embedded"], indirect=True)
async def test_behind_https_the_cookie_is_secure_and_logins_are_limited(new_site: NewSite) -> None:
    limits = {"PUBLIC_URL": "https://darkroom.example", "LOGIN_LIMIT_PER_MINUTE": "2"}
    async with Client(await new_site(**limits)) as client:
        await client.register()
        assert cookie_of(await opened(client))["secure"]
        assert (await opened(client)).status == 200
        assert (await opened(client)).code == "rate_limited"


async def test_a_token_is_used_again_only_within_its_grace(database: Engine) -> None:
    user = await an_owner()
    first = await refresh_tokens.start_family(user, ttl_s=60, user_agent="a browser")
    second = await refresh_tokens.rotate(first.id, ttl_s=60)
    sibling = await refresh_tokens.rotate(first.id, ttl_s=60, grace_s=60)
    [session] = await sessions.of(first.user)
    assert (session.id, session.user_agent) == (first.family, "a browser")
    assert len({first.id, second.id, sibling.id}) == 3
    assert first.family == second.family == sibling.family
    with pytest.raises(TokenReused):
        await refresh_tokens.rotate(first.id, ttl_s=60)
    for ended in (second.id, sibling.id, first.id):
        with pytest.raises(TokenError):
            await refresh_tokens.rotate(ended, ttl_s=60, grace_s=60)

"""`darkroom create-key`: a key without a login, and accounts that only keys open."""

from collections.abc import AsyncIterator

import pytest

from tests.support.client import Client
from tests.support.commands import Ended, run_command
from tests.support.site import Site
from tests.support.site_contents import refused


async def create_key(site: Site, *options: str) -> Ended:
    return await run_command(site, "create-key", *options)


@pytest.fixture
async def nobody(site: Site) -> AsyncIterator[Client]:
    """A client without an account."""
    async with Client(site) as client:
        yield client


async def test_one_command_makes_an_account_that_its_key_opens_and_no_password_does(nobody: Client) -> None:
    made = await create_key(nobody.site, "--username", nobody.username, "--new-account")
    assert (made.status, made.out.count("\n")) == (0, 1), made
    me = await nobody.get("/accounts/me", token=made.out.strip())
    assert (me.status, me.json["username"]) == (200, nobody.username)
    for password in ("", "!", "darkroom"):
        body = {"username": nobody.username, "password": password}
        refused(await nobody.post("/accounts/login", json=body), 401, "bad_credentials")
    again = await create_key(nobody.site, "--username", nobody.username, "--new-account")
    assert (again.status, again.out) == (1, "")
    assert "username_taken" in again.errors


async def test_a_key_has_the_scopes_networks_and_end_that_the_options_name(client: Client) -> None:
    made = await create_key(
        client.site, "--username", client.username, "--name", "nightly", "--scope", "jobs", "--scope",
        "images:read", "--network", "127.0.0.0/8", "--expires-at", "2090-01-01T00:00:00Z",
    )  # fmt: skip
    assert made.status == 0, made
    [key] = (await client.get("/accounts/me/keys")).json
    assert (key["name"], key["scopes"], key["networks"]) == (
        "nightly",
        ["images:read", "jobs"],
        ["127.0.0.0/8"],
    )
    assert key["expires_at"] == "2090-01-01T00:00:00Z"
    assert (await client.get("/api/jobs", token=made.out.strip())).status == 200


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--username", "no-such-account"], "--new-account"),
        (["--username", "a b"], "--username"),
        (["--username", "ada", "--scope", "image:read"], "images:read"),
        (["--username", "ada", "--network", "10.0.0.1/8"], "host bits"),
        (["--username", "ada", "--expires-at", "tomorrow"], "--expires-at"),
        (["--username", "ada", "--expires-at", "2020-01-01T00:00:00Z"], "past"),
    ],
)
async def test_an_option_that_is_wrong_is_named_and_no_key_is_made(
    site: Site, options: list[str], named: str
) -> None:
    made = await create_key(site, *options)
    assert (made.status, made.out) == (2, "")
    assert named in made.errors

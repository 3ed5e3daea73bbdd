"""Accounts on the admin pages: the rules of the API hold there too."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import pytest

from tests.support.admin_client import AdminClient, open_admin_client
from tests.support.client import PASSWORD, Client
from tests.support.site import Site


def account(**changes: Any) -> dict[str, Any]:
    name = f"user-{uuid4().hex[:8]}"
    fresh = {"username": name, "email": f"{name}@example.org", "password": PASSWORD}
    return {**fresh, "active": True, "admin": False, "superuser": False, **changes}


async def logs_in(site: Site, username: str, password: str) -> bool:
    async with Client(site) as client:
        body = {"username": username, "password": password}
        return (await client.post("/accounts/login", json=body)).status == 200


async def test_an_account_is_made_and_its_password_changed_on_the_pages(
    site: Site, admin: AdminClient
) -> None:
    requested = account()
    made = await admin.call("POST", "api/tables/piccolo_user/", json=requested)
    assert made.status == 201
    row = f"api/tables/piccolo_user/{made.json['id']}/"
    assert await logs_in(site, requested["username"], PASSWORD)
    async with Client(site) as client:
        client.username = requested["username"]
        await client.login()
        changed = await admin.call(
            "PATCH", row, json={"password": "another long password", "first_name": "Ada"}
        )
        assert changed.status == 200
        assert b"password" not in changed.body or b"pbkdf2" not in changed.body
        assert (await client.get("/accounts/me")).status == 401  # its logins have ended
    assert not await logs_in(site, requested["username"], PASSWORD)
    assert await logs_in(site, requested["username"], "another long password")
    assert (await admin.call("PATCH", row, json={"password": "", "first_name": "Eve"})).status == 200
    assert await logs_in(site, requested["username"], "another long password")


async def test_the_former_name_of_a_renamed_account_is_kept_for_it(admin: AdminClient) -> None:
    requested, other = account(), account()
    created = await admin.call("POST", "api/tables/piccolo_user/", json=requested)
    row = f"api/tables/piccolo_user/{created.json['id']}/"
    for name in ("new-" + requested["username"], requested["username"], "new-" + requested["username"]):
        assert (await admin.call("PATCH", row, json={"username": name})).status == 200
    taken = await admin.call(
        "POST", "api/tables/piccolo_user/", json=other | {"username": requested["username"]}
    )
    assert taken.status == 400
    made = await admin.call("POST", "api/tables/piccolo_user/", json=other)
    theirs = f"api/tables/piccolo_user/{made.json['id']}/"
    assert (await admin.call("PATCH", theirs, json={"username": requested["username"]})).status == 400


@pytest.mark.parametrize(
    "changes",
    [
        {"username": "../etc"},
        {"username": "inbox"},
        {"username": "deleted-1"},
        {"password": "short"},
        {"email": "no address"},
    ],
)
async def test_the_rules_for_accounts_hold_on_the_pages_too(
    admin: AdminClient, client: Client, changes: Mapping[str, str]
) -> None:
    refused = await admin.call("POST", "api/tables/piccolo_user/", json=account(**changes))
    assert refused.status in (400, 422)
    [me] = await admin.rows("piccolo_user", username=client.username)
    if "email" not in changes:
        path = f"api/tables/piccolo_user/{me['id']}/"
        assert (await admin.call("PATCH", path, json=dict(changes))).status == 400
        assert (await client.get("/accounts/me")).json["username"] == client.username


async def test_the_pages_offer_accounts_to_superusers_only(admin: AdminClient, site: Site) -> None:
    offered = (await admin.get("admin-api/access/")).json
    assert offered["piccolo_user"]["add"]
    assert offered["image"] == {"edit": [], "add": False, "delete": False}
    requested = account(admin=True)
    assert (await admin.call("POST", "api/tables/piccolo_user/", json=requested)).status == 201
    async with open_admin_client(site) as other:
        assert await other.log_in(requested["username"]) == 200
        assert (await other.get("admin-api/access/")).json["piccolo_user"] == offered["image"]


async def test_an_account_is_not_deleted_with_its_images_left_behind(
    admin: AdminClient, client: Client
) -> None:
    [me] = await admin.rows("piccolo_user", username=client.username)
    path = f"api/tables/piccolo_user/{me['id']}/"
    assert (await admin.call("DELETE", path)).status == 405
    assert (await admin.call("PUT", path, json=account(password="plain text"))).status == 405
    assert (await client.get("/accounts/me")).status == 200

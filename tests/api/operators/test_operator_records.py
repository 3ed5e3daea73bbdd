"""Images, batches, deliveries and accounts of the whole site, and the log of what operators do to them."""

import asyncio
from pathlib import Path
from uuid import uuid4

from tests.batches.csv_files import accepted, products
from tests.support.admin_client import open_admin_client
from tests.support.client import PASSWORD, Client
from tests.support.operators import SHELL_USER, operator_of
from tests.support.photo_server import PhotoServer
from tests.support.site import Site
from tests.support.site_contents import refused
from tests.support.waiting import WAIT_S, until


async def audited(operator: Client, about: str) -> list[tuple[str, str]]:
    """What operators did to a record, newest first: who did what."""
    entries = (await operator.get(f"/api/operator/audit?about={about}")).json
    return [(entry["username"], entry["action"]) for entry in entries]


async def test_an_image_of_any_account_is_found_and_deleted(
    client: Client, operator: Client, photo: Path
) -> None:
    image = (await client.upload(photo, filename="DSC_1.jpg")).json["id"]
    await client.upload(photo, filename="DSCx1.jpg")
    for query in (f"filename=dsc_1&owner={client.username}", f"image={image}"):
        [found] = (await operator.get(f"/api/operator/images?{query}")).json
        assert (found["id"], found["owner"], found["filename"]) == (image, client.username, "DSC_1.jpg")
    picture = await operator.get(found["thumbnail_url"], token="")
    assert (picture.status, picture.headers["Content-Type"]) == (200, "image/webp")
    assert (await operator.call("DELETE", f"/api/operator/images/{image}")).status == 204
    await client.until_gone(image)
    refused(await operator.call("DELETE", f"/api/operator/images/{image}"), 404, "image_not_found")
    assert await audited(operator, image) == [(operator.username, "image.delete")]


async def test_a_failed_batch_is_found_run_again_and_deleted(
    client: Client, operator: Client, photo: Path, photo_server: PhotoServer
) -> None:
    missing = photo_server.url(f"/{client.username}.jpg")
    batch = str((await accepted(client, products([[missing]])))["id"])
    mine = f"/api/operator/batches?owner={client.username}&status="

    async def ended(status: str) -> bool:
        return [one["id"] for one in (await operator.get(mine + status)).json] == [batch]

    await until(lambda: ended("Failed"))
    address = f"/api/operator/batches/{batch}"
    shown = (await operator.get(address)).json
    assert (shown["owner"], shown["errors"]) == (client.username, {"url_http_error": 1})
    photo_server.serve(f"/{client.username}.jpg", photo.read_bytes())
    assert (await operator.post(f"{address}/retry")).json["status"] == "In Process"
    await until(lambda: ended("Completed"))
    assert (await operator.call("DELETE", address)).status == 204
    refused(await operator.get(address), 404, "batch_not_found")
    assert await audited(operator, batch) == [
        (operator.username, "batch.delete"),
        (operator.username, "batch.retry"),
    ]


async def test_a_delivery_of_any_account_is_sent_again(
    client: Client, operator: Client, photo: Path, photo_server: PhotoServer
) -> None:
    dead_end = photo_server.url("/no-receiver")
    await client.upload(photo, [{"op": "grayscale"}], webhook_url=dead_end)

    async def delivery() -> str:
        found = (await operator.get(f"/api/operator/deliveries?owner={client.username}")).json
        return found[0]["id"] if found and found[0]["attempts"] and found[0]["status"] == "pending" else ""

    sent = await until(delivery)
    again = await operator.post(f"/api/operator/deliveries/{sent}/redeliver")
    assert (again.status, again.json["status"], again.json["owner"]) == (202, "pending", client.username)
    assert await audited(operator, sent) == [(operator.username, "delivery.redeliver")]


async def test_a_deactivated_account_is_refused_until_it_is_active_again(
    client: Client, operator: Client
) -> None:
    scopes = {"name": "shop", "scopes": ["account"]}
    key = (await client.post("/accounts/me/keys", json=scopes)).json["key"]
    [found] = (await operator.get(f"/api/operator/accounts?search={client.username.upper()}")).json
    address = f"/api/operator/accounts/{client.username}"
    shown = (await operator.get(address)).json
    assert (shown["email"], shown["active"], shown["sessions"]) == (client.email, True, 1)
    assert [one["name"] for one in shown["keys"]] == ["shop"]
    assert (await operator.call("PATCH", address, json={"active": False})).json["active"] is False
    refused(await client.get("/accounts/me"), 401, "not_authenticated")
    refused(await client.get("/accounts/me", token=key), 401, "api_key_invalid")
    credentials = {"username": client.username, "password": PASSWORD}
    refused(await client.post("/accounts/login", json=credentials), 401, "bad_credentials")
    assert (await operator.call("PATCH", address, json={"active": True})).json["sessions"] == 0
    await client.login()
    assert (await client.get("/accounts/me", token=key)).status == 200
    await operator.call("DELETE", f"{address}/sessions")
    refused(await client.get("/accounts/me"), 401, "not_authenticated")

    reset = (await operator.post(f"{address}/password-reset")).json["url"]
    assert (await client.post(reset, json={"password": "another password"})).status == 204
    refused(await client.post("/accounts/login", json=credentials), 401, "bad_credentials")
    [listed] = (await operator.get(f"/api/operator/keys?owner={client.username}")).json
    assert (await operator.call("DELETE", f"/api/operator/keys/{listed['id']}")).status == 204
    refused(await client.get("/accounts/me", token=key), 401, "api_key_invalid")
    assert [action for _, action in await audited(operator, str(found["id"]))] == [
        "account.reset_password",
        "account.end_sessions",
        "account.activate",
        "account.deactivate",
    ]
    assert await audited(operator, listed["id"]) == [(operator.username, "key.revoke")]


async def test_upload_tokens_of_all_accounts_are_listed_page_by_page_and_revoked(
    client: Client, other_client: Client, operator: Client, small_picture: bytes
) -> None:
    first, second = [
        (await one.post("/api/upload-tokens", json={"formats": ["png"]})).json
        for one in (client, other_client)
    ]
    address = "/api/operator/upload-tokens"
    page = await operator.get(f"{address}?limit=1")
    [newest] = page.json
    assert (newest["id"], newest["owner"]) == (second["id"], other_client.username)
    following = page.headers["Link"].partition(">")[0].strip("<")
    assert [one["id"] for one in (await operator.get(following)).json] == [first["id"]]
    [mine] = (await operator.get(f"{address}?owner={client.username}")).json
    assert mine == {name: value for name, value in first.items() if name != "token"} | {
        "owner": client.username
    }
    assert (await operator.call("DELETE", f"{address}/{first['id']}")).status == 204
    upload = await client.upload(small_picture, headers={"Authorization": f"Bearer {first['token']}"})
    refused(upload, 401, "upload_token_invalid")
    refused(await operator.call("DELETE", f"{address}/{first['id']}"), 404, "upload_token_not_found")
    assert await audited(operator, first["id"]) == [(operator.username, "upload_token.revoke")]


async def test_the_stream_of_an_operator_ends_with_the_login(site: Site, operator: Client) -> None:
    async with asyncio.timeout(WAIT_S), operator_of(site) as other:
        url, headers = f"{site.url}/api/operator/events", {"Authorization": f"Bearer {other.token}"}
        async with other.session.get(url, headers=headers) as stream:
            assert b"overview" in await stream.content.readline()
            address = f"/api/operator/accounts/{other.username}"
            assert (await operator.call("PATCH", address, json={"active": False})).status == 200
            await stream.content.read()


async def test_accounts_are_listed_page_by_page(
    client: Client, other_client: Client, operator: Client
) -> None:
    first = await operator.get("/api/operator/accounts?limit=1&active=true")
    following = first.headers["Link"].partition(">")[0].strip("<")
    second = await operator.get(following)
    assert first.json[0]["id"] > second.json[0]["id"]
    refused(await operator.get(f"/api/operator/accounts/nobody-{uuid4()}"), 404, "account_not_found")


async def test_an_operator_keeps_the_own_account_and_only_superusers_change_others(
    site: Site, client: Client, operator: Client
) -> None:
    address = "/api/operator/accounts"
    own = f"{address}/{operator.username}"
    refused(await operator.call("PATCH", own, json={"active": False}), 409, "own_account")
    async with operator_of(site) as plain, open_admin_client(site) as admin:
        plain_id = (await plain.get("/accounts/me")).json["id"]
        assert await admin.log_in(operator.username) == 200
        changed = await admin.call("PATCH", f"api/tables/piccolo_user/{plain_id}/", json={"superuser": False})
        assert changed.status == 200, changed
        assert (await plain.get(f"{address}/{client.username}")).status == 200
        for method, path in (("PATCH", ""), ("POST", "/password-reset"), ("DELETE", "/sessions")):
            answer = await plain.call(method, f"{address}/{client.username}{path}", json={"active": False})
            refused(answer, 403, "superuser_required")
        assert await audited(operator, str(plain_id)) == [
            (operator.username, "account.change"),
            (SHELL_USER, "account.create"),
        ]


async def test_changes_on_the_admin_pages_are_in_the_audit_log(
    site: Site, client: Client, operator: Client, photo: Path, photo_server: PhotoServer
) -> None:
    image = (await client.upload(photo)).json["id"]
    key = (await client.post("/accounts/me/keys", json={"name": "ci", "scopes": ["jobs"]})).json["id"]
    hook = (await client.post("/api/webhooks", json={"url": photo_server.url("/hook")})).json["id"]
    token = (await client.post("/api/upload-tokens", json={})).json["id"]
    async with open_admin_client(site) as admin:
        assert await admin.log_in(operator.username) == 200
        await admin.call("POST", "admin-api/images/delete/", json={"ids": [image]})
        await admin.call("DELETE", f"api/tables/api_key/{key}/")
        await admin.call("DELETE", f"api/tables/upload_token/{token}/")
        await admin.call("PATCH", f"api/tables/webhook_endpoint/{hook}/", json={"active": False})
        await admin.call("DELETE", f"api/tables/webhook_endpoint/{hook}/")
    assert await audited(operator, image) == [(operator.username, "image.delete")]
    assert await audited(operator, key) == [(operator.username, "key.revoke")]
    assert await audited(operator, token) == [(operator.username, "upload_token.revoke")]
    assert [action for _, action in await audited(operator, hook)] == ["webhook.delete", "webhook.change"]

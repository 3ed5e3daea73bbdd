"""What an account can see, end and take with it: its sessions and its export."""

import io
import json
import zipfile
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from libs.runtime.zip_stream import Entry, zip_stream
from tests.batches.csv_files import accepted, done, products
from tests.support.client import Client
from tests.support.shared_sites import ON_ONE_SITE
from tests.support.site_contents import refused
from tests.support.webhook_receiver import Receiver

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


async def sessions_of(client: Client) -> list[dict[str, Any]]:
    answer = await client.get("/accounts/me/sessions")
    assert answer.status == 200, answer
    return answer.json


async def test_an_account_sees_its_logins_and_ends_another_one(client: Client, other_client: Client) -> None:
    ours = {"username": client.username, "password": "correct horse battery"}
    laptop = await client.post("/accounts/login", json=ours, headers={"User-Agent": FIREFOX})
    renewed = await client.post(
        "/accounts/refresh", json={"refresh_token": laptop.json["refresh_token"]}, headers={"User-Agent": "x"}
    )
    token = renewed.json["access_token"]
    [there, here] = await sessions_of(client)
    assert (here["current"], there["current"]) == (True, False)
    assert there["user_agent"] == FIREFOX, "it is known by its login, not by who renews it"
    address = f"/accounts/me/sessions/{there['id']}"
    assert there["created_at"] < there["renewed_at"] < there["expires_at"]
    refused(await other_client.call("DELETE", address), 404, "session_not_found")
    assert (await client.get("/accounts/me", token=token)).status == 200
    assert (await client.call("DELETE", address)).status == 204
    refused(await client.get("/accounts/me", token=token), 401, "not_authenticated")
    assert [session["id"] for session in await sessions_of(client)] == [here["id"]]
    refused(await client.call("DELETE", address), 404, "session_not_found")


@ON_ONE_SITE
async def test_a_login_keeps_the_beginning_of_a_long_user_agent_and_no_key_lists_sessions(
    client: Client,
) -> None:
    ours = {"username": client.username, "password": "correct horse battery"}
    await client.post("/accounts/login", json=ours, headers={"User-Agent": "a" * 5000})
    assert (await sessions_of(client))[0]["user_agent"] == "a" * 200
    key = (await client.post("/accounts/me/keys", json={"name": "all", "scopes": ["account"]})).json["key"]
    for path in ("sessions", "export"):
        refused(await client.get(f"/accounts/me/{path}", token=key), 403, "login_required")


async def test_an_export_has_all_records_as_the_api_shows_them_and_the_originals(
    client: Client, other_client: Client, receiver: Receiver, small_picture: bytes
) -> None:
    image = (await client.upload(small_picture, [{"op": "grayscale"}], wait_s=60, filename="a/b.png")).json
    batch = await accepted(client, products([["data:,"]]))
    await done(client, batch["id"])
    await client.call("PUT", "/api/presets/thumb", json={"operations": [{"op": "flip"}]})
    secret = (
        await client.post("/api/webhooks", json={"url": receiver.url("/export"), "events": ["job.completed"]})
    ).json["secret"]
    key = (await client.post("/accounts/me/keys", json={"name": "all", "scopes": ["jobs"]})).json["key"]
    ticket = (await client.post("/accounts/me/export/ticket")).json
    answer = await other_client.get(f"{ticket['url']}&originals=true", headers={"Authorization": ""})
    assert answer.status == 200, answer
    assert answer.headers["Content-Disposition"].startswith(f'attachment; filename="{client.username}.zip"')
    assert secret.encode() not in answer.body
    assert key.encode() not in answer.body
    with zipfile.ZipFile(io.BytesIO(answer.body)) as exported:
        assert exported.testzip() is None
        content = {name: exported.read(name) for name in exported.namelist()}
    assert json.loads(content["account.json"])["username"] == client.username
    lists = {"images": "/api/images", "jobs": "/api/jobs", "batches": "/api/batches"}
    lists |= {"presets": "/api/presets", "webhooks": "/api/webhooks", "api-keys": "/accounts/me/keys"}
    for name, path in lists.items():
        listed = (await client.get(f"{path}?limit=100")).json
        exported_ids = [json.loads(line).get("id") for line in content[f"{name}.jsonl"].splitlines()]
        assert exported_ids == [record.get("id") for record in listed], name
        assert listed, name
    originals = {name: data for name, data in content.items() if name.startswith("originals/")}
    assert originals == {f"originals/{image['id']}.png": small_picture}

    plain = await client.get("/accounts/me/export")
    with zipfile.ZipFile(io.BytesIO(plain.body)) as exported:
        assert not [name for name in exported.namelist() if "/" in name]
    stream = (await client.post("/api/events/ticket")).json["ticket"]
    refused(await client.get(f"/accounts/me/export?ticket={stream}", token=" "), 401, "token_invalid")


@ON_ONE_SITE
async def test_a_ticket_of_a_batch_opens_its_files(client: Client, other_client: Client) -> None:
    batch = await accepted(client, products([["data:,"]]))
    await done(client, batch["id"])
    ticket = (await client.post(f"/api/batches/{batch['id']}/events/ticket")).json["ticket"]
    for address in (batch["output_url"], batch["archive_url"]):
        answer = await other_client.get(f"{address}?ticket={ticket}", headers={"Authorization": ""})
        assert answer.status == 200, answer
    another = await accepted(client, products([["data:,"]]))
    answer = await client.get(f"{another['output_url']}?ticket={ticket}", headers={"Authorization": ""})
    refused(answer, 401, "token_invalid")


async def test_a_zip_file_holds_one_chunk_at_a_time() -> None:
    """Each chunk leaves before the next is read."""
    read = 0

    async def content() -> AsyncGenerator[bytes]:
        nonlocal read
        for _ in range(100):
            read += 1
            yield bytes(1000)

    async def entries() -> AsyncGenerator[Entry]:
        yield "a", content()

    written = 0
    async for piece in zip_stream(entries()):
        written += len(piece)
        assert written >= 1000 * (read - 1)
    assert written > 100_000


@pytest.mark.parametrize("count", [0, 1])
async def test_a_zip_file_of_few_files_is_valid(count: int) -> None:
    async def text() -> AsyncGenerator[bytes]:
        yield b"hello"

    async def entries() -> AsyncGenerator[Entry]:
        for nth in range(count):
            yield f"{nth}.txt", text()

    data = b"".join([piece async for piece in zip_stream(entries())])
    with zipfile.ZipFile(io.BytesIO(data)) as zipped:
        assert [zipped.read(name) for name in zipped.namelist()] == [b"hello"] * count

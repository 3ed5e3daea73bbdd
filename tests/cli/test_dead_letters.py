"""`darkroom dead-letters`: what an operator sees and does."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aio_pika
import pytest

from libs.backends import Backends
from libs.contracts.topology import JOBS, Route
from libs.storage.database.operator_tables import AuditEntry
from libs.storage.database.tables import AcceptedOrder, Job
from tests.broker.connections import raw_channel
from tests.orders.producer import BROKER_USER, data_url, ingest
from tests.storage.rows import an_owner
from tests.support.backends import ended, opened_backends, working
from tests.support.commands import run_command
from tests.support.migrated_database import migrated_database
from tests.support.services import own_vhost
from tests.support.site import Site
from tests.support.waiting import WAIT_S

pytestmark = pytest.mark.services


async def noted() -> list[tuple[str, str]]:
    """What the audit log has of the commands, oldest first."""
    entries = await AuditEntry.objects().order_by(AuditEntry.id)
    assert all(entry.username.startswith("cli:") and entry.detail for entry in entries)
    return [(entry.action, entry.subject) for entry in entries]


class Operator:
    """Sends messages and runs the commands."""

    def __init__(self, backends: Backends, site: Site) -> None:
        self.backends = backends
        self.site = site
        self.errors = ""

    async def send(
        self, body: dict[str, Any] | bytes, *, user_id: str | None = BROKER_USER, **headers: str
    ) -> None:
        async with raw_channel(self.site.settings["BROKER_URL"]) as channel:
            jobs = await channel.get_exchange(JOBS, ensure=False)
            message = aio_pika.Message(
                body if isinstance(body, bytes) else json.dumps(body).encode(),
                user_id=user_id,
                headers={name.replace("_", "-"): value for name, value in headers.items()},
            )
            await jobs.publish(message, Route.TRANSFORM.value)

    async def run(self, *arguments: str) -> tuple[int, str]:
        """Run a command; return its exit status and output. `errors` holds its standard error."""
        ended = await run_command(self.site, "dead-letters", *arguments)
        self.errors = ended.errors
        return ended.status, ended.out

    async def letters(self, count: int) -> list[list[str]]:
        """Wait until `list` shows `count` lines; return their columns."""
        async with asyncio.timeout(WAIT_S):
            while True:
                status, output = await self.run("list")
                assert status == 0, self.errors
                if len(lines := output.splitlines()) == count:
                    return [line.split(maxsplit=3) for line in lines]


@pytest.fixture
async def operator(tmp_path: Path) -> AsyncIterator[Operator]:
    """A site whose worker is started by the test; broker users order for the account of their own name."""
    async with migrated_database() as database, own_vhost() as broker:
        settings = {"DATABASE_URL": database, "BROKER_URL": broker}
        async with opened_backends(tmp_path, **settings) as backends:
            secret = {"SECRET_KEY": backends.settings.secret_key}
            yield Operator(backends, Site("services", tmp_path, settings | secret))


async def test_a_dead_letter_is_shown_and_requeued_once_its_cause_is_gone(
    operator: Operator, photo: Path
) -> None:
    order = ingest(BROKER_USER, {"url": data_url(photo)})
    async with working(operator.backends):
        await operator.send(order)
        ((letter_id, route, sender, reason),) = await operator.letters(1)
        assert (route, sender, reason) == ("transform", "guest", "unknown_owner: there is no account guest")

        status, shown = await operator.run("show", letter_id[:6])
        assert (status, "sender: guest" in shown, "x-error: unknown_owner" in shown) == (0, True, True)
        assert json.loads((await operator.run("show", letter_id, "--body"))[1]) == order

        assert (await operator.run("requeue", letter_id))[0] == 1
        assert f"{letter_id} stays: unknown_owner" in operator.errors
        await operator.letters(1)

        await an_owner(BROKER_USER)
        assert await operator.run("requeue", letter_id) == (0, f"{letter_id} requeued\n")
        await operator.letters(0)
        order = await AcceptedOrder.objects().first()
        assert order is not None
        assert (await ended(order.outcome)).status == "completed"
    assert await noted() == [("dead_letter.requeue", letter_id)]


async def test_requeueing_gives_a_sender_no_more_rights_than_before(operator: Operator, photo: Path) -> None:
    owner = await an_owner()
    order = ingest(owner.username, {"url": data_url(photo)})
    forged = {"x_original_user_id": owner.username}
    async with working(operator.backends):
        await operator.send(order)
        await operator.send(order, user_id=None, **forged)
        await operator.letters(2)
    await operator.send(order, user_id=None, **forged)
    async with raw_channel(operator.site.settings["BROKER_URL"]) as channel:
        queue = await channel.get_queue(Route.TRANSFORM.queue)
        message = await queue.get(timeout=WAIT_S)
        assert message is not None
        await message.reject(requeue=False)  # as the broker itself does with one that kills its workers
    senders = [letter[2] for letter in await operator.letters(3)]
    assert sorted(senders) == ["-", "-", "guest"]
    assert (await operator.run("requeue", "--all"))[0] == 1
    errors = operator.errors
    assert (errors.count("stays: unidentified_sender"), errors.count("stays: sender_not_allowed")) == (2, 1)
    await operator.letters(3)
    assert await Job.count() == 0


async def test_dead_letters_are_dropped_one_by_one_or_all(operator: Operator) -> None:
    async with working(operator.backends):
        for body in (b"one", b"two", b"\xff\x00"):
            await operator.send(body)
        letters = await operator.letters(3)
        assert {letter[3].split(":")[0] for letter in letters} == {"bad_message"}
        first, *others = [letter[0] for letter in letters]
        assert await operator.run("drop", first) == (0, f"{first} dropped\n")
        assert sorted(letter[0] for letter in await operator.letters(2)) == sorted(others)
        assert (await operator.run("drop", first))[0] == 1
        assert f"no dead letter has the id {first}" in operator.errors
        assert (await operator.run("drop"))[0] == 2
        assert (await operator.run("drop", "--all"))[0] == 0
        await operator.letters(0)
    assert sorted(await noted()) == sorted(("dead_letter.drop", letter[0]) for letter in letters)


async def test_an_in_memory_broker_has_no_dead_letters_for_other_processes(tmp_path: Path) -> None:
    site = Site("embedded", tmp_path, {})
    ended = await run_command(site, "dead-letters", "list")
    assert (ended.status, "memory://" in ended.errors) == (1, True)

"""What must hold after every fault, as seen over HTTP, at the broker, in the store and in the rows."""

import asyncio
import hashlib
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import asyncpg  # pyright: ignore[reportMissingTypeStubs]
import psutil

from tests.chaos.installation import Installation
from tests.chaos.workload import Kind, Retry, Submission, Workload
from tests.support.site import PROGRAM
from tests.support.site_contents import scratch_files
from tests.support.waiting import WAIT_S, until_equal

DOWNLOADS_AT_ONCE = 4
STOP_S = 10.0  # whatever hangs

UNFINISHED = "select count(*) from job where status in ('queued', 'running')"
LEFT = {
    "unfinished jobs": UNFINISHED,
    "unfinished batches": "select count(*) from batch where status in ('Pending', 'In Process')",
    "unsent replies": "select count(*) from reply",
    "unsent webhooks": "select count(*) from webhook_delivery where status in ('pending', 'sending')",
}
MUST_BE_NONE = {
    "a result of two jobs": "select result from job where result is not null "
    "group by result having count(*) > 1",
    "an image that no job made or used": "select id from image i where not exists "
    "(select 1 from job where job.result = i.id or job.image = i.id)",
    "a result that no job has": "select id from image i where parent is not null and not exists "
    "(select 1 from job where job.result = i.id)",
    "a webhook that was not delivered": "select id, status, last_error from webhook_delivery "
    "where status <> 'delivered'",
}


class Database:
    """Reads the database, past any proxy."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def rows(self, query: str, *arguments: object) -> list[dict[str, Any]]:
        settings = {"default_transaction_read_only": "on"}
        connection = cast("Any", await asyncpg.connect(self._url, server_settings=settings))
        try:
            return [dict(row) for row in await connection.fetch(query, *arguments)]
        finally:
            await connection.close()

    async def number(self, query: str) -> int:
        [row] = await self.rows(query)
        return next(iter(row.values()))


async def all_ended(
    installation: Installation, submissions: Sequence[Submission], *, within_s: float
) -> None:
    """Wait until nothing is unfinished or unsent, and the broker has no order that is no job yet."""
    database = Database(installation.urls.database)
    orders = {one.webhook_url for one in submissions if one.kind == Kind.ORDER and one.accepted}

    async def left() -> dict[str, int]:
        accepted = await database.rows("select webhook_url from job where webhook_url = any($1)", [*orders])
        counts = {"orders at the broker": len(orders - {row["webhook_url"] for row in accepted})}
        for name, query in LEFT.items():
            counts[name] = await database.number(query)
        return {name: count for name, count in counts.items() if count}

    await until_equal({}, left, within_s=within_s)


async def violations(workload: Workload, submissions: Sequence[Submission]) -> list[str]:
    """Return the violated invariants; call it when everything has ended."""
    installation = workload.installation
    database = Database(installation.urls.database)
    found = [f"{one.kind} {one.name} refused: {one.tries}" for one in submissions if one.refused]
    for name, query in MUST_BE_NONE.items():
        rows = await database.rows(query)
        found += [f"{name}: {row}" for row in rows[:5]]
    found += await _lost_or_doubled(workload, submissions, database)
    found += await _webhooks(installation, database)
    found += await _replies(workload, submissions)
    found += await _doctor(installation)
    found += await _leftovers(installation)
    return found


async def left_after_stop(installation: Installation) -> list[str]:
    """Stop all processes in order; return what is left of them."""
    site = installation.site
    began = time.monotonic()
    await site.stop_all()
    took_s = time.monotonic() - began
    found = [f"the processes stopped after {took_s:.1f} s"] if took_s > STOP_S else []

    async def left() -> list[str]:
        return await asyncio.to_thread(_processes_and_connections, installation)

    with suppress(AssertionError):
        await until_equal([], left, within_s=STOP_S)
    folders = [path for path in Path(site.settings["DATA_DIR"], "tmp").iterdir() if path.is_dir()]
    return [*found, *await left(), *(f"temporary files are left in {folder}" for folder in folders)]


def _processes_and_connections(installation: Installation) -> list[str]:
    found: list[str] = []
    for process in psutil.process_iter(["cwd", "status"]):
        info = process.info
        if info["cwd"] == str(installation.site.directory) and info["status"] != psutil.STATUS_ZOMBIE:
            found.append(f"the process {process.pid} is left")
    for server in installation.services.servers:
        found += [f"a connection from {client} to {server.name} is left" for client in server.connections()]
    return found


async def _lost_or_doubled(
    workload: Workload, submissions: Sequence[Submission], database: Database
) -> list[str]:
    urls = [one.webhook_url for one in submissions]
    jobs = await database.rows(
        # The fetch that precedes the transformation of an order is no outcome of its own.
        "select id, kind, status, error_code, image, result, attempts, webhook_url from job "
        "where webhook_url = any($1) and not (kind = 'ingest' and exists "
        "(select 1 from submission where submission.job = job.id and submission.outcome <> job.id))",
        urls,
    )
    batches = await database.rows(
        "select id, status, total, completed, failed, webhook_url from batch where webhook_url = any($1)",
        urls,
    )
    made: dict[str, list[dict[str, Any]]] = {}
    for row in (*jobs, *batches):
        made.setdefault(row["webhook_url"], []).append(row)
    found: list[str] = []
    results: list[str] = []
    for one in submissions:
        rows = made.get(one.webhook_url, [])
        most = len(one.tries) if one.retry == Retry.NO_KEY else 1
        least = 1 if one.accepted else 0
        if not least <= len(rows) <= most:
            found.append(f"{one.kind} ({one.retry}) {one.name} became {len(rows)} jobs: {one.tries}")
        ids = {str(row["id"]) for row in rows} | {str(row.get("result")) for row in rows}
        ids |= {str(row.get("image")) for row in rows}
        for answer in one.answers:
            if not ids & {answer.json["id"], answer.json.get("job_id")}:
                found.append(f"{one.kind} {one.name} was answered with {answer.json}, which is not there")
        for row in rows:
            if row["status"].lower() != "completed" or row.get("failed"):
                found.append(f"{one.kind} {one.name} ended as {row}: {one.tries}")
            elif one.kind != Kind.BATCH:
                results.append(str(row["result"]))
    return found + await _downloads(workload, results)


async def _downloads(workload: Workload, image_ids: Sequence[str]) -> list[str]:
    """Fetch results as their owner does, some at a time."""
    room = asyncio.Semaphore(DOWNLOADS_AT_ONCE)

    async def one(image_id: str) -> list[str]:
        async with room:
            return await _download(workload, image_id)

    return [text for found in await asyncio.gather(*map(one, image_ids)) for text in found]


async def _download(workload: Workload, image_id: str) -> list[str]:
    view = await workload.client.get(f"/api/images/{image_id}")
    if view.status != 200:
        return [f"the image {image_id} is answered with {view.status}"]
    answer = await workload.client.get(f"/api/images/{image_id}/download?version=original")
    md5 = hashlib.md5(answer.body, usedforsecurity=False).hexdigest()
    if (answer.status, md5, len(answer.body)) != (200, view.json["md5"], view.json["size_bytes"]):
        return [
            f"the file of {image_id} ({answer.status}, {len(answer.body)} bytes) is not that of {view.json}"
        ]
    return []


async def _webhooks(installation: Installation, database: Database) -> list[str]:
    arrived = {one.id for one in installation.receiver.requests}
    rows = await database.rows("select id from webhook_delivery where status = 'delivered'")
    return [f"the webhook {row['id']} never arrived" for row in rows if str(row["id"]) not in arrived]


async def _replies(workload: Workload, submissions: Sequence[Submission]) -> list[str]:
    """Each order that was sent n times is answered n times at least, always with the same outcome."""
    orders = [one for one in submissions if one.kind == Kind.ORDER]
    producer = workload.producer

    async def unanswered() -> list[str]:
        await producer.read_replies()
        return [one.name for one in orders if len(producer.replies[one.name]) < one.tries.count("confirmed")]

    with suppress(AssertionError):
        await until_equal([], unanswered, within_s=WAIT_S)
    found = [f"the order {name} was not answered each time" for name in await unanswered()]
    for one in orders:
        outcomes = {(reply["type"], reply.get("image_id")) for reply in producer.replies[one.name]}
        if len(outcomes) > 1:
            found.append(f"the order {one.name} ({one.tries}) was answered with {outcomes}")
    return found


async def _doctor(installation: Installation) -> list[str]:
    """Return what `darkroom doctor` finds twice: an image that expires while it looks is no difference."""
    first = await _examined(installation)
    return [line for line in first and await _examined(installation) if line in first]


async def _examined(installation: Installation) -> list[str]:
    process = await asyncio.create_subprocess_exec(
        *PROGRAM,
        *("doctor", "--age", "0"),
        env=installation.site.environment,
        cwd=installation.site.directory,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate()
    if process.returncode == 0:
        return []
    return [f"doctor: {line}" for line in (output or errors).decode().splitlines()]


async def _leftovers(installation: Installation) -> list[str]:
    site = installation.site
    found = [f"the {name} has ended" for name, app in site.apps.items() if app.returncode is not None]
    files = await asyncio.to_thread(scratch_files, site)
    found += [f"a temporary file is left: {file}" for file in files]
    for name, app in site.apps.items():
        process = psutil.Process(app.pid)
        half_closed = [one for one in process.net_connections("tcp") if one.status == psutil.CONN_CLOSE_WAIT]
        found += [f"a connection of the {name} is half closed: {one}" for one in half_closed]
    return found

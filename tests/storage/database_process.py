"""Another process on a database, driven by a test: `COMMAND URL ARGUMENT`."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from uuid import UUID

from libs.storage import leases
from libs.storage.database.connection import open_database, transaction
from libs.storage.database.migrate import migrate
from libs.storage.database.tables import Job
from tests.support.waiting import WAIT_S

WRITERS = 8
WRITES = 25


async def claim(url: str, job_ids: str) -> str:
    """Try to claim each of the jobs; how many were had."""
    async with open_database(url):
        won = [
            await leases.claim(UUID(one), worker="other", lease_s=60, max_attempts=5)
            for one in job_ids.split(",")
        ]
        return str(len([one for one in won if one is not None]))


async def count_up(url: str, job_id: str) -> str:
    """Read and write in one transaction, from many tasks."""

    async def write() -> None:
        for _ in range(WRITES):
            async with transaction():
                row = await Job.select(Job.attempts).where(Job.id == UUID(job_id)).first()
                assert row is not None
                await Job.update({Job.attempts: row["attempts"] + 1}).where(Job.id == UUID(job_id))

    async with open_database(url):
        await asyncio.gather(*(write() for _ in range(WRITERS)))
    return "written"


async def give_up_halfway(url: str, job_id: str) -> str:
    """Cancel queries and transactions at every point, then end as a process should."""

    async def change() -> None:
        await Job.count()
        async with transaction():
            await Job.update({Job.attempts: Job.attempts + 1}).where(Job.id == UUID(job_id))

    async with open_database(url):
        for turns in range(120):
            task = asyncio.create_task(change())
            for _ in range(turns % 40):
                await asyncio.sleep(0)
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        await change()
    return "survived"


async def upgrade(url: str, _: str) -> str:
    async with open_database(url) as engine:
        await migrate(engine)
    return "migrated"


COMMANDS: dict[str, Callable[[str, str], Awaitable[str]]] = {
    one.__name__: one for one in (claim, count_up, give_up_halfway, upgrade)
}


async def main(command: str, url: str, argument: str) -> None:
    sys.stdout.write(await COMMANDS[command](url, argument))


async def run_process(command: str, url: str, argument: str = "-", *, within_s: float = WAIT_S) -> str:
    """What such a process said; it ended by itself, in order."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.storage.database_process",
        command,
        url,
        argument,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(within_s):
            said, complaints = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, complaints.decode()
    return said.decode().splitlines()[-1]


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))

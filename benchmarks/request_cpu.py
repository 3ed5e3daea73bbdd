"""Measure the CPU time of requests and jobs, beside another commit of this project if `BASE` names one.

The figures are milliseconds of Darkroom's own processes for each call: rendering is counted apart, and
PostgreSQL, RabbitMQ and the object store are not counted. Both commits run at once, and take turns, so that a
machine whose speed changes slows both. The other commit runs with the packages of this one, and without the
settings that it does not know.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, nullcontext
from pathlib import Path
from statistics import median

import psutil
from msgspec import Struct
from rich.console import Console
from rich.table import Table

from benchmarks.main_job import OPERATIONS, account, finished, photograph
from tests.support.client import Client
from tests.support.site import QUICK, Kind, Site, running_site

ROOT = Path(__file__).parents[1]
ROUNDS = 5
KINDS: tuple[Kind, ...] = ("embedded", "services")
AT_ONCE = 4

Call = Callable[[], Awaitable[None]]


class Row(Struct, frozen=True):
    """A kind of call, and how many make a round."""

    name: str
    calls: int


ROWS = (
    Row("GET /health/live", 400),
    Row("GET /api/images/ID", 400),
    Row("GET /api/images", 100),
    Row("download, 75 kB", 200),
    Row("signed link, 75 kB", 200),
    Row("upload, job, result", 40),
    Row("transform and result", 40),
)


class Subject(Struct, frozen=True):
    """A running site, and the calls to make to it, in the order of `ROWS`."""

    site: Site
    calls: tuple[Call, ...]

    def own_cpu_s(self) -> float:
        """Return the CPU time of the site's processes so far, without their render processes."""
        times = [psutil.Process(process.pid).cpu_times() for process in self.site.apps.values()]
        return sum(spent.user + spent.system for spent in times)


async def calls_of(client: Client) -> tuple[Call, ...]:
    """Store a photo with its result, and return the calls that read it and those that make more."""
    photo = photograph()
    stored = await client.upload(photo, OPERATIONS, wait_s=60, retention="keep")
    assert stored.status == 201, stored
    address = f"/api/images/{stored.json['id']}"
    link = (await client.post(f"{address}/link", json={"expires_in": 3600})).json["url"]

    def getting(path: str) -> Call:
        async def get() -> None:
            answer = await client.get(path)
            assert answer.status == 200, answer

        return get

    async def transform() -> None:
        wait = {"Prefer": "wait=60"}
        answer = await client.post(f"{address}/transform", json={"operations": OPERATIONS}, headers=wait)
        assert answer.status == 200, answer

    async def upload() -> None:
        await finished(client, photo)

    reads = ("/health/live", address, "/api/images", f"{address}/download", link)
    return (*map(getting, reads), upload, transform)


async def cpu_ms(subject: Subject, call: Call, count: int) -> float:
    """Return the CPU time of one call, in milliseconds, of `count` calls at a few at once."""
    free = asyncio.Semaphore(AT_ONCE)

    async def limited() -> None:
        async with free:
            await call()

    before = subject.own_cpu_s()
    await asyncio.gather(*(limited() for _ in range(count)))
    return (subject.own_cpu_s() - before) * 1000 / count


@asynccontextmanager
async def subject_of(tree: Path, kind: Kind, directory: Path) -> AsyncGenerator[Subject]:
    """Run a site of the code in `tree`, with an account."""
    texts = [*(tree / "libs").glob("settings.py"), *(tree / "libs/settings").glob("*.py")]
    known = "".join(path.read_text() for path in texts)
    later = [f"--unset=DARKROOM_{name}" for name in QUICK if f"    {name.lower()}:" not in known]
    program = ("env", *later, f"PYTHONPATH={tree}", sys.executable, "-m", "apps.cli")
    async with running_site(kind, directory, program=program, TICK_S="1") as site, account(site) as client:
        yield Subject(site, await calls_of(client))


async def measure(kind: Kind, trees: list[Path]) -> list[list[float]]:
    """Return the medians of each row, a column for each tree."""
    async with AsyncExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        subjects = [
            await stack.enter_async_context(subject_of(tree, kind, scratch / str(number)))
            for number, tree in enumerate(trees)
        ]
        found: list[list[list[float]]] = [[[] for _ in trees] for _ in ROWS]
        for _ in range(ROUNDS):
            for number, row in enumerate(ROWS):
                for column, subject in enumerate(subjects):
                    found[number][column].append(await cpu_ms(subject, subject.calls[number], row.calls))
    return [[median(times) for times in columns] for columns in found]


@contextmanager
def checkout(commit: str) -> Generator[Path]:
    """Check a commit out into a temporary folder."""
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        git = ("git", "-C", str(ROOT), "worktree")
        subprocess.run([*git, "add", "--quiet", "--detach", tree, commit], check=True)
        try:
            yield tree
        finally:
            subprocess.run([*git, "remove", "--force", tree], check=True)


def show(results: dict[Kind, list[list[float]]], base: str) -> None:
    """Print a row for each kind of call."""
    columns = [name for kind in results for name in ([f"{kind} {base}", kind, "ratio"] if base else [kind])]
    table = Table("", *columns, title="CPU of one call without rendering, ms")
    for number, row in enumerate(ROWS):
        cells: list[str] = []
        for rows in results.values():
            cells += [f"{value:.2f}" for value in rows[number]]
            if base:
                cells.append(f"{rows[number][1] / rows[number][0]:.2f}")
        table.add_row(row.name, *cells)
    Console(width=max(120, Console().width)).print(table)


async def main() -> None:
    """Measure both kinds of site, and print one table."""
    base = os.environ.get("BASE", "")
    results: dict[Kind, list[list[float]]] = {}
    with checkout(base) if base else nullcontext() as other:
        for kind in KINDS:
            results[kind] = await measure(kind, [other, ROOT] if other else [ROOT])
    show(results, base)


if __name__ == "__main__":
    asyncio.run(main())

"""Compare images by URL with ipx and thumbor, and hits with signed links; see CONTRIBUTING.

All services run at once on one machine and take turns. Each request of a round is a miss: results are not
kept, or it is the first one for its rendition.
"""

import asyncio
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from benchmarks.delivery import load, memory, subjects
from benchmarks.delivery.cases import CASES, Case
from benchmarks.delivery.checks import check_alike
from benchmarks.delivery.compare import CONNECTIONS, ROUNDS, Round, compared, measured, ratio
from benchmarks.delivery.hits import Target, hits, targets
from benchmarks.delivery.load import Load
from benchmarks.delivery.photos import photos_folder
from benchmarks.delivery.subjects import Darkroom, Subject
from tests.support.site import Kind

KINDS: tuple[Kind, ...] = ("embedded", "services")
ALONE, ALONE_ROUND = CASES[1], ROUNDS + 1  # the case for the time that a miss adds to its render

console = Console(width=120)


async def misses(folder: Path, others: list[Subject], sites: list[Darkroom]) -> None:
    """Print each case: all services, with and without keeping what is rendered."""
    own = [subject for site in sites for subject in (site.unstored(), site.stored())]
    for case in CASES:
        await check_alike([*others, *own], case)
        found = await compared([*others, *own], folder, case)
        show_case(case, [*others, *own], found)


def show_case(case: Case, compared_ones: list[Subject], found: list[list[Round]]) -> None:
    """Print one case."""
    peers = [name for name in ("ipx", "thumbor") if name in {each.name for each in compared_ones}]
    columns = ["req/s", *(f"to {name}" for name in peers), "p50 ms", "p95 ms", "CPU ms", "rendering"]
    table = Table("", *columns, title=f"Misses: {case.title}; {CONNECTIONS} connections")
    of_peers = [rounds for each, rounds in zip(compared_ones, found, strict=True) if each.name in peers]
    for subject, rounds in zip(compared_ones, found, strict=True):
        table.add_row(
            subject.name,
            f"{median(each.load.a_second for each in rounds):.1f}",
            *(f"{ratio(rounds, of_peer):.2f}" for of_peer in of_peers),
            f"{median(each.load.p50_ms for each in rounds):.1f}",
            f"{median(each.load.p95_ms for each in rounds):.1f}",
            f"{median(each.own_ms + each.render_ms for each in rounds):.1f}",
            "" if subject.name in peers else f"{median(each.render_ms for each in rounds):.1f}",
        )
    console.print(table)


async def overheads(folder: Path, sites: list[Darkroom]) -> None:
    """Print what a miss takes beside its render, one at a time, and the memory of all processes."""
    table = Table("", "p50 ms", "rendering, CPU ms", "beside, ms", title=f"One miss at a time: {ALONE.title}")
    for site in sites:
        for subject in (site.unstored(), site.stored()):
            one = await measured(subject, folder, ALONE, ALONE_ROUND, connections=1)
            beside = one.load.p50_ms - one.render_ms
            table.add_row(subject.name, f"{one.load.p50_ms:.1f}", f"{one.render_ms:.1f}", f"{beside:.1f}")
    console.print(table)


def show_memory(sites: list[Darkroom]) -> None:
    """Print the memory of all processes after the load."""
    table = Table("", "MB", "peak", "render process", "peak", title="Resident memory")
    for site in sites:
        own, render = memory.of_process(site.pid), memory.of_renders(site.pid)
        cells = (own.now, own.peak, render.now, render.peak)
        table.add_row(site.site.kind, *(f"{megabytes:.0f}" for megabytes in cells))
    console.print(table)


def show_hits(kind: str, found: list[Target], loads: list[list[Load]]) -> None:
    """Print one site's hits beside its signed link, which is the first target."""
    table = Table("", "req/s", "ratio", "p50 ms", "p95 ms", title=f"75 kB, {kind}; {CONNECTIONS} connections")
    for target, rounds in zip(found, loads, strict=True):
        pairs = zip(rounds, loads[0], strict=True)
        table.add_row(
            target.name,
            f"{median(each.a_second for each in rounds):.0f}",
            f"{median(one.a_second / link.a_second for one, link in pairs):.1f}",
            f"{median(each.p50_ms for each in rounds):.2f}",
            f"{median(each.p95_ms for each in rounds):.2f}",
        )
    console.print(table)


async def run(folder: Path, photos: Path) -> None:
    """Start all services, and measure."""
    async with AsyncExitStack() as stack:
        peers = [await stack.enter_async_context(peer(photos)) for peer in (subjects.ipx, subjects.thumbor)]
        sites = [
            await stack.enter_async_context(subjects.darkroom(kind, folder / kind, photos)) for kind in KINDS
        ]
        await misses(folder, [peer for peer in peers if peer is not None], sites)
        await overheads(folder, sites)
        show_memory(sites)
        for site in sites:
            found = await targets(site, photos / "small" / "0.jpg")
            show_hits(site.site.kind, found, await hits(folder, found))


async def main() -> None:
    """Run what can be installed here."""
    if not load.has_wrk():
        print("not measured: it needs wrk")
        return
    photos = photos_folder()
    with tempfile.TemporaryDirectory() as directory:
        await run(Path(directory), photos)


if __name__ == "__main__":
    asyncio.run(main())

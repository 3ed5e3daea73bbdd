"""Compare services in turns, so that a machine whose speed changes slows all of them."""

import os
from pathlib import Path
from statistics import median

from msgspec import Struct

from benchmarks.delivery.cases import Case
from benchmarks.delivery.load import Load, put_load
from benchmarks.delivery.subjects import Subject

ROUNDS = int(os.environ.get("ROUNDS", "3"))
SECONDS = 4.0
CONNECTIONS = 4
WARM_ROUND = ROUNDS  # of other renditions than the rounds that count


class Round(Struct, frozen=True):
    """A load on a service, and its CPU for each call: of the process that answers, and of rendering."""

    load: Load
    own_ms: float
    render_ms: float


async def measured(
    subject: Subject, folder: Path, case: Case, number: int, *, connections: int = CONNECTIONS
) -> Round:
    """Put load on a service for a while; each of its answers is a miss."""
    before = subject.cpu()
    paths = subject.paths(case, number)
    load = await put_load(folder, subject.url, paths, connections=connections, seconds=SECONDS, misses=True)
    await subject.settled()
    after = subject.cpu()
    return Round(
        load,
        (after.own_s - before.own_s) * 1000 / load.begun,
        (after.renders_s - before.renders_s) * 1000 / load.begun,
    )


async def compared(subjects: list[Subject], folder: Path, case: Case) -> list[list[Round]]:
    """Return the rounds of each service."""
    found: list[list[Round]] = [[] for _ in subjects]
    for subject in subjects:
        await measured(subject, folder, case, WARM_ROUND)
    for number in range(ROUNDS):
        for rounds, subject in zip(found, subjects, strict=True):
            rounds.append(await measured(subject, folder, case, number))
    return found


def ratio(rounds: list[Round], others: list[Round]) -> float:
    """Return the median of how many times as many calls a second these are, round by round."""
    pairs = zip(rounds, others, strict=True)
    return median(one.load.a_second / other.load.a_second for one, other in pairs)

"""Measure what `DARKROOM_CORS_ORIGINS` and the API's description add to a request: `make bench-keys`.

Several sites run at once and differ in one thing each; two do not differ at all. The same request goes to
all of them in random order, so every round is one comparison under the same load. The ratio of the two equal
sites says what "nothing" looks like here: processes that do the same differ by where their memory lies. Hence
all sites are started several times, and each ratio is the median of the starts.
"""

import asyncio
import random
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from benchmarks.main_job import account
from tests.support.client import Client
from tests.support.site import running_site

STARTS, ROUNDS, WARM_UP = 5, 600, 150
RESAMPLES = 400
ORIGIN = "https://shop.example"
FROM_PAGE: Mapping[str, str] = {"Origin": ORIGIN}
DOCUMENTS = ("/schema/openapi.json", "/schema/legacy/openapi.json")

Times: TypeAlias = npt.NDArray[np.float64]  # milliseconds: a row a round, a column a site


class Subject(Struct, frozen=True):
    """A site that is compared with the plain one."""

    name: str
    settings: Mapping[str, str] = {}
    documents: bool = False  # whether it has built its descriptions before


PLAIN = Subject("plain")
SUBJECTS = (
    PLAIN,
    Subject("plain again"),
    Subject("with CORS", {"CORS_ORIGINS": ORIGIN}),
    Subject("with the descriptions", documents=True),
)
REQUESTS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "/health/live": ("/health/live", {}),
    "/health/live from a page": ("/health/live", FROM_PAGE),
    "a list of images": ("/api/images?limit=1", {}),
    "a list of images from a page": ("/api/images?limit=1", FROM_PAGE),
}


async def timed_ms(client: Client, path: str, headers: Mapping[str, str]) -> float:
    """Return the milliseconds of one request."""
    started = time.perf_counter()
    answer = await client.get(path, headers=headers)
    assert answer.status == 200, answer
    return (time.perf_counter() - started) * 1000


async def rounds_of(clients: Sequence[Client], path: str, headers: Mapping[str, str], rounds: int) -> Times:
    """Send a request by each client, in random order, round after round."""
    times = np.zeros((rounds, len(clients)))
    turns = list(range(len(clients)))
    for number in range(rounds):
        random.shuffle(turns)
        for turn in turns:
            times[number, turn] = await timed_ms(clients[turn], path, headers)
    return times


async def one_start() -> dict[str, Times]:
    """Start all sites, and return the times of each request."""
    async with AsyncExitStack() as stack:
        clients: list[Client] = []
        for subject in SUBJECTS:
            folder = Path(stack.enter_context(TemporaryDirectory()))
            site = await stack.enter_async_context(running_site("embedded", folder, **subject.settings))
            clients.append(await stack.enter_async_context(account(site)))
            for document in DOCUMENTS if subject.documents else ():
                assert (await clients[-1].get(document)).status == 200
        for subject, client in zip(SUBJECTS, clients, strict=True):
            answer = await client.get("/health/live", headers=FROM_PAGE)
            assert ("Access-Control-Allow-Origin" in answer.headers) == ("CORS_ORIGINS" in subject.settings)
        found: dict[str, Times] = {}
        for name, (path, headers) in REQUESTS.items():
            await rounds_of(clients, path, headers, WARM_UP)
            found[name] = await rounds_of(clients, path, headers, ROUNDS)
        return found


def ratio(times: Times, subject: int) -> float:
    """Return the p50 of a subject over that of the plain site."""
    p50 = np.median(times, axis=0)
    return float(p50[subject] / p50[0])


def interval(starts: Sequence[Times], subject: int) -> tuple[float, float]:
    """Return the 95 % interval of the median ratio, by drawing starts and their rounds again."""
    chance = np.random.default_rng(1)
    drawn: list[float] = []
    for _ in range(RESAMPLES):
        chosen = [starts[int(number)] for number in chance.integers(len(starts), size=len(starts))]
        again = [times[chance.integers(len(times), size=len(times))] for times in chosen]
        drawn.append(median(ratio(times, subject) for times in again))
    low, high = np.percentile(drawn, [2.5, 97.5])
    return float(low), float(high)


def report(found: Sequence[Mapping[str, Times]], write: Callable[[str], object]) -> None:
    """Print a line for each request and subject."""
    for name in REQUESTS:
        starts = [one[name] for one in found]
        write(f"{name}: p50 {median(float(np.median(times[:, 0])) for times in starts):.3f} ms\n")
        for number, subject in enumerate(SUBJECTS[1:], start=1):
            low, high = interval(starts, number)
            middle = median(ratio(times, number) for times in starts)
            write(f"  {subject.name:<22} ratio {middle:.3f} ({low:.3f} to {high:.3f})\n")


async def main() -> None:
    """Compare all sites with the plain one."""
    report([await one_start() for _ in range(STARTS)], sys.stdout.write)


if __name__ == "__main__":
    asyncio.run(main())

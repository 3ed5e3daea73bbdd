"""Measure the check of an API key among 100,000: `make bench-keys`, on both databases."""

import asyncio
import os
import statistics
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from libs.auth.api_keys import new_key, parse_key
from libs.auth.key_form import ParsedKey
from libs.contracts.enums import Scope
from libs.storage import api_keys
from libs.storage.database.connection import open_database
from libs.storage.database.migrate import migrate
from libs.storage.database.tables import ApiKey
from tests.storage.rows import an_owner
from tests.support.services import own_database

KEYS, CHUNK, CHECKS = 100_000, 2_000, 2_000


async def measure(url: str) -> list[float]:
    """Return the seconds of each check, the parsing of the key included."""
    async with open_database(url) as engine:
        await migrate(engine)
        owner = await an_owner()
        keys = [new_key() for _ in range(KEYS)]
        for start in range(0, KEYS, CHUNK):
            await ApiKey.insert(*[row(owner.id, key) for key in keys[start : start + CHUNK]])
        times: list[float] = []
        for key in keys[:: KEYS // CHECKS]:
            started = time.perf_counter()
            parsed = parse_key(key.text)
            assert parsed is not None
            await api_keys.authenticate(parsed.id, parsed.digest, "127.0.0.1")
            times.append(time.perf_counter() - started)
        return times


def row(owner: int, key: ParsedKey) -> ApiKey:
    """Return the row of a key that may do everything."""
    return ApiKey(owner=owner, name="bench", key_id=key.id, digest=key.digest, scopes=" ".join(Scope))


async def main() -> None:
    """Print the median and the 95th percentile on SQLite and on PostgreSQL."""
    with TemporaryDirectory() as folder:
        times = await measure(f"sqlite:///{Path(folder) / 'keys.sqlite'}")
    report("SQLite", times)
    if "DARKROOM_TEST_DATABASE_URL" in os.environ:
        async with own_database() as url:
            report("PostgreSQL", await measure(url))


def report(database: str, times: list[float]) -> None:
    """Print one line."""
    median, late = statistics.median(times) * 1000, statistics.quantiles(times, n=20)[-1] * 1000
    sys.stdout.write(f"{database}: {median:.2f} ms, 95th percentile {late:.2f} ms, among {KEYS:,} keys\n")


if __name__ == "__main__":
    asyncio.run(main())

"""One clock for all processes: the database's.

Leases, retries and expiry compare times that several machines write. So each process measures how far its own
clock is from the database's, and corrects what it writes.
"""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import NoReturn, cast

import structlog
from piccolo.engine.postgres import PostgresEngine

from libs.storage.database.errors import DatabaseUnavailable

MEASURE_EVERY_S = 30.0
SMALLEST = timedelta(milliseconds=500)  # a smaller difference may be the time that the question took

_offset = timedelta(0)  # what the database's clock is ahead of this machine's

log = structlog.get_logger(__name__)


def now() -> datetime:
    """Return the current time in UTC, by the database's clock."""
    return datetime.now(UTC) + _offset


async def measure(engine: PostgresEngine) -> None:
    """Measure the difference of the clocks.

    Raises:
        DatabaseUnavailable: The database does not answer.
    """
    global _offset
    sent = datetime.now(UTC)
    [row] = cast("list[dict[str, datetime]]", await engine.run_ddl("select clock_timestamp() as moment"))
    received = datetime.now(UTC)
    offset = row["moment"] - (sent + (received - sent) / 2)
    offset = offset if abs(offset) > max(SMALLEST, received - sent) else timedelta(0)
    if abs(offset - _offset) > SMALLEST:
        log.warning("clock_differs_from_database", seconds=round(offset.total_seconds(), 1))
    _offset = offset


async def keep_measuring(engine: PostgresEngine) -> NoReturn:
    """Measure again from time to time."""
    while True:
        await asyncio.sleep(MEASURE_EVERY_S)
        try:
            await measure(engine)
        except DatabaseUnavailable as error:
            log.warning("clock_not_measured", error=str(error))

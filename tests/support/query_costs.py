"""Count what a piece of work asks of the database and of the broker, and how long each query takes."""

import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any

from msgspec import Struct, field

from libs.backends import Backends
from libs.storage.database.postgres import PooledPostgres


class Query(Struct, frozen=True):
    """A statement, and how long it took."""

    text: str
    ms: float


class Counted(Struct):
    """What was asked meanwhile."""

    queries: list[Query] = field(default_factory=list[Query])
    messages: list[str] = field(default_factory=list[str])

    @property
    def slowest(self) -> Query:
        return max(self.queries, key=lambda query: query.ms, default=Query("", 0))


@contextmanager
def counting(backends: Backends) -> Generator[Counted]:
    """Count queries on PostgreSQL, without BEGIN and COMMIT, and messages that are published."""
    counted, engine, broker = Counted(), backends.database, backends.broker
    assert isinstance(engine, PooledPostgres)
    outside, inside = engine._fetch, engine._fetch_inside  # pyright: ignore[reportPrivateUsage]
    publish, emit = broker.publish, broker.emit

    def timed(fetch: Any, text_at: int) -> Any:
        async def run(*arguments: Any) -> Any:
            started = time.perf_counter()
            found = await fetch(*arguments)
            ms = (time.perf_counter() - started) * 1000
            if text_at or engine.current_transaction.get() is None:  # one inside is counted there
                counted.queries.append(Query(arguments[text_at], ms))
            return found

        return run

    async def publish_counted(route: Any, body: bytes, **options: Any) -> None:
        counted.messages.append(str(route))
        await publish(route, body, **options)

    async def emit_counted(key: str, body: bytes) -> None:
        counted.messages.append(key)
        await emit(key, body)

    changes: Sequence[tuple[object, str, object]] = (
        (engine, "_fetch", timed(outside, 0)),
        (engine, "_fetch_inside", timed(inside, 1)),
        (broker, "publish", publish_counted),
        (broker, "emit", emit_counted),
    )
    for owner, name, counter in changes:
        setattr(owner, name, counter)
    try:
        yield counted
    finally:
        for owner, name, _ in changes:
            delattr(owner, name)

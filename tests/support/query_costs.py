"""Count what a piece of work asks of database, broker and store, and how long each query takes."""

import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from msgspec import Struct, field

from libs.backends import Backends
from libs.storage.database.postgres import PooledPostgres, ReleasedTransaction


class Query(Struct, frozen=True):
    """A statement, and how long it took."""

    text: str
    ms: float


class Counted(Struct):
    """What was asked meanwhile."""

    queries: list[Query] = field(default_factory=list[Query])
    messages: list[str] = field(default_factory=list[str])
    transfers: list[str] = field(default_factory=list[str])  # keys of files that were put or got
    commits: int = 0  # of transactions, and of single statements that write

    @property
    def slowest(self) -> Query:
        return max(self.queries, key=lambda query: query.ms, default=Query("", 0))


@contextmanager
def counting(backends: Backends) -> Generator[Counted]:
    """Count queries on PostgreSQL, without BEGIN and COMMIT, messages that are published, and files moved."""
    counted = Counted()
    changes = [*_database(backends, counted), *_broker(backends, counted), *_objects(backends, counted)]
    commit = ReleasedTransaction.commit

    async def commit_counted(self: ReleasedTransaction) -> None:
        counted.commits += 1
        await commit(self)

    for owner, name, counter in changes:
        setattr(owner, name, counter)
    ReleasedTransaction.commit = commit_counted
    try:
        yield counted
    finally:
        ReleasedTransaction.commit = commit
        for owner, name, _ in changes:
            delattr(owner, name)


Changes = Generator[tuple[object, str, object]]


def _database(backends: Backends, counted: Counted) -> Changes:
    engine = backends.database
    assert isinstance(engine, PooledPostgres)

    def timed(fetch: Any, text_at: int) -> Any:
        async def run(*arguments: Any) -> Any:
            started = time.perf_counter()
            found = await fetch(*arguments)
            ms = (time.perf_counter() - started) * 1000
            if text_at or engine.current_transaction.get() is None:  # one inside is counted there
                counted.queries.append(Query(arguments[text_at], ms))
                if not text_at and not arguments[0].lstrip().lower().startswith("select"):
                    counted.commits += 1
            return found

        return run

    yield engine, "_fetch", timed(engine._fetch, 0)  # pyright: ignore[reportPrivateUsage]
    yield engine, "_fetch_inside", timed(engine._fetch_inside, 1)  # pyright: ignore[reportPrivateUsage]


def _broker(backends: Backends, counted: Counted) -> Changes:
    broker = backends.broker
    publish, emit = broker.publish, broker.emit

    async def publish_counted(route: Any, body: bytes, **options: Any) -> None:
        counted.messages.append(str(route))
        await publish(route, body, **options)

    async def emit_counted(key: str, body: bytes) -> None:
        counted.messages.append(key)
        await emit(key, body)

    yield broker, "publish", publish_counted
    yield broker, "emit", emit_counted


def _objects(backends: Backends, counted: Counted) -> Changes:
    objects = backends.objects

    def moved(call: Any) -> Any:
        def run(key: str, *arguments: Any, **options: Any) -> Any:
            counted.transfers.append(key)
            return call(key, *arguments, **options)

        return run

    for name in ("put", "as_file", "read"):
        yield objects, name, moved(getattr(objects, name))

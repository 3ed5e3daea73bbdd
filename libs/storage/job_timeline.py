"""What happened to a job, in one column of its row: statements that change the row anyway append to it.

Each entry is a line of JSON. When the job was requested, completed or cancelled is in columns of their own.
"""

from datetime import datetime
from typing import Literal, TypeAlias
from uuid import UUID

import msgspec
from msgspec import Struct
from piccolo.querystring import QueryString

from libs.storage.database.statement import Slot
from libs.storage.database.tables import Job, now
from libs.storage.job_failure import Failure

FULL_CHARS = 8000  # a longer timeline gets no more entries
DETAIL_CHARS = 300
WORKER_CHARS = 128

Event: TypeAlias = Literal[
    "claimed", "retry", "deferred", "released", "lapsed", "published", "failed", "run_again"
]
"""`deferred`: the host asked for a pause. `published`: a message was sent again, as nobody had claimed it."""


class Entry(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that happened to a job."""

    event: Event
    at: datetime
    worker: str | None = None
    error_code: str | None = None
    error: str | None = None
    not_before: datetime | None = None  # of the next attempt
    attempt: int | None = None  # the last field: see `claimed`


def line(event: Event, failure: Failure | None = None, *, not_before: datetime | None = None) -> str:
    """Return the line of something that happens now."""
    entry = Entry(
        event=event,
        at=now(),
        error_code=failure and failure.code,
        error=failure and failure.detail[:DETAIL_CHARS],
        not_before=not_before,
    )
    return _written(entry)


def claimed(worker: str, at: datetime) -> str:
    """Return the line of a claim without its end: the statement adds the number of the attempt."""
    entry = Entry(event="claimed", at=at, worker=worker[:WORKER_CHARS])
    return _written(entry).removesuffix("}\n") + ',"attempt":'


_ROOM = f"length(timeline) < {FULL_CHARS}"


def appended(text: str | Slot) -> QueryString:
    """Return the value of the column with a line added."""
    return QueryString(f"case when {_ROOM} then timeline || cast({{}} as text) else timeline end", text)


def appended_claim(text: Slot, lapsed: Slot) -> QueryString:
    """Return the value of the column with a line of `claimed` added, behind `lapsed` if a lease has."""
    return QueryString(
        f"case when {_ROOM} then timeline"
        " || case when status = 'running' then cast({} as text) else '' end"
        " || cast({} as text) || (attempts + 1) || cast({} as text) else timeline end",
        lapsed,
        text,
        "}\n",
    )


async def of(job_id: UUID) -> tuple[Entry, ...]:
    """Return what happened to a job, oldest first."""
    found = await Job.select(Job.timeline).where(Job.id == job_id)
    return tuple(_read(text) for text in found[0]["timeline"].splitlines()) if found else ()


def _written(entry: Entry) -> str:
    return msgspec.json.encode(entry).decode() + "\n"


_read = msgspec.json.Decoder(Entry).decode

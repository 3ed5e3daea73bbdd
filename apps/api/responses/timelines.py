"""The timeline of a job for operators: what its row recorded, with how long it waited and ran."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from msgspec import structs

from libs.contracts.enums import JobStatus
from libs.contracts.views.operators import TimelineEntry
from libs.storage.database.tables import Job
from libs.storage.job_timeline import Entry

_ENDS = (JobStatus.COMPLETED, JobStatus.CANCELLED)  # the row records the failures as entries
_WAITS = ("queued", "retry", "deferred", "released", "lapsed", "run_again")
"""After these, the job waits for a worker."""
_ENDS_ATTEMPT = ("retry", "deferred", "released", "completed", "failed", "cancelled")


def timeline_of(job: Job, entries: Sequence[Entry]) -> tuple[TimelineEntry, ...]:
    """Build the timeline of a job from its entries and columns."""
    return tuple(_timed(_complete(job, entries)))


def _complete(job: Job, entries: Sequence[Entry]) -> list[TimelineEntry]:
    """Add to the entries what the columns have; jobs of an earlier release have no entries."""
    shown = [
        TimelineEntry(event="queued", at=job.created_at),
        *(TimelineEntry(**structs.asdict(entry)) for entry in entries),
    ]
    if job.started_at is not None and not entries:
        shown.append(
            TimelineEntry(event="claimed", at=job.started_at, worker=job.worker, attempt=job.attempts)
        )
    last = shown[-1].event
    if job.status == JobStatus.FAILED and last != "failed" and job.finished_at is not None:
        shown.append(
            TimelineEntry(event="failed", at=job.finished_at, error_code=job.error_code, error=job.error)
        )
    if job.status in _ENDS and job.finished_at is not None:
        ended = "completed" if job.status == JobStatus.COMPLETED else "cancelled"
        shown.append(TimelineEntry(event=ended, at=job.finished_at))
    return shown


def _timed(shown: Sequence[TimelineEntry]) -> Iterator[TimelineEntry]:
    """Say of each claim how long the job had waited, and of each end of an attempt how long it ran."""
    ready_at: datetime | None = None  # the job waits for a worker since then
    claim: TimelineEntry | None = None  # of the attempt that runs
    for entry in shown:
        if entry.event == "claimed":
            waited_s = None if ready_at is None else _seconds(ready_at, entry.at)
            claim = entry
            yield structs.replace(entry, waited_s=waited_s)
            continue
        if claim is not None and entry.event in _ENDS_ATTEMPT:
            yield structs.replace(entry, worker=claim.worker, took_s=_seconds(claim.at, entry.at))
        else:
            yield entry
        claim = None if entry.event != "published" else claim
        if entry.event in _WAITS:
            ready_at = max(entry.at, entry.not_before or entry.at)


def _seconds(began: datetime, ended: datetime) -> float:
    return max(0.0, round((ended - began).total_seconds(), 3))

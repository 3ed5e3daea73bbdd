"""What operators see of the whole site: the overview, jobs of all accounts and their timelines."""

from datetime import datetime
from typing import Literal, TypeAlias

from msgspec import Struct

from libs.contracts.views.jobs import JobView

TimelineEvent: TypeAlias = Literal[
    "queued",
    "claimed",
    "retry",
    "deferred",
    "released",
    "lapsed",
    "published",
    "run_again",
    "completed",
    "failed",
    "cancelled",
]


class QueueView(Struct, frozen=True, kw_only=True):
    """Jobs of one kind and priority that have not ended."""

    queue: str
    """The queue that their messages are on."""
    kind: str
    """The work that is done."""
    priority: str
    """`interactive`, or `bulk` for jobs of batches and of the site itself."""
    waiting: int
    """Jobs that wait for a worker."""
    held: int
    """Jobs of batches that wait until the host of their URL has room."""
    running: int
    """Jobs that a worker has claimed."""
    oldest_waiting_at: datetime | None
    """When the oldest job that waits was requested; null if none waits."""


class FailureView(Struct, frozen=True, kw_only=True):
    """Jobs that failed within the last day with one error code."""

    error_code: str
    """The code."""
    jobs: int
    """How many jobs."""


class MinuteView(Struct, frozen=True, kw_only=True):
    """One minute of the site."""

    at: datetime
    """When it began."""
    requested: int
    """Jobs that were requested."""
    completed: int
    """Jobs that were completed."""
    failed: int
    """Jobs that failed."""
    unfinished: int
    """Jobs that had not ended at its end."""


class StoredView(Struct, frozen=True, kw_only=True):
    """Images of one status and retention."""

    status: str
    """`pending` until an image was decoded, then `ready`; `deleting` while its file is removed."""
    retention: str
    """`keep` or `ephemeral`."""
    images: int
    """How many images."""
    size_bytes: int
    """The size of their files."""


class SiteTotals(Struct, frozen=True, kw_only=True):
    """Counts of other records."""

    accounts: int
    """Active accounts."""
    open_batches: int
    """Batches that have not ended."""
    pending_deliveries: int
    """Webhook deliveries that are still to be made."""
    failed_deliveries: int
    """Webhook deliveries that were given up, of the last 30 days."""
    set_aside: int
    """Items that are set aside for recovery."""
    rendition_bytes: int
    """The size of the stored results of addresses under `/t/`."""


class SiteOverview(Struct, frozen=True, kw_only=True):
    """The state of the whole site. Its parts are a few seconds old, on large sites up to a minute."""

    at: datetime
    """When it was put together."""
    queues: tuple[QueueView, ...]
    """The jobs that have not ended."""
    failures: tuple[FailureView, ...]
    """The most frequent errors of the last day."""
    minutes: tuple[MinuteView, ...]
    """The last hour, oldest first. It is read from the jobs, so a restart does not change it."""
    stored: tuple[StoredView, ...]
    """What is stored."""
    totals: SiteTotals
    """Counts of other records."""


class TimelineEntry(Struct, frozen=True, kw_only=True):
    """One thing that happened to a job."""

    event: TimelineEvent
    """`retry`: the attempt failed and another follows. `deferred`: the host asked for a pause. `released`:
    the worker stopped. `lapsed`: the worker was lost. `published`: its message was sent again."""
    at: datetime
    """When it happened."""
    worker: str | None = None
    """The worker, of `claimed` and of what ended the attempt."""
    attempt: int | None = None
    """The number of the attempt, of `claimed`."""
    error_code: str | None = None
    """Why the attempt or the job failed; one of the codes of errors."""
    error: str | None = None
    """The same in words."""
    not_before: datetime | None = None
    """When the next attempt may begin, of `retry` and `deferred`."""
    waited_s: float | None = None
    """Seconds for which the job had waited for a worker, of `claimed`."""
    took_s: float | None = None
    """Seconds for which the attempt ran, of what ended it."""


class OwnedJobView(JobView, frozen=True, kw_only=True):
    """A job with its account."""

    owner: str
    """The name of the account."""
    batch_id: str | None
    """The batch that the job belongs to."""
    queue: str
    """The queue of its message."""
    worker: str | None
    """The worker that claimed it last."""


class JobDetail(OwnedJobView, frozen=True, kw_only=True):
    """A job with all that is known of it."""

    command: str
    """The command, as JSON, shortened where it is very long. The bytes of `data:` URLs and the secrets of
    other URLs are left out."""
    request_id: str | None
    """The id of the request that asked for it."""
    not_before: datetime | None
    """When the next attempt may begin."""
    lease_until: datetime | None
    """Until when its worker holds it, unless it renews the lease."""
    crashes: int
    """How many render processes died over it."""
    timeline: tuple[TimelineEntry, ...]
    """What happened to it, oldest first: its log. Lines of the log of a process have its id as `job_id`."""

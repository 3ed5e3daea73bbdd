"""What is counted of a job while a worker has it."""

from collections.abc import Generator
from contextlib import contextmanager
from time import monotonic
from typing import Literal

from libs.contracts.topology import Route
from libs.runtime import metrics
from libs.storage.database.tables import now
from libs.storage.job_failure import Failure
from libs.storage.leases import Claim


def note_claim(claim: Claim, route: Route) -> None:
    """Measure how long a job has waited for its first claim."""
    if claim.attempt == 1:
        metrics.JOB_WAIT.observe((now() - claim.created_at).total_seconds(), route.value)


@contextmanager
def run_of(claim: Claim) -> Generator[None]:
    """Measure the time of an attempt, however it ends."""
    started_s = monotonic()
    try:
        yield
    finally:
        metrics.JOB_RUN.observe(monotonic() - started_s, claim.kind)


def note_end(
    claim: Claim, outcome: Literal["completed", "failed", "retried"], failure: Failure | None = None
) -> None:
    """Count the end of an attempt, once its row says so."""
    metrics.JOBS.add(claim.kind, outcome, failure.code if failure else "")

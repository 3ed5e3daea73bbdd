"""Decide what happens to a job after an error of its handler: retry, defer or fail."""

from datetime import timedelta

from libs.contracts.outcome import outcome_of
from libs.outbound import FetchError
from libs.settings import Settings
from libs.storage.database.tables import now
from libs.storage.job_failure import Failure
from libs.storage.leases import Claim

MAX_CRASHES = 3  # render processes that a job may end; a codec's crash repeats, an out-of-memory kill may not
FETCH_ATTEMPTS = 5  # when the server of a URL fails; a backend of ours has all the attempts
DEFER_FOR_S = 86_400.0  # from a batch job's creation; later, a Retry-After counts as an attempt


def failure_of(error: Exception) -> Failure:
    """Return the code and text for the job's row; those of an unexpected error stay in the log."""
    if outcome_of(error) is None:
        return Failure("internal_error", "unexpected error")
    return Failure(getattr(error, "code", "internal_error"), str(error) or type(error).__name__)


def attempts_for(error: Exception, settings: Settings) -> int:
    """Return the limit on attempts of a job that failed with this transient error."""
    limit = FETCH_ATTEMPTS if isinstance(error, FetchError) else settings.max_attempts
    return min(limit, settings.max_attempts)


def may_be_deferred(claim: Claim, error: Exception) -> bool:
    """Return whether the job waits for the host's Retry-After without using up an attempt."""
    if not isinstance(error, FetchError) or error.retry_after_s is None or claim.batch is None:
        return False
    return now() - claim.created_at < timedelta(seconds=DEFER_FOR_S)

"""What an error of a handler makes of its job: another attempt, a later turn, or a failure."""

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
    """Return the code and text for the job's row; an unforeseen error shows nothing of itself."""
    if outcome_of(error) is None:
        return Failure("internal_error", "unexpected error")
    return Failure(getattr(error, "code", "internal_error"), str(error) or type(error).__name__)


def attempts_for(error: Exception, settings: Settings) -> int:
    """Return how many attempts a job has that failed with a transient error."""
    limit = FETCH_ATTEMPTS if isinstance(error, FetchError) else settings.max_attempts
    return min(limit, settings.max_attempts)


def may_be_deferred(claim: Claim, error: Exception) -> bool:
    """Return whether a batch's job waits as long as its host asks, without spending an attempt."""
    if not isinstance(error, FetchError) or error.retry_after_s is None or claim.batch is None:
        return False
    return now() - claim.created_at < timedelta(seconds=DEFER_FOR_S)

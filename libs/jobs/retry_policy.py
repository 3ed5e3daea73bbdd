"""How long a job waits before its next attempt."""

import random

JITTER = 0.5


def delay_s(attempt: int, *, base_s: float, max_s: float, at_least_s: float = 0) -> float:
    """Return the wait after attempt number `attempt` (from 1) failed: exponential, with 50 % of jitter.

    It grows up to `max_s`, but is never below `at_least_s`, for which a server asked.
    """
    backoff_s = base_s * 2 ** (attempt - 1) * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311
    return max(min(backoff_s, max_s), at_least_s)

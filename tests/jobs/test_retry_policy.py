"""How long a job waits between its attempts."""

from libs.jobs.retry_policy import delay_s
from libs.settings import load_settings

OUTAGE_S = 600.0


def test_a_job_outlasts_an_outage_of_ten_minutes_with_the_default_settings() -> None:
    settings = load_settings({}, with_secret=False)
    base_s, max_s, attempts = settings.retry_base_s, settings.retry_max_s, settings.max_attempts
    for _ in range(500):
        waits_s = [delay_s(attempt, base_s=base_s, max_s=max_s) for attempt in range(1, attempts)]
        assert sum(waits_s) > OUTAGE_S
        assert max(waits_s) <= max_s


def test_a_server_that_names_a_longer_wait_is_obeyed() -> None:
    assert delay_s(1, base_s=2, max_s=300, at_least_s=900) == 900

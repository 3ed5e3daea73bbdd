"""When a delivery is tried again, and what signs it."""

from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook

from libs.storage.webhook_secrets import new_secret
from libs.webhooks.delivery_attempt import JITTER, next_wait_s
from libs.webhooks.signing import signed_headers

SCHEDULE = (0.0, 5.0, 300.0)


@pytest.mark.parametrize(("failures", "planned_s"), [(1, 5), (2, 300)])
def test_the_waits_are_those_of_the_schedule_give_or_take_a_tenth(failures: int, planned_s: float) -> None:
    waits = [next_wait_s(SCHEDULE, failures, None) or 0 for _ in range(200)]
    assert all(planned_s * (1 - JITTER) <= one <= planned_s * (1 + JITTER) for one in waits)
    assert len(set(waits)) > 100


def test_after_the_last_of_the_schedule_there_is_no_more() -> None:
    assert next_wait_s(SCHEDULE, 3, None) is None
    assert next_wait_s(SCHEDULE, 3, 60) is None


def test_a_receiver_that_asks_for_more_time_gets_it() -> None:
    assert next_wait_s(SCHEDULE, 1, 60) == 60
    assert (next_wait_s(SCHEDULE, 2, 60) or 0) > 60


def test_every_secret_that_signs_verifies() -> None:
    secrets = [new_secret(), new_secret()]
    body = '{"type": "job.completed", "name": "\N{SNOWMAN}"}'
    headers = signed_headers("msg-1", body, secrets, at=datetime.now(UTC))
    for secret in secrets:
        assert Webhook(secret).verify(body.encode(), headers)["name"] == "\N{SNOWMAN}"
    with pytest.raises(Exception, match="No matching signature"):
        Webhook(new_secret()).verify(body, headers)
    with pytest.raises(Exception, match="No matching signature"):
        Webhook(secrets[0]).verify(body + " ", headers)

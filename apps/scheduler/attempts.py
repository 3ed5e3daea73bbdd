"""One attempt at one notice: sign, send, and note what became of it."""

import asyncio
import random
from datetime import timedelta

import structlog
from msgspec import Struct

from libs.backends import Backends
from libs.contracts.views import Attempt
from libs.outbound import Answered, FetchError, Poster, signed_headers
from libs.storage import sending, webhooks
from libs.storage.database import transaction
from libs.storage.sending import Claimed
from libs.storage.tables import WebhookEndpoint, now

GONE = 410
SLOW_DOWN = (429, 502, 504)
JITTER = 0.1
MAX_PATIENCE_S = 86_400.0  # the longest wait that a receiver can ask for
MAX_SLOWNESS_S = 300.0  # how long a receiver that did not say waits for the notices besides

log = structlog.get_logger(__name__)


class Sent(Struct, frozen=True):
    """What came back: an answer, or what went wrong."""

    answer: Answered | None
    error: str | None


async def attempt(claimed: Claimed, poster: Poster, backends: Backends) -> None:
    """Send a claimed delivery once."""
    secrets = await _secrets(claimed)
    if secrets is None:
        await sending.drop(claimed, webhooks.DISABLED)
        return
    moment = now()
    if moment + timedelta(seconds=backends.settings.webhook_timeout_s) > claimed.next_attempt_at:
        log.warning("delivery_lease_too_short")  # this process stood still: somebody else sends it
        return
    headers = signed_headers(str(claimed.id), claimed.body, secrets, at=moment)
    clock = asyncio.get_running_loop().time  # the one that timeouts go by
    started = clock()
    sent = await _sent(claimed, headers, poster)
    told = Attempt(
        at=moment,
        status_code=sent.answer.status if sent.answer else None,
        error=sent.error,
        took_ms=round((clock() - started) * 1000),
    )
    if sent.error is None:
        await sending.note_success(claimed, told)
        log.info("notice_delivered", attempt=claimed.attempts, took_ms=told.took_ms)
    else:
        await _refused(claimed, sent.answer, told, backends)


def next_wait_s(schedule_s: tuple[float, ...], failures: int, asked_s: float | None) -> float | None:
    """How long to wait after so many failed attempts, at least what the receiver asked for; None: no more."""
    if failures >= len(schedule_s):
        return None
    planned_s = schedule_s[failures] * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311
    return max(planned_s, min(asked_s or 0.0, MAX_PATIENCE_S))


async def _secrets(claimed: Claimed) -> list[str] | None:
    """What signs now; None when the endpoint gets nothing any more."""
    if claimed.endpoint is None:
        return webhooks.signing(await webhooks.account_secret(claimed.owner)).valid
    endpoint = await WebhookEndpoint.objects().where(WebhookEndpoint.id == claimed.endpoint).first()
    if endpoint is None or not endpoint.active:
        return None
    return webhooks.signing(endpoint).valid


async def _sent(claimed: Claimed, headers: dict[str, str], poster: Poster) -> Sent:
    try:
        answer = await poster.post(claimed.url, claimed.body.encode(), headers)
    except FetchError as error:
        return Sent(None, f"{error.code}: {error}")
    if answer.accepted:
        return Sent(answer, None)
    if 300 <= answer.status < 400:
        return Sent(answer, f"answered {answer.status}: redirects are not followed")
    return Sent(answer, f"answered {answer.status}")


async def _refused(claimed: Claimed, answer: Answered | None, told: Attempt, backends: Backends) -> None:
    if answer is not None and answer.status == GONE:
        await _gone(claimed, told)
        return
    asked_s = answer.retry_after_s if answer else None
    wait_s = next_wait_s(backends.settings.webhook_schedule_s, claimed.failures + 1, asked_s)
    if answer is not None and (answer.status in SLOW_DOWN or asked_s):
        slowness_s = min(wait_s or MAX_SLOWNESS_S, MAX_SLOWNESS_S)
        patience_s = max(slowness_s, min(asked_s or 0.0, MAX_PATIENCE_S))
        await sending.slow_down(claimed.target, until=now() + timedelta(seconds=patience_s))
    again_at = None if wait_s is None else now() + timedelta(seconds=wait_s)
    await sending.note_failure(claimed, told, again_at=again_at)
    if claimed.endpoint is not None:
        await webhooks.fail_if_disabled(claimed.endpoint)
    log.warning(
        "notice_refused", attempt=claimed.attempts, error=told.error, again_in_s=wait_s and round(wait_s, 1)
    )


async def _gone(claimed: Claimed, told: Attempt) -> None:
    """End the delivery and its webhook in one step: nobody finds it ended by one that is active still."""
    disabled = False
    async with transaction():
        if claimed.endpoint is None:
            await sending.drop_waiting(claimed, "the address answered 410")
        else:
            disabled = await webhooks.disable_gone(claimed.endpoint)
        await sending.note_failure(claimed, told, again_at=None)
    if disabled:
        log.warning("webhook_disabled", webhook_id=str(claimed.endpoint))

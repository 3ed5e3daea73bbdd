"""One attempt at one notice: sign, send, and note what became of it."""

import asyncio
import random
from datetime import timedelta

import structlog
from msgspec import Struct

from libs.backends import Backends
from libs.contracts.views.webhooks import DeliveryAttempt
from libs.outbound import FetchError
from libs.outbound.post import Poster, PostResponse
from libs.storage import webhook_dispatch, webhook_endpoints
from libs.storage.database.connection import transaction
from libs.storage.database.tables import WebhookEndpoint, now
from libs.storage.webhook_dispatch import ClaimedDelivery
from libs.webhooks.signing import signed_headers

GONE = 410
SLOW_DOWN = (429, 502, 504)
JITTER = 0.1
MAX_PATIENCE_S = 86_400.0  # the longest wait that a receiver can ask for
MAX_SLOWNESS_S = 300.0  # how long a receiver that did not say waits for the notices besides

log = structlog.get_logger(__name__)


class Sent(Struct, frozen=True):
    """What came back: an answer, or what went wrong."""

    answer: PostResponse | None
    error: str | None


async def attempt(claimed: ClaimedDelivery, poster: Poster, backends: Backends) -> None:
    """Send a claimed delivery once."""
    secrets = await _secrets(claimed)
    if secrets is None:
        await webhook_dispatch.drop(claimed, webhook_endpoints.DISABLED)
        return
    moment = now()
    if moment + timedelta(seconds=backends.settings.webhook_timeout_s) > claimed.next_attempt_at:
        log.warning("delivery_lease_too_short")  # this process stood still: somebody else sends it
        return
    headers = signed_headers(str(claimed.id), claimed.body, secrets, at=moment)
    clock = asyncio.get_running_loop().time  # the one that timeouts go by
    started = clock()
    sent = await _sent(claimed, headers, poster)
    told = DeliveryAttempt(
        at=moment,
        status_code=sent.answer.status if sent.answer else None,
        error=sent.error,
        took_ms=round((clock() - started) * 1000),
    )
    if sent.error is None:
        await webhook_dispatch.record_success(claimed, told)
        log.info("notice_delivered", attempt=claimed.attempts, took_ms=told.took_ms)
    else:
        await _refused(claimed, sent.answer, told, backends)


def next_wait_s(schedule_s: tuple[float, ...], failures: int, asked_s: float | None) -> float | None:
    """How long to wait after so many failed attempts, at least what the receiver asked for; None: no more."""
    if failures >= len(schedule_s):
        return None
    planned_s = schedule_s[failures] * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311
    return max(planned_s, min(asked_s or 0.0, MAX_PATIENCE_S))


async def _secrets(claimed: ClaimedDelivery) -> list[str] | None:
    """What signs now; None when the endpoint gets nothing any more."""
    if claimed.endpoint is None:
        return webhook_endpoints.signing(await webhook_endpoints.account_secret(claimed.owner)).valid
    endpoint = await WebhookEndpoint.objects().where(WebhookEndpoint.id == claimed.endpoint).first()
    if endpoint is None or not endpoint.active:
        return None
    return webhook_endpoints.signing(endpoint).valid


async def _sent(claimed: ClaimedDelivery, headers: dict[str, str], poster: Poster) -> Sent:
    try:
        answer = await poster.post(claimed.url, claimed.body.encode(), headers)
    except FetchError as error:
        return Sent(None, f"{error.code}: {error}")
    if answer.accepted:
        return Sent(answer, None)
    if 300 <= answer.status < 400:
        return Sent(answer, f"answered {answer.status}: redirects are not followed")
    return Sent(answer, f"answered {answer.status}")


async def _refused(
    claimed: ClaimedDelivery, answer: PostResponse | None, told: DeliveryAttempt, backends: Backends
) -> None:
    if answer is not None and answer.status == GONE:
        await _gone(claimed, told)
        return
    asked_s = answer.retry_after_s if answer else None
    wait_s = next_wait_s(backends.settings.webhook_schedule_s, claimed.failures + 1, asked_s)
    if answer is not None and (answer.status in SLOW_DOWN or asked_s):
        slowness_s = min(wait_s or MAX_SLOWNESS_S, MAX_SLOWNESS_S)
        patience_s = max(slowness_s, min(asked_s or 0.0, MAX_PATIENCE_S))
        await webhook_dispatch.slow_target(claimed.target, until=now() + timedelta(seconds=patience_s))
    again_at = None if wait_s is None else now() + timedelta(seconds=wait_s)
    await webhook_dispatch.record_failure(claimed, told, again_at=again_at)
    if claimed.endpoint is not None:
        await webhook_endpoints.fail_if_disabled(claimed.endpoint)
    log.warning(
        "notice_refused", attempt=claimed.attempts, error=told.error, again_in_s=wait_s and round(wait_s, 1)
    )


async def _gone(claimed: ClaimedDelivery, told: DeliveryAttempt) -> None:
    """End the delivery and its webhook in one step: nobody finds it ended by one that is active still."""
    disabled = False
    async with transaction():
        if claimed.endpoint is None:
            await webhook_dispatch.fail_pending(claimed, "the address answered 410")
        else:
            disabled = await webhook_endpoints.disable_gone(claimed.endpoint)
        await webhook_dispatch.record_failure(claimed, told, again_at=None)
    if disabled:
        log.warning("webhook_disabled", webhook_id=str(claimed.endpoint))

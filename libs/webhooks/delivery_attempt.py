"""One attempt at a webhook delivery: sign, post, and record the result."""

import asyncio
import random
from datetime import timedelta

import structlog
from msgspec import Struct

from libs.backends import Backends
from libs.contracts.views.webhooks import DeliveryAttempt
from libs.outbound import FetchError
from libs.outbound.post import Poster, PostResponse
from libs.runtime import metrics, tracing
from libs.storage import webhook_dispatch, webhook_endpoints, webhook_secrets
from libs.storage.database.connection import transaction
from libs.storage.database.tables import WebhookEndpoint, now
from libs.storage.webhook_dispatch import ClaimedDelivery
from libs.webhooks.signing import signed_headers

GONE = 410
BUSY = (429, 502, 504)  # statuses that slow down all deliveries to the receiver
JITTER = 0.1
MAX_SLOWDOWN_S = 300.0  # the longest slowdown of a receiver that does not ask for a wait

log = structlog.get_logger(__name__)


class PostResult(Struct, frozen=True):
    """The receiver's response, and the error unless it accepted the event."""

    response: PostResponse | None
    error: str | None


async def attempt_delivery(claimed: ClaimedDelivery, poster: Poster, backends: Backends) -> None:
    """Post a claimed delivery once and record the result, in the trace of what the event tells of."""
    attributes = {"http.request.method": "POST", "darkroom.webhook.event": claimed.event}
    with tracing.entry("webhook", "client", parent=claimed.traceparent, attributes=attributes) as span:
        await _attempt(claimed, poster, backends, span)


async def _attempt(claimed: ClaimedDelivery, poster: Poster, backends: Backends, span: tracing.Span) -> None:
    secrets = await _secrets(claimed)
    if secrets is None:
        await webhook_dispatch.fail(claimed, webhook_endpoints.DISABLED)
        metrics.WEBHOOK_DELIVERIES.add("failed")
        return
    moment = now()
    if moment + timedelta(seconds=backends.settings.webhook_timeout_s) > claimed.next_attempt_at:
        log.warning("delivery_lease_too_short")  # this process was suspended: another one sends it
        return
    headers = signed_headers(str(claimed.id), claimed.body, secrets, at=moment)
    if (traceparent := tracing.traceparent()) is not None:
        headers[tracing.HEADER] = traceparent
    clock = asyncio.get_running_loop().time  # the clock of timeouts, so that durations agree with them
    started = clock()
    result = await _post(claimed, headers, poster)
    if result.error is not None:
        span.failed(result.error)
    attempt = DeliveryAttempt(
        at=moment,
        status_code=result.response.status if result.response else None,
        error=result.error,
        took_ms=round((clock() - started) * 1000),
    )
    if result.error is None:
        await webhook_dispatch.record_success(claimed, attempt)
        metrics.WEBHOOK_DELIVERIES.add("delivered")
        log.info("webhook_delivered", attempt=claimed.attempts, took_ms=attempt.took_ms)
    else:
        await _record_failure(claimed, result.response, attempt, backends)


def next_wait_s(schedule_s: tuple[float, ...], failures: int, retry_after_s: float | None) -> float | None:
    """Return the wait after a number of failed attempts; None after the last attempt.

    The wait is the scheduled one with a random tenth more or less, but at least what the receiver asked for.
    """
    if failures >= len(schedule_s):
        return None
    scheduled_s = schedule_s[failures] * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311
    return max(scheduled_s, retry_after_s or 0.0)


async def _secrets(claimed: ClaimedDelivery) -> list[str] | None:
    """Return the secrets that sign now; None when the endpoint is deleted or disabled."""
    if claimed.endpoint is None:
        account_secret = await webhook_secrets.account_secret(claimed.owner)
        return webhook_secrets.signing_secrets(account_secret).valid
    endpoint = await WebhookEndpoint.objects().where(WebhookEndpoint.id == claimed.endpoint).first()
    if endpoint is None or not endpoint.active:
        return None
    return webhook_secrets.signing_secrets(endpoint).valid


async def _post(claimed: ClaimedDelivery, headers: dict[str, str], poster: Poster) -> PostResult:
    try:
        response = await poster.post(claimed.url, claimed.body.encode(), headers)
    except FetchError as error:
        return PostResult(None, f"{error.code}: {error}")
    if response.accepted:
        return PostResult(response, None)
    if 300 <= response.status < 400:
        return PostResult(response, f"answered {response.status}: redirects are not followed")
    return PostResult(response, f"answered {response.status}")


async def _record_failure(
    claimed: ClaimedDelivery, response: PostResponse | None, attempt: DeliveryAttempt, backends: Backends
) -> None:
    if response is not None and response.status == GONE:
        await _record_gone(claimed, attempt)
        return
    retry_after_s = response.retry_after_s if response else None
    wait_s = next_wait_s(backends.settings.webhook_schedule_s, claimed.failures + 1, retry_after_s)
    if response is not None and (response.status in BUSY or retry_after_s):
        default_s = min(wait_s or MAX_SLOWDOWN_S, MAX_SLOWDOWN_S)
        slowdown_s = max(default_s, retry_after_s or 0.0)
        await webhook_dispatch.slow_target(claimed.target, until=now() + timedelta(seconds=slowdown_s))
    again_at = None if wait_s is None else now() + timedelta(seconds=wait_s)
    await webhook_dispatch.record_failure(claimed, attempt, again_at=again_at)
    metrics.WEBHOOK_DELIVERIES.add("failed" if again_at is None else "retried")
    if claimed.endpoint is not None:
        await webhook_endpoints.fail_if_disabled(claimed.endpoint)
    log.warning(
        "webhook_attempt_failed",
        attempt=claimed.attempts,
        error=attempt.error,
        again_in_s=wait_s and round(wait_s, 1),
    )


async def _record_gone(claimed: ClaimedDelivery, attempt: DeliveryAttempt) -> None:
    """End the delivery and disable its webhook in one transaction; neither is seen without the other."""
    disabled = False
    async with transaction():
        if claimed.endpoint is None:
            await webhook_dispatch.fail_pending(claimed, "the address answered 410")
        else:
            disabled = await webhook_endpoints.disable_gone(claimed.endpoint)
        await webhook_dispatch.record_failure(claimed, attempt, again_at=None)
    metrics.WEBHOOK_DELIVERIES.add("failed")
    if disabled:
        log.warning("webhook_disabled", webhook_id=str(claimed.endpoint))

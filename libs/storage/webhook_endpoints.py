"""Functions over webhook endpoints."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, ClassVar, cast
from uuid import UUID

import msgspec

from libs.contracts.enums import DeliveryStatus, WebhookEvent
from libs.contracts.outcome import Outcome
from libs.storage import idempotency
from libs.storage.database.connection import transaction
from libs.storage.database.tables import WebhookDelivery, WebhookEndpoint, WebhookSecret, now
from libs.storage.idempotency import Reservation
from libs.storage.webhook_outbox import target_of
from libs.storage.webhook_secrets import OVERLAP_S, new_secret

MAX_ENDPOINTS = 20  # of one account: each may add a row for every event
GONE = "gone"  # the receiver responded with status 410
BY_OWNER = "by_owner"
BY_OPERATOR = "by_operator"
DISABLED = "the endpoint was disabled"


class WebhookError(Exception):
    """A request about a webhook cannot be fulfilled."""

    code = "webhook_error"
    outcome: ClassVar[Outcome] = "refused"


class WebhookNotFound(WebhookError):
    """There is no such webhook, or it belongs to another account."""

    code = "webhook_not_found"


class WebhookDisabled(WebhookError):
    """The webhook is disabled: it receives nothing until it is enabled again."""

    code = "webhook_disabled"


class TooManyWebhooks(WebhookError):
    """The account has reached its limit of webhooks."""

    code = "too_many_webhooks"


async def create(
    owner: int, url: str, events: Sequence[WebhookEvent], reservation: Reservation | None = None
) -> WebhookEndpoint:
    """Create an active endpoint with a secret of its own.

    Raises:
        TooManyWebhooks: The account has reached its limit.
        KeyInUse: Another request has the idempotency key.
    """
    endpoint = WebhookEndpoint(owner=owner, url=url, secret=new_secret(), events=_encoded(events))
    if cast("int", await WebhookEndpoint.count().where(WebhookEndpoint.owner == owner)) >= MAX_ENDPOINTS:
        raise TooManyWebhooks(f"an account may have {MAX_ENDPOINTS} webhooks")
    async with transaction():
        await endpoint.save()
        await idempotency.bind(reservation, subject=endpoint.id)
    return endpoint


async def owned_by(owner: int, endpoint_id: UUID) -> WebhookEndpoint:
    """Return the owner's endpoint.

    Raises:
        WebhookNotFound: There is none, or it belongs to another account.
    """
    endpoint = await (
        WebhookEndpoint.objects()
        .where((WebhookEndpoint.id == endpoint_id) & (WebhookEndpoint.owner == owner))
        .first()
    )
    if endpoint is None:
        raise WebhookNotFound(f"there is no webhook {endpoint_id}")
    return endpoint


async def page(owner: int, *, limit: int, after: UUID | None) -> tuple[list[WebhookEndpoint], int]:
    """Return at most `limit` endpoints, newest first, older than `after`; and the count of all."""
    conditions = [WebhookEndpoint.owner == owner]
    total = cast("int", await WebhookEndpoint.count().where(*conditions))
    if after is not None:
        conditions.append(WebhookEndpoint.id < after)
    found = WebhookEndpoint.objects().where(*conditions).order_by(WebhookEndpoint.id, ascending=False)
    return await found.limit(limit), total


async def change(
    endpoint: WebhookEndpoint,
    *,
    url: str | None,
    events: Sequence[WebhookEvent] | None,
    active: bool | None,
    reason: str = BY_OWNER,
) -> WebhookEndpoint:
    """Set what is not None; `reason` says why it is disabled, if it is.

    Unfinished deliveries go to a new URL; pending deliveries of an endpoint that is disabled fail.

    Raises:
        WebhookNotFound: The endpoint was deleted meanwhile.
    """
    values: dict[Any, Any] = {}
    if url is not None:
        values[WebhookEndpoint.url] = url
    if events is not None:
        values[WebhookEndpoint.events] = _encoded(events)
    if active is not None:
        values |= {
            WebhookEndpoint.active: active,
            WebhookEndpoint.disabled_reason: None if active else reason,
        }
    async with transaction():
        if values:
            await WebhookEndpoint.update(values).where(WebhookEndpoint.id == endpoint.id)
        if url is not None:
            await WebhookDelivery.update(
                {WebhookDelivery.url: url, WebhookDelivery.target: target_of(endpoint.owner, url)}
            ).where((WebhookDelivery.endpoint == endpoint.id) & WebhookDelivery.finished_at.is_null())
        if active is False:
            await _fail_pending(endpoint.id, DISABLED)
    return await owned_by(endpoint.owner, endpoint.id)


async def disable_gone(endpoint_id: UUID) -> bool:
    """Disable an endpoint whose receiver responded with 410; return whether it was active until now."""
    async with transaction():
        disabled: list[dict[str, Any]] = await (
            WebhookEndpoint.update({WebhookEndpoint.active: False, WebhookEndpoint.disabled_reason: GONE})
            .where((WebhookEndpoint.id == endpoint_id) & (WebhookEndpoint.active == True))  # noqa: E712
            .returning(WebhookEndpoint.id)
        )
        await _fail_pending(endpoint_id, f"{DISABLED}: it answered 410")
    return bool(disabled)


async def fail_if_disabled(endpoint_id: UUID) -> None:
    """Fail pending deliveries of an endpoint that was disabled during an attempt."""
    async with transaction():
        if not await is_active(endpoint_id):
            await _fail_pending(endpoint_id, DISABLED)


async def is_active(endpoint_id: UUID) -> bool:
    """Return whether an endpoint exists and is active."""
    return await WebhookEndpoint.exists().where(
        (WebhookEndpoint.id == endpoint_id) & (WebhookEndpoint.active == True)  # noqa: E712 - a column
    )


async def delete(endpoint: WebhookEndpoint) -> None:
    """Delete an endpoint and its deliveries."""
    await WebhookEndpoint.delete().where(WebhookEndpoint.id == endpoint.id)


async def delete_all(owner: int) -> None:
    """Delete all endpoints, deliveries and secrets of an account."""
    await WebhookEndpoint.delete().where(WebhookEndpoint.owner == owner)
    await WebhookDelivery.delete().where(WebhookDelivery.owner == owner)
    await WebhookSecret.delete().where(WebhookSecret.owner == owner)


async def rotate(
    endpoint: WebhookEndpoint, *, overlap_s: float = OVERLAP_S, reservation: Reservation | None = None
) -> WebhookEndpoint:
    """Replace the endpoint's secret; the previous one also signs for `overlap_s` seconds.

    Raises:
        WebhookNotFound: The endpoint was deleted meanwhile.
    """
    async with transaction():
        await WebhookEndpoint.update(
            {
                WebhookEndpoint.previous_secret: WebhookEndpoint.secret,
                WebhookEndpoint.previous_until: now() + timedelta(seconds=overlap_s),
                WebhookEndpoint.secret: new_secret(),
            }
        ).where(WebhookEndpoint.id == endpoint.id)
        await idempotency.bind(reservation, subject=endpoint.id)
    return await owned_by(endpoint.owner, endpoint.id)


def events_of(endpoint: WebhookEndpoint) -> tuple[WebhookEvent, ...]:
    """Return the event types that an endpoint receives."""
    return msgspec.json.decode(endpoint.events, type=tuple[WebhookEvent, ...])


def _encoded(events: Sequence[WebhookEvent]) -> str:
    return msgspec.json.encode(sorted(set(events))).decode()


async def _fail_pending(endpoint_id: UUID, reason: str) -> None:
    await WebhookDelivery.update(
        {
            WebhookDelivery.status: DeliveryStatus.FAILED,
            WebhookDelivery.last_error: reason,
            WebhookDelivery.finished_at: now(),
        }
    ).where((WebhookDelivery.endpoint == endpoint_id) & (WebhookDelivery.status == DeliveryStatus.PENDING))

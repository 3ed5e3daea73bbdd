"""Functions for the webhook dispatcher: it claims each delivery under a lease for one attempt."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct
from piccolo.columns.combination import And

from libs.contracts.enums import DeliveryStatus
from libs.contracts.views.webhooks import DeliveryAttempt
from libs.storage.database.engine import rows
from libs.storage.database.statement import Slot, Statement
from libs.storage.database.tables import WebhookDelivery, WebhookPace, new_id, now

PER_TARGET = 4  # attempts at once for one URL of one owner
PER_OWNER = 32  # attempts at once for one account, so that its slow receivers do not delay other accounts
HISTORY_LENGTH = 50  # attempts kept

# The oldest due delivery of each target that may be sent to now. Finding the targets takes one index step for
# each of them, so a long queue for one costs the others nothing.
DUE = """
with recursive waiting (target) as (
  select (select min(target) from webhook_delivery where finished_at is null)
  union all
  select (
    select min(further.target) from webhook_delivery further
    where further.finished_at is null and further.target > waiting.target
  ) from waiting where waiting.target is not null
), sent as materialized (
  select owner, target from webhook_delivery where status = 'sending' and next_attempt_at > {}
), heads as (
  select head.id, head.owner, head.next_attempt_at, pace.until as slow_until, (
    select count(*) from sent where sent.target = waiting.target
  ) as under_way
  from waiting
  join webhook_delivery head on head.id = (
    select oldest.id from webhook_delivery oldest
    where oldest.target = waiting.target and oldest.finished_at is null and oldest.next_attempt_at <= {}
    order by oldest.next_attempt_at, oldest.id limit 1
  )
  left join webhook_pace pace on pace.target = waiting.target
), allowed as (
  select id, next_attempt_at, row_number() over (partition by owner order by next_attempt_at, id) + (
    select count(*) from sent where sent.owner = heads.owner
  ) as nth
  from heads where under_way < {} and (slow_until is null or (slow_until <= {} and under_way = 0))
)
select id from allowed where nth <= {} order by next_attempt_at, id limit {}
"""

# This runs after every job, and there is rarely something to send.
_ANY_DUE = Statement(
    WebhookDelivery.raw(
        "select 1 from webhook_delivery where finished_at is null and next_attempt_at <= {} limit 1",
        Slot("now"),
    ),
    quick=True,
)


class ClaimedDelivery(Struct, frozen=True, kw_only=True):
    """A claimed delivery; the lease ends at `next_attempt_at`."""

    id: UUID
    owner: int
    endpoint: UUID | None
    url: str
    target: int
    event: str
    request_id: str | None
    traceparent: str | None
    body: str
    attempts: int
    failures: int
    history: str
    next_attempt_at: datetime


async def claim_due(limit: int, *, lease_s: float) -> list[ClaimedDelivery]:
    """Claim due deliveries, at most one to each target and `limit` in total; each has one claimer only.

    A delivery whose lease ends before its attempt is recorded is due again.
    """
    moment = now()
    if not await _ANY_DUE(now=moment):
        return []
    found = await rows(WebhookDelivery.raw(DUE, moment, moment, PER_TARGET, moment, PER_OWNER, limit))
    claims = [await _claim(row["id"], moment, lease_s) for row in found]
    return [claim for claim in claims if claim is not None]


async def _claim(delivery_id: UUID, moment: datetime, lease_s: float) -> ClaimedDelivery | None:
    taken: list[dict[str, Any]] = await (
        WebhookDelivery.update(
            {
                WebhookDelivery.status: DeliveryStatus.SENDING,
                WebhookDelivery.attempts: WebhookDelivery.attempts + 1,
                WebhookDelivery.next_attempt_at: moment + timedelta(seconds=lease_s),
            }
        )
        .where((WebhookDelivery.id == delivery_id) & _due(moment))
        .returning(*(getattr(WebhookDelivery, name) for name in ClaimedDelivery.__struct_fields__))
    )
    return ClaimedDelivery(**taken[0]) if taken else None


async def record_success(claimed: ClaimedDelivery, attempt: DeliveryAttempt) -> bool:
    """Record that the receiver accepted the event, and end its slowdown.

    Return False when another dispatcher has claimed the delivery meanwhile.
    """
    await WebhookPace.delete().where(WebhookPace.target == claimed.target)
    return await _record(
        claimed, attempt, {**_finished(DeliveryStatus.DELIVERED), WebhookDelivery.failures: 0}
    )


async def record_failure(
    claimed: ClaimedDelivery, attempt: DeliveryAttempt, *, again_at: datetime | None
) -> bool:
    """Record a failed attempt; the next one is at `again_at`, and None ends the delivery.

    Return False when another dispatcher has claimed the delivery meanwhile.
    """
    values: dict[Any, Any] = {WebhookDelivery.failures: claimed.failures + 1}
    if again_at is None:
        values |= _finished(DeliveryStatus.FAILED)
    else:
        values |= {
            WebhookDelivery.status: DeliveryStatus.PENDING,
            WebhookDelivery.next_attempt_at: again_at,
        }
    return await _record(claimed, attempt, values)


async def fail(claimed: ClaimedDelivery, reason: str) -> None:
    """End a delivery without an attempt."""
    await WebhookDelivery.update(
        {**_finished(DeliveryStatus.FAILED), WebhookDelivery.last_error: reason}
    ).where(_is_claimed(claimed))


async def fail_pending(claimed: ClaimedDelivery, reason: str) -> None:
    """End the pending deliveries to the same URL that belong to no endpoint."""
    await WebhookDelivery.update(
        {**_finished(DeliveryStatus.FAILED), WebhookDelivery.last_error: reason}
    ).where(
        (WebhookDelivery.target == claimed.target)
        & WebhookDelivery.endpoint.is_null()
        & (WebhookDelivery.status == DeliveryStatus.PENDING)
    )


async def release(claimed: ClaimedDelivery) -> None:
    """Return a delivery because the dispatcher stops; it is due at once."""
    await WebhookDelivery.update(
        {WebhookDelivery.status: DeliveryStatus.PENDING, WebhookDelivery.next_attempt_at: now()}
    ).where(_is_claimed(claimed))


async def expire_leases() -> None:
    """Make all claimed deliveries due; only for a process that is the only one to use the database."""
    await WebhookDelivery.update({WebhookDelivery.next_attempt_at: now()}).where(
        WebhookDelivery.status == DeliveryStatus.SENDING
    )


async def slow_target(target: int, *, until: datetime) -> None:
    """Send nothing to a target before `until`, and then one delivery at a time until one is accepted."""
    await WebhookPace.insert(WebhookPace(id=new_id(), target=target, until=until)).on_conflict(
        target=WebhookPace.target, action="DO UPDATE", values=[WebhookPace.until]
    )


def _due(moment: datetime) -> And:
    return WebhookDelivery.finished_at.is_null() & (WebhookDelivery.next_attempt_at <= moment)


def _is_claimed(claimed: ClaimedDelivery) -> And:
    return (
        (WebhookDelivery.id == claimed.id)
        & (WebhookDelivery.attempts == claimed.attempts)
        & (WebhookDelivery.status == DeliveryStatus.SENDING)
    )


def _finished(status: DeliveryStatus) -> dict[Any, Any]:
    return {WebhookDelivery.status: status, WebhookDelivery.finished_at: now()}


async def _record(claimed: ClaimedDelivery, attempt: DeliveryAttempt, values: dict[Any, Any]) -> bool:
    history = msgspec.json.decode(claimed.history, type=list[DeliveryAttempt])
    recorded: list[dict[str, Any]] = await (
        WebhookDelivery.update(
            {
                **values,
                WebhookDelivery.last_status_code: attempt.status_code,
                WebhookDelivery.last_error: attempt.error,
                WebhookDelivery.history: msgspec.json.encode([*history, attempt][-HISTORY_LENGTH:]).decode(),
            }
        )
        .where(_is_claimed(claimed))
        .returning(WebhookDelivery.id)
    )
    return bool(recorded)

"""Functions over webhook deliveries, as their owners see them."""

from datetime import timedelta
from typing import Any, ClassVar, cast
from uuid import UUID

import msgspec

from libs.contracts.enums import DeliveryStatus
from libs.contracts.outcome import Outcome
from libs.contracts.views.webhooks import DeliveryAttempt
from libs.storage import webhook_endpoints
from libs.storage.database.engine import rows
from libs.storage.database.tables import WebhookDelivery, WebhookPace, now

RETENTION_S = 30 * 86_400.0  # of finished deliveries


class DeliveryNotFound(Exception):
    """There is no such delivery, or it belongs to another account."""

    code = "webhook_delivery_not_found"
    outcome: ClassVar[Outcome] = "refused"


class DeliveryUnderWay(Exception):
    """The delivery is being sent right now."""

    code = "webhook_delivery_under_way"
    outcome: ClassVar[Outcome] = "refused"


async def owned_by(owner: int, delivery_id: UUID) -> WebhookDelivery:
    """Return the owner's delivery.

    Raises:
        DeliveryNotFound: There is none, or it belongs to another account.
    """
    delivery = await (
        WebhookDelivery.objects()
        .where((WebhookDelivery.id == delivery_id) & (WebhookDelivery.owner == owner))
        .first()
    )
    if delivery is None:
        raise DeliveryNotFound(f"there is no delivery {delivery_id}")
    return delivery


async def page(
    owner: int,
    *,
    status: str | None,
    event: str | None,
    webhook: UUID | None,
    subject: UUID | None,
    limit: int,
    after: UUID | None,
) -> tuple[list[WebhookDelivery], int]:
    """Return at most `limit` deliveries, newest first, older than `after`; and the count of all matches."""
    conditions = [WebhookDelivery.owner == owner]
    for column, value in (
        (WebhookDelivery.status, status),
        (WebhookDelivery.event, event),
        (WebhookDelivery.endpoint, webhook),
        (WebhookDelivery.subject, subject),
    ):
        if value is not None:
            conditions.append(column == value)
    total = cast("int", await WebhookDelivery.count().where(*conditions))
    if after is not None:
        conditions.append(WebhookDelivery.id < after)
    found = WebhookDelivery.objects().where(*conditions).order_by(WebhookDelivery.id, ascending=False)
    return await found.limit(limit), total


async def redeliver(owner: int, delivery_id: UUID) -> WebhookDelivery:
    """Send an event again, whatever its status: with the same id and body, from the start of the schedule.

    Raises:
        DeliveryNotFound: There is none, or it belongs to another account.
        WebhookDisabled: Its endpoint is disabled.
        DeliveryUnderWay: It is being sent right now.
    """
    delivery = await owned_by(owner, delivery_id)
    if delivery.endpoint is not None and not await webhook_endpoints.is_active(delivery.endpoint):
        raise webhook_endpoints.WebhookDisabled(f"webhook {delivery.endpoint} is disabled")
    queued: list[dict[str, Any]] = await (
        WebhookDelivery.update(
            {
                WebhookDelivery.status: DeliveryStatus.PENDING,
                WebhookDelivery.failures: 0,
                WebhookDelivery.next_attempt_at: now(),
                WebhookDelivery.finished_at: None,
            }
        )
        .where((WebhookDelivery.id == delivery_id) & (WebhookDelivery.status != DeliveryStatus.SENDING))
        .returning(WebhookDelivery.id)
    )
    if not queued:
        raise DeliveryUnderWay(f"delivery {delivery_id} is being sent")
    return await owned_by(owner, delivery_id)


async def redeliver_any(delivery_id: UUID) -> WebhookDelivery:
    """Do the same as `redeliver` for a delivery of any owner."""
    delivery = await WebhookDelivery.objects().where(WebhookDelivery.id == delivery_id).first()
    if delivery is None:
        raise DeliveryNotFound(f"there is no delivery {delivery_id}")
    return await redeliver(delivery.owner, delivery_id)


async def purge(*, older_than_s: float = RETENTION_S) -> int:
    """Delete deliveries that finished long ago; return how many."""
    old = now() - timedelta(seconds=older_than_s)
    deleted = await rows(
        WebhookDelivery.delete().where(WebhookDelivery.finished_at < old).returning(WebhookDelivery.id)
    )
    await WebhookPace.delete().where(WebhookPace.until < old)
    return len(deleted)


def history_of(delivery: WebhookDelivery) -> tuple[DeliveryAttempt, ...]:
    """Return the recorded attempts, oldest first."""
    return msgspec.json.decode(delivery.history, type=tuple[DeliveryAttempt, ...])

"""Webhooks of all accounts with what became of their deliveries, for operators.

Finished deliveries are kept for 30 days: what is older is not known here.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from msgspec import Struct

from libs.storage import site_lists
from libs.storage.bounded_count import Matching, Total
from libs.storage.database.engine import rows
from libs.storage.database.tables import WebhookDelivery, WebhookEndpoint
from libs.storage.webhook_endpoints import WebhookNotFound

WAITING = 1000  # deliveries of a webhook that are counted at most

# Each part reads a few entries of the index webhook_delivery_outcome.
_FOUND = """
select hook.id as hook,
  (select id from webhook_delivery where endpoint = hook.id and status = 'delivered'
    order by finished_at desc limit 1) as delivered,
  (select id from webhook_delivery where endpoint = hook.id and status = 'failed'
    order by finished_at desc limit 1) as failed,
  (select id from webhook_delivery where endpoint = hook.id and status = 'pending' and failures > 0
    limit 1) as retried,
  (select count(*) from (select 1 from webhook_delivery
    where endpoint = hook.id and status = 'pending' limit {}) as counted) as waiting
from webhook_endpoint hook where hook.id in (IDS)
"""


class Outcome(Struct, frozen=True, kw_only=True):
    """What became of the deliveries of one webhook."""

    delivered_at: datetime | None = None  # the last time
    failed_at: datetime | None = None  # when a delivery was given up, the last time
    error: str | None = None  # of a delivery that is tried again, or of the last one that was given up
    waiting: int = 0  # deliveries that are still to be made, at most `WAITING`


class _Delivery(Struct, frozen=True):
    finished_at: datetime | None
    error: str | None


async def page(
    *, limit: int, after: UUID | None, owner: int | None = None, active: bool | None = None
) -> tuple[list[WebhookEndpoint], Total]:
    """Return at most `limit` webhooks, newest first, and how many match."""
    matching = Matching().also({"owner = {}": owner, "active = {}": active})
    return await site_lists.page_of(WebhookEndpoint, matching, after=after, limit=limit)


async def by_id(endpoint_id: UUID) -> WebhookEndpoint:
    """Return a webhook of any account.

    Raises:
        WebhookNotFound: There is none.
    """
    found = await WebhookEndpoint.objects().where(WebhookEndpoint.id == endpoint_id).first()
    if found is None:
        raise WebhookNotFound(f"there is no webhook {endpoint_id}")
    return found


async def of(endpoints: Sequence[UUID]) -> dict[UUID, Outcome]:
    """Return what became of the deliveries of each webhook."""
    if not endpoints:
        return {}
    query = _FOUND.replace("IDS", ", ".join(["{}"] * len(endpoints)))
    found = await rows(WebhookDelivery.raw(query, WAITING, *endpoints))
    ids = {row[name] for row in found for name in ("delivered", "failed", "retried")} - {None}
    deliveries = await _by_id(ids)
    return {_uuid(row["hook"]): _outcome(row, deliveries) for row in found}


async def _by_id(ids: set[Any]) -> dict[UUID, _Delivery]:
    if not ids:
        return {}
    shown = cast("Any", WebhookDelivery).select(
        WebhookDelivery.id, WebhookDelivery.finished_at, WebhookDelivery.last_error
    )
    found = await rows(shown.where(WebhookDelivery.id.is_in([_uuid(one) for one in ids])))
    return {row["id"]: _Delivery(row["finished_at"], row["last_error"]) for row in found}


def _outcome(row: dict[str, Any], deliveries: dict[UUID, _Delivery]) -> Outcome:
    none = _Delivery(None, None)
    delivered, failed, retried = (
        deliveries.get(_uuid(row[name]), none) if row[name] else none
        for name in ("delivered", "failed", "retried")
    )
    return Outcome(
        delivered_at=delivered.finished_at,
        failed_at=failed.finished_at,
        error=retried.error or failed.error,
        waiting=row["waiting"],
    )


def _uuid(value: UUID | str) -> UUID:
    return value if isinstance(value, UUID) else UUID(value)  # SQLite gives the text of a computed column

"""Functions over webhook endpoints and the secrets that sign what is sent to them."""

import base64
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar, Literal, cast
from uuid import UUID

import msgspec
from msgspec import Struct

from libs.contracts.enums import DeliveryStatus, WebhookEvent
from libs.storage.database.connection import transaction
from libs.storage.database.tables import WebhookDelivery, WebhookEndpoint, WebhookSecret, new_id, now
from libs.storage.webhook_outbox import target_of

SECRET_PREFIX = "whsec_"  # noqa: S105 - as Standard Webhooks has it
SECRET_BYTES = 32
OVERLAP_S = 86_400.0  # how long a replaced secret signs beside its successor
MAX_ENDPOINTS = 20  # of one account: each may cost a row for every event
GONE = "gone"  # the receiver said so itself, with status 410
BY_OWNER = "by_owner"
DISABLED = "the endpoint was disabled"


class WebhookError(Exception):
    """A request about a webhook that cannot be met."""

    code = "webhook_error"
    outcome: ClassVar[Literal["transient", "permanent", "refused"]] = "refused"


class WebhookNotFound(WebhookError):
    """There is no such webhook, or it is somebody else's."""

    code = "webhook_not_found"


class WebhookDisabled(WebhookError):
    """The webhook is disabled: nothing is sent to it until it is enabled again."""

    code = "webhook_disabled"


class TooManyWebhooks(WebhookError):
    """The account has as many webhooks as it may."""

    code = "too_many_webhooks"


class SigningSecrets(Struct, frozen=True):
    """What signs now: the current secret first, the one it replaced while that still holds."""

    current: str
    previous: str | None
    previous_until: datetime | None

    @property
    def valid(self) -> list[str]:
        """All that sign."""
        return [self.current] if self.previous is None else [self.current, self.previous]


def new_secret() -> str:
    """A random secret, as Standard Webhooks writes it."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


async def create(owner: int, url: str, events: Sequence[WebhookEvent]) -> WebhookEndpoint:
    """A new active endpoint with a secret of its own.

    Raises:
        TooManyWebhooks: The account has enough of them.
    """
    endpoint = WebhookEndpoint(owner=owner, url=url, secret=new_secret(), events=_written(events))
    if cast("int", await WebhookEndpoint.count().where(WebhookEndpoint.owner == owner)) >= MAX_ENDPOINTS:
        raise TooManyWebhooks(f"an account may have {MAX_ENDPOINTS} webhooks")
    await endpoint.save()
    return endpoint


async def owned_by(owner: int, endpoint_id: UUID) -> WebhookEndpoint:
    """The owner's endpoint.

    Raises:
        WebhookNotFound: There is none, or it is another's.
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
    """At most `limit` endpoints, newest first, older than the endpoint `after`; and how many there are."""
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
) -> WebhookEndpoint:
    """Set what is not None. What waits goes to the new address; what waits for one disabled has failed.

    Raises:
        WebhookNotFound: It was deleted meanwhile.
    """
    values: dict[Any, Any] = {}
    if url is not None:
        values[WebhookEndpoint.url] = url
    if events is not None:
        values[WebhookEndpoint.events] = _written(events)
    if active is not None:
        values |= {
            WebhookEndpoint.active: active,
            WebhookEndpoint.disabled_reason: None if active else BY_OWNER,
        }
    async with transaction():
        if values:
            await WebhookEndpoint.update(values).where(WebhookEndpoint.id == endpoint.id)
        if url is not None:
            await WebhookDelivery.update(
                {WebhookDelivery.url: url, WebhookDelivery.target: target_of(endpoint.owner, url)}
            ).where((WebhookDelivery.endpoint == endpoint.id) & WebhookDelivery.finished_at.is_null())
        if active is False:
            await _fail_waiting(endpoint.id, DISABLED)
    return await owned_by(endpoint.owner, endpoint.id)


async def disable_gone(endpoint_id: UUID) -> bool:
    """Disable an endpoint whose receiver says that it is gone; whether it was active until now."""
    async with transaction():
        disabled: list[dict[str, Any]] = await (
            WebhookEndpoint.update({WebhookEndpoint.active: False, WebhookEndpoint.disabled_reason: GONE})
            .where((WebhookEndpoint.id == endpoint_id) & (WebhookEndpoint.active == True))  # noqa: E712
            .returning(WebhookEndpoint.id)
        )
        await _fail_waiting(endpoint_id, f"{DISABLED}: it answered 410")
    return bool(disabled)


async def fail_if_disabled(endpoint_id: UUID) -> None:
    """Give up what waits for an endpoint that was disabled while something was on its way there."""
    async with transaction():
        if not await is_active(endpoint_id):
            await _fail_waiting(endpoint_id, DISABLED)


async def is_active(endpoint_id: UUID) -> bool:
    """Whether an endpoint is there and gets anything."""
    return await WebhookEndpoint.exists().where(
        (WebhookEndpoint.id == endpoint_id) & (WebhookEndpoint.active == True)  # noqa: E712 - a column
    )


async def delete(endpoint: WebhookEndpoint) -> None:
    """Remove an endpoint and all that was or is sent to it."""
    await WebhookEndpoint.delete().where(WebhookEndpoint.id == endpoint.id)


async def delete_all(owner: int) -> None:
    """Remove all that an account has of webhooks."""
    await WebhookEndpoint.delete().where(WebhookEndpoint.owner == owner)
    await WebhookDelivery.delete().where(WebhookDelivery.owner == owner)
    await WebhookSecret.delete().where(WebhookSecret.owner == owner)


async def rotate(endpoint: WebhookEndpoint, *, overlap_s: float = OVERLAP_S) -> WebhookEndpoint:
    """A new secret; the former signs beside it for a while.

    Raises:
        WebhookNotFound: It was deleted meanwhile.
    """
    await WebhookEndpoint.update(
        {
            WebhookEndpoint.previous_secret: WebhookEndpoint.secret,
            WebhookEndpoint.previous_until: now() + timedelta(seconds=overlap_s),
            WebhookEndpoint.secret: new_secret(),
        }
    ).where(WebhookEndpoint.id == endpoint.id)
    return await owned_by(endpoint.owner, endpoint.id)


async def account_secret(owner: int) -> WebhookSecret:
    """The account's own secret, made when it is first needed."""
    found = await WebhookSecret.objects().where(WebhookSecret.owner == owner).first()
    if found is not None:
        return found
    await WebhookSecret.insert(WebhookSecret(id=new_id(), owner=owner, secret=new_secret())).on_conflict(
        target=WebhookSecret.owner, action="DO NOTHING"
    )
    found = await WebhookSecret.objects().where(WebhookSecret.owner == owner).first()
    assert found is not None  # noqa: S101
    return found


async def rotate_account_secret(owner: int, *, overlap_s: float = OVERLAP_S) -> WebhookSecret:
    """A new secret of the account; the former signs beside it for a while."""
    await account_secret(owner)
    await WebhookSecret.update(
        {
            WebhookSecret.previous_secret: WebhookSecret.secret,
            WebhookSecret.previous_until: now() + timedelta(seconds=overlap_s),
            WebhookSecret.secret: new_secret(),
        }
    ).where(WebhookSecret.owner == owner)
    return await account_secret(owner)


def signing(row: WebhookEndpoint | WebhookSecret) -> SigningSecrets:
    """What signs for this endpoint or account at this moment."""
    if row.previous_until is None or row.previous_until <= now():
        return SigningSecrets(row.secret, None, None)
    return SigningSecrets(row.secret, row.previous_secret, row.previous_until)


def events_of(endpoint: WebhookEndpoint) -> tuple[WebhookEvent, ...]:
    """What an endpoint is told of."""
    return msgspec.json.decode(endpoint.events, type=tuple[WebhookEvent, ...])


def _written(events: Sequence[WebhookEvent]) -> str:
    return msgspec.json.encode(sorted(set(events))).decode()


async def _fail_waiting(endpoint_id: UUID, reason: str) -> None:
    await WebhookDelivery.update(
        {
            WebhookDelivery.status: DeliveryStatus.FAILED,
            WebhookDelivery.last_error: reason,
            WebhookDelivery.finished_at: now(),
        }
    ).where((WebhookDelivery.endpoint == endpoint_id) & (WebhookDelivery.status == DeliveryStatus.PENDING))

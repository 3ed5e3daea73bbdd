"""Webhook endpoints, their secrets and their deliveries."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from libs.contracts.enums import DeliveryStatus, WebhookEvent
from libs.contracts.views.request_body import RequestBody

Events = Annotated[tuple[WebhookEvent, ...], Meta(min_length=1)]


class WebhookRequest(RequestBody, frozen=True, kw_only=True):
    """The URL to send events to, and which events to send."""

    url: Annotated[str, Meta(min_length=1)]
    """Where to send events: http or https."""
    events: Events = tuple(WebhookEvent)
    """Which events to send; without it, all."""


class WebhookPatch(RequestBody, frozen=True, kw_only=True):
    """Changes to a webhook. An inactive webhook receives nothing."""

    url: Annotated[str, Meta(min_length=1)] | None = None
    """Where to send events from now on."""
    events: Events | None = None
    """Which events to send from now on."""
    active: bool | None = None
    """Whether to send events at all."""


class WebhookView(Struct, frozen=True, kw_only=True):
    """A webhook."""

    id: UUID
    """The id of the webhook."""
    url: str
    """Where events are sent."""
    events: tuple[WebhookEvent, ...]
    """Which events are sent."""
    active: bool
    """Whether events are sent at all."""
    disabled_reason: str | None
    """`gone` (the URL answered 410), `by_owner` or `by_operator`; null for an active webhook."""
    previous_secret_until: datetime | None
    """Until then, the secret before the last rotation signs too."""
    created_at: datetime
    """When the webhook was created."""


class WebhookWithSecret(WebhookView, frozen=True, kw_only=True):
    """A webhook with its new secret. No other answer shows the secret."""

    secret: str
    """Signs the events, by Standard Webhooks."""


class AccountSecret(Struct, frozen=True, kw_only=True):
    """The secret that signs events sent to a `webhook_url`."""

    secret: str
    """Signs the events, by Standard Webhooks."""
    previous_secret_until: datetime | None
    """Until then, the secret before the last rotation signs too."""


class DeliveryAttempt(Struct, frozen=True, kw_only=True):
    """One attempt to deliver an event. Without a status code, there was no answer."""

    at: datetime
    """When the event was sent."""
    status_code: int | None
    """The status of the answer; null if there was none."""
    error: str | None
    """What went wrong."""
    took_ms: int
    """Milliseconds until the answer."""


class DeliveryView(Struct, frozen=True, kw_only=True):
    """The delivery of one event to one URL. `id` is sent as its `webhook-id`."""

    id: UUID
    """The id of the delivery, which is sent as `webhook-id`."""
    webhook: UUID | None
    """The webhook; null for a `webhook_url` given with a request."""
    url: str
    """Where the event is sent."""
    event: str
    """The type of the event."""
    subject: UUID | None
    """The job, batch or image that the event is about."""
    request_id: str | None
    """The id of the request that caused the event."""
    status: DeliveryStatus
    """The state of the delivery."""
    attempts: int
    """How often the event was sent."""
    next_attempt_at: datetime | None
    """When the event is sent again; null if it is not."""
    last_status_code: int | None
    """The status of the last answer; null if there was none."""
    last_error: str | None
    """What went wrong the last time."""
    history: tuple[DeliveryAttempt, ...]
    """Each time the event was sent."""
    created_at: datetime
    """When the event happened."""
    finished_at: datetime | None
    """When the event was delivered or given up."""


class DeliveryWithBody(DeliveryView, frozen=True, kw_only=True):
    """A delivery with the exact body that is sent."""

    body: str
    """The body that is sent, byte for byte."""

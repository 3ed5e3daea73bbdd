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
    events: Events = tuple(WebhookEvent)


class WebhookPatch(RequestBody, frozen=True, kw_only=True):
    """Changes to a webhook. An inactive webhook receives nothing."""

    url: Annotated[str, Meta(min_length=1)] | None = None
    events: Events | None = None
    active: bool | None = None


class WebhookView(Struct, frozen=True, kw_only=True):
    """A webhook. `disabled_reason` is `gone` (the URL answered 410) or `by_owner`."""

    id: UUID
    url: str
    events: tuple[WebhookEvent, ...]
    active: bool
    disabled_reason: str | None
    previous_secret_until: datetime | None  # until then, the secret before the last rotation signs too
    created_at: datetime


class WebhookWithSecret(WebhookView, frozen=True, kw_only=True):
    """A webhook with its new secret. No other answer shows the secret."""

    secret: str


class AccountSecret(Struct, frozen=True, kw_only=True):
    """The secret that signs events sent to a `webhook_url`."""

    secret: str
    previous_secret_until: datetime | None


class DeliveryAttempt(Struct, frozen=True, kw_only=True):
    """One attempt to deliver an event. Without a status code, there was no answer."""

    at: datetime
    status_code: int | None
    error: str | None
    took_ms: int


class DeliveryView(Struct, frozen=True, kw_only=True):
    """The delivery of one event to one URL. `id` is sent as its `webhook-id`."""

    id: UUID
    webhook: UUID | None  # null: for a `webhook_url` given with a request
    url: str
    event: str
    subject: UUID | None  # the job, batch or image that the event is about
    request_id: str | None
    status: DeliveryStatus
    attempts: int
    next_attempt_at: datetime | None
    last_status_code: int | None
    last_error: str | None
    history: tuple[DeliveryAttempt, ...]
    created_at: datetime
    finished_at: datetime | None


class DeliveryWithBody(DeliveryView, frozen=True, kw_only=True):
    """A delivery with the exact body that is sent."""

    body: str

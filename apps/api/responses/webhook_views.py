"""Views of webhooks, their secrets and their deliveries."""

from typing import Any

from libs.contracts.enums import DeliveryStatus
from libs.contracts.views.webhooks import (
    AccountSecret,
    DeliveryView,
    DeliveryWithBody,
    WebhookView,
    WebhookWithSecret,
)
from libs.storage import webhook_deliveries, webhook_endpoints, webhook_secrets
from libs.storage.database.tables import WebhookDelivery, WebhookEndpoint, WebhookSecret


def webhook_view(endpoint: WebhookEndpoint) -> WebhookView:
    """Build the view of a webhook, without its secret."""
    return WebhookView(
        id=endpoint.id,
        url=endpoint.url,
        events=webhook_endpoints.events_of(endpoint),
        active=endpoint.active,
        disabled_reason=endpoint.disabled_reason,
        previous_secret_until=webhook_secrets.signing_secrets(endpoint).previous_until,
        created_at=endpoint.created_at,
    )


def webhook_with_secret(endpoint: WebhookEndpoint) -> WebhookWithSecret:
    """Build the view of a webhook that was just made, or whose secret was."""
    return WebhookWithSecret(**_fields(webhook_view(endpoint)), secret=endpoint.secret)


def account_secret_view(row: WebhookSecret) -> AccountSecret:
    """Build the view of the secret for events to a `webhook_url`."""
    holding = webhook_secrets.signing_secrets(row)
    return AccountSecret(secret=holding.current, previous_secret_until=holding.previous_until)


def delivery_view(delivery: WebhookDelivery) -> DeliveryView:
    """Build the view of a delivery, without its body."""
    waits = delivery.status == DeliveryStatus.PENDING
    return DeliveryView(
        id=delivery.id,
        webhook=delivery.endpoint,
        url=delivery.url,
        event=delivery.event,
        subject=delivery.subject,
        request_id=delivery.request_id,
        status=DeliveryStatus(delivery.status),
        attempts=delivery.attempts,
        next_attempt_at=delivery.next_attempt_at if waits else None,
        last_status_code=delivery.last_status_code,
        last_error=delivery.last_error,
        history=webhook_deliveries.history_of(delivery),
        created_at=delivery.created_at,
        finished_at=delivery.finished_at,
    )


def delivery_with_body(delivery: WebhookDelivery) -> DeliveryWithBody:
    """Build the view of a delivery."""
    return DeliveryWithBody(**_fields(delivery_view(delivery)), body=delivery.body)


def _fields(view: WebhookView | DeliveryView) -> dict[str, Any]:
    return {name: getattr(view, name) for name in view.__struct_fields__}

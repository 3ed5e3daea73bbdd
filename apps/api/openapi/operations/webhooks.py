"""Webhooks, their secrets and their deliveries."""

from apps.api.openapi import error_groups as errors
from apps.api.openapi.described import Answer, Described
from apps.api.openapi.headers import LISTED, ONCE
from libs.contracts.views.webhooks import (
    AccountSecret,
    DeliveryView,
    DeliveryWithBody,
    WebhookPatch,
    WebhookRequest,
    WebhookView,
    WebhookWithSecret,
)
from libs.storage import webhook_deliveries, webhook_endpoints

REPEATABLE = ("Idempotency-Key",)

OPERATIONS = {
    "createWebhook": Described(
        json=WebhookRequest,
        sends=REPEATABLE,
        answers={201: Answer("The webhook with its secret", WebhookWithSecret, ONCE)},
        errors=(webhook_endpoints.TooManyWebhooks, *errors.FETCH),
    ),
    "listWebhooks": Described(answers={200: Answer("A page of webhooks", list[WebhookView], LISTED)}),
    "getWebhook": Described(answers={200: Answer("The webhook", WebhookView)}, errors=errors.WEBHOOK),
    "changeWebhook": Described(
        json=WebhookPatch,
        answers={200: Answer("The changed webhook", WebhookView)},
        errors=(*errors.WEBHOOK, *errors.FETCH),
    ),
    "deleteWebhook": Described(
        answers={204: Answer("The webhook is deleted")}, errors=(*errors.WEBHOOK, *errors.CHANGES)
    ),
    "rotateWebhookSecret": Described(
        sends=REPEATABLE,
        answers={200: Answer("The webhook with its new secret", WebhookWithSecret, ONCE)},
        errors=(*errors.WEBHOOK, *errors.CHANGES),
    ),
    "testWebhook": Described(
        sends=REPEATABLE,
        answers={202: Answer("The delivery of the event", DeliveryWithBody, ONCE)},
        errors=(*errors.WEBHOOK, webhook_endpoints.WebhookDisabled, *errors.CHANGES),
    ),
    "getAccountSecret": Described(answers={200: Answer("The secret", AccountSecret)}),
    "rotateAccountSecret": Described(
        sends=REPEATABLE,
        answers={200: Answer("The new secret", AccountSecret, ONCE)},
        errors=errors.CHANGES,
    ),
    "listDeliveries": Described(answers={200: Answer("A page of deliveries", list[DeliveryView], LISTED)}),
    "getDelivery": Described(answers={200: Answer("The delivery", DeliveryWithBody)}, errors=errors.DELIVERY),
    "redeliver": Described(
        answers={202: Answer("The delivery, which is sent again", DeliveryWithBody)},
        errors=(
            *errors.DELIVERY,
            webhook_deliveries.DeliveryUnderWay,
            webhook_endpoints.WebhookDisabled,
            *errors.CHANGES,
        ),
    ),
}

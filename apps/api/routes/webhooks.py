"""Routes for webhooks, their secrets and their deliveries."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from uuid import UUID

from litestar import Controller, Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED, HTTP_202_ACCEPTED

from apps.api.context import RequestContext
from apps.api.middleware.idempotency import fingerprint, once, required
from apps.api.middleware.key_access import needs
from apps.api.openapi.document import BEARER
from apps.api.responses.lists import Limit, listed
from apps.api.responses.webhook_views import (
    account_secret_view,
    delivery_view,
    delivery_with_body,
    webhook_view,
    webhook_with_secret,
)
from apps.http.request_log import request_id
from libs.backends import Backends
from libs.contracts.enums import DeliveryStatus, Scope
from libs.contracts.views.webhooks import (
    AccountSecret,
    DeliveryView,
    DeliveryWithBody,
    WebhookPatch,
    WebhookRequest,
    WebhookView,
    WebhookWithSecret,
)
from libs.storage import webhook_deliveries, webhook_endpoints, webhook_outbox, webhook_secrets
from libs.storage.database.tables import BaseUser, WebhookDelivery, WebhookEndpoint, WebhookSecret
from libs.storage.idempotency import Effect, Reservation

M = TypeVar("M")
R = TypeVar("R", bound=Response[Any])


class Webhooks(Controller):
    """Webhooks: URLs that receive signed events, and the deliveries of these."""

    path = "/api/webhooks"
    tags = ("Webhooks",)
    security = BEARER
    opt = needs(Scope.WEBHOOKS)

    @post(operation_id="createWebhook", status_code=HTTP_201_CREATED)
    async def create(
        self, data: JSONBody[WebhookRequest], context: NamedDependency[RequestContext]
    ) -> Response[WebhookWithSecret]:
        """Create a webhook. Only this answer shows its secret."""
        context.backends.guard.check_url(data.url)

        async def make(reservation: Reservation | None) -> WebhookEndpoint:
            return await webhook_endpoints.create(context.caller.id, data.url, data.events, reservation)

        async def respond(made: WebhookEndpoint) -> Response[WebhookWithSecret]:
            return Response(webhook_with_secret(made), status_code=HTTP_201_CREATED)

        return await _once(context, make, webhook_endpoints.owned_by, respond)

    @get(operation_id="listWebhooks")
    async def list_webhooks(
        self,
        context: NamedDependency[RequestContext],
        after: FromQuery[UUID | None] = None,
        limit: Limit = 20,
    ) -> Response[list[WebhookView]]:
        """List the caller's webhooks, newest first."""
        found, total = await webhook_endpoints.page(context.caller.id, limit=limit, after=after)
        return listed([webhook_view(endpoint) for endpoint in found], context, total=total, limit=limit)

    @get("/{webhook_id:uuid}", operation_id="getWebhook")
    async def get_webhook(self, webhook_id: FromPath[UUID], caller: NamedDependency[BaseUser]) -> WebhookView:
        """Get one webhook, without its secret."""
        return webhook_view(await webhook_endpoints.owned_by(caller.id, webhook_id))

    @patch("/{webhook_id:uuid}", operation_id="changeWebhook")
    async def change(
        self,
        webhook_id: FromPath[UUID],
        data: JSONBody[WebhookPatch],
        caller: NamedDependency[BaseUser],
        backends: NamedDependency[Backends],
    ) -> WebhookView:
        """Change the URL or events of a webhook, or disable it. Disabling cancels its pending deliveries."""
        endpoint = await webhook_endpoints.owned_by(caller.id, webhook_id)
        if data.url is not None:
            backends.guard.check_url(data.url)
        return webhook_view(
            await webhook_endpoints.change(endpoint, url=data.url, events=data.events, active=data.active)
        )

    @delete("/{webhook_id:uuid}", operation_id="deleteWebhook")
    async def remove(self, webhook_id: FromPath[UUID], caller: NamedDependency[BaseUser]) -> None:
        """Delete a webhook and its deliveries."""
        await webhook_endpoints.delete(await webhook_endpoints.owned_by(caller.id, webhook_id))

    @post("/{webhook_id:uuid}/secret/rotate", operation_id="rotateWebhookSecret", status_code=HTTP_200_OK)
    async def rotate_secret(
        self, webhook_id: FromPath[UUID], context: NamedDependency[RequestContext]
    ) -> Response[WebhookWithSecret]:
        """Create a new secret, which only this answer shows. The former secret signs too for 24 hours."""
        endpoint = await webhook_endpoints.owned_by(context.caller.id, webhook_id)

        async def make(reservation: Reservation | None) -> WebhookEndpoint:
            return await webhook_endpoints.rotate(endpoint, reservation=reservation)

        async def respond(rotated: WebhookEndpoint) -> Response[WebhookWithSecret]:
            return Response(webhook_with_secret(rotated))

        return await _once(context, make, webhook_endpoints.owned_by, respond)

    @post("/{webhook_id:uuid}/test", operation_id="testWebhook", status_code=HTTP_202_ACCEPTED)
    async def test(
        self, webhook_id: FromPath[UUID], context: NamedDependency[RequestContext]
    ) -> Response[DeliveryWithBody]:
        """Send the event `webhook.test` to a webhook, in the same way as other events."""
        endpoint = await webhook_endpoints.owned_by(context.caller.id, webhook_id)
        if not endpoint.active:
            raise webhook_endpoints.WebhookDisabled(f"webhook {webhook_id} is disabled")

        async def make(reservation: Reservation | None) -> WebhookDelivery:
            return await webhook_outbox.add_test(endpoint, request_id(), reservation)

        async def respond(sent: WebhookDelivery) -> Response[DeliveryWithBody]:
            return Response(delivery_with_body(sent), status_code=HTTP_202_ACCEPTED)

        return await _once(context, make, webhook_deliveries.owned_by, respond)

    @get("/secret", operation_id="getAccountSecret")
    async def account_secret(self, caller: NamedDependency[BaseUser]) -> AccountSecret:
        """Get the secret that signs events sent to the `webhook_url` of a job or batch."""
        return account_secret_view(await webhook_secrets.account_secret(caller.id))

    @post("/secret/rotate", operation_id="rotateAccountSecret", status_code=HTTP_200_OK)
    async def rotate_account_secret(
        self, context: NamedDependency[RequestContext]
    ) -> Response[AccountSecret]:
        """Create a new secret for events to a `webhook_url`. The former secret signs too for 24 hours."""

        async def make(reservation: Reservation | None) -> WebhookSecret:
            return await webhook_secrets.rotate_account_secret(context.caller.id, reservation=reservation)

        async def find(owner: int, _: UUID) -> WebhookSecret:
            return await webhook_secrets.account_secret(owner)

        async def respond(rotated: WebhookSecret) -> Response[AccountSecret]:
            return Response(account_secret_view(rotated))

        return await _once(context, make, find, respond)

    @get("/deliveries", operation_id="listDeliveries")
    async def list_deliveries(
        self,
        context: NamedDependency[RequestContext],
        status: FromQuery[DeliveryStatus | None] = None,
        event: FromQuery[str | None] = None,
        webhook: FromQuery[UUID | None] = None,
        subject: FromQuery[UUID | None] = None,
        after: FromQuery[UUID | None] = None,
        limit: Limit = 20,
    ) -> Response[list[DeliveryView]]:
        """List the caller's deliveries, newest first; `subject` is the job, batch or image of the event.

        Deliveries that succeeded or failed are kept for 30 days.
        """
        found, total = await webhook_deliveries.page(
            context.caller.id,
            status=status,
            event=event,
            webhook=webhook,
            subject=subject,
            limit=limit,
            after=after,
        )
        return listed([delivery_view(delivery) for delivery in found], context, total=total, limit=limit)

    @get("/deliveries/{delivery_id:uuid}", operation_id="getDelivery")
    async def get_delivery(
        self, delivery_id: FromPath[UUID], caller: NamedDependency[BaseUser]
    ) -> DeliveryWithBody:
        """Get one delivery, with its body."""
        return delivery_with_body(await webhook_deliveries.owned_by(caller.id, delivery_id))

    @post("/deliveries/{delivery_id:uuid}/redeliver", operation_id="redeliver", status_code=HTTP_202_ACCEPTED)
    async def redeliver(
        self, delivery_id: FromPath[UUID], caller: NamedDependency[BaseUser]
    ) -> DeliveryWithBody:
        """Send an event again, with the same id and body. Its retry schedule starts again."""
        return delivery_with_body(await webhook_deliveries.redeliver(caller.id, delivery_id))


async def _once(
    context: RequestContext,
    make: Callable[[Reservation | None], Awaitable[M]],
    owned_by: Callable[[int, UUID], Awaitable[M]],
    respond: Callable[[M], Awaitable[R]],
) -> R:
    async def find(effect: Effect) -> M:
        return await owned_by(context.caller.id, required(effect.subject))

    request_hash = fingerprint(context.request, await context.request.body())
    return await once(context, request_hash, make=make, find=find, respond=respond)

"""Webhooks of all accounts."""

from uuid import UUID

from litestar import Controller, Response, get, patch
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from apps.api.middleware.key_access import LOGIN_ONLY
from apps.api.openapi.document import LOGIN
from apps.api.operator_context import OperatorContext
from apps.api.responses.lists import Limit
from apps.api.responses.operator_lists import paged
from apps.api.responses.record_views import webhook_records
from libs.contracts.views.operator_records import SiteWebhook, WebhookSwitch
from libs.storage import site_lists, webhook_endpoints, webhook_outcomes


class AllWebhooks(Controller):
    """Webhooks of all accounts, with what became of their deliveries."""

    path = "/api/operator/webhooks"
    tags = ("Operators",)
    security = LOGIN
    opt = LOGIN_ONLY

    @get(operation_id="listAllWebhooks")
    async def list_webhooks(
        self,
        operator: NamedDependency[OperatorContext],
        owner: FromQuery[str | None] = None,
        active: FromQuery[bool | None] = None,
        after: FromQuery[UUID | None] = None,
        limit: Limit = 50,
    ) -> Response[list[SiteWebhook]]:
        """List webhooks of all accounts, newest first, without their secrets."""
        account = await site_lists.owner_of(owner)
        found, total = await webhook_outcomes.page(owner=account, active=active, after=after, limit=limit)
        return paged(await webhook_records(found), operator, total=total, limit=limit)

    @patch("/{webhook_id:uuid}", operation_id="switchAnyWebhook")
    async def switch(
        self,
        webhook_id: FromPath[UUID],
        data: JSONBody[WebhookSwitch],
        operator: NamedDependency[OperatorContext],
    ) -> SiteWebhook:
        """Disable a webhook, or enable it again. Disabling cancels its pending deliveries."""
        endpoint = await webhook_outcomes.by_id(webhook_id)
        changed = await webhook_endpoints.change(
            endpoint, url=None, events=None, active=data.active, reason=webhook_endpoints.BY_OPERATOR
        )
        [shown] = await webhook_records([changed])
        done = "enabled" if data.active else "disabled"
        await operator.note("webhook.change", webhook_id, f"{done} {shown.url} of {shown.owner}")
        return shown

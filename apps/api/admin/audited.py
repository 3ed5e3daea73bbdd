"""The audit log of the admin pages: hooks of Piccolo's tables, and what the admin API notes."""

from typing import Any
from uuid import UUID

from piccolo.columns import Column
from starlette.requests import Request

from apps.http.request_log import request_id
from libs.storage import audit
from libs.storage.database.tables import BaseUser

Values = dict[Column, Any]


async def note(request: Request, action: audit.Action, subject: object, detail: str = "") -> None:
    """Add what the operator of a request does to the audit log."""
    actor = audit.account(request.user.user)
    await audit.add(actor, action, subject, detail=detail, request_id=request_id())


async def account_created(row: BaseUser, request: Request) -> BaseUser:
    """Note a new account, which has no number yet."""
    await note(request, "account.create", row.username)
    return row


async def account_changed(row_id: int, values: Values, request: Request) -> Values:
    """Note a change to an account."""
    await note(request, "account.change", row_id, _names(values))
    return values


async def webhook_changed(row_id: UUID, values: Values, request: Request) -> Values:
    """Note a change to a webhook, which was made before: no names of columns are left."""
    await note(request, "webhook.change", row_id)
    return values


async def webhook_deleted(row_id: UUID, request: Request) -> None:
    """Note the end of a webhook."""
    await note(request, "webhook.delete", row_id)


async def key_revoked(row_id: UUID, request: Request) -> None:
    """Note the end of an API key."""
    await note(request, "key.revoke", row_id)


async def upload_token_revoked(row_id: UUID, request: Request) -> None:
    """Note the end of an upload token."""
    await note(request, "upload_token.revoke", row_id)


def _names(values: Values) -> str:
    """Name the columns that are set; their values may be secrets."""
    return ", ".join(column._meta.name for column in values)  # pyright: ignore[reportPrivateUsage]

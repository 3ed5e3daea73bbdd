"""Changes by operators: accounts and webhooks, under the same rules as the API."""

from typing import Any
from uuid import UUID

import msgspec
from piccolo.columns import Column
from piccolo_api.crud.endpoints import PiccoloCRUD
from starlette.exceptions import HTTPException
from starlette.requests import Request

from libs.backends import Backends
from libs.contracts.views.accounts import Password, Register, Username
from libs.contracts.views.webhooks import WebhookPatch
from libs.outbound import FetchError
from libs.storage import accounts, refresh_tokens, webhook_endpoints
from libs.storage.database.tables import BaseUser, WebhookEndpoint

Values = dict[Column, Any]

CHANGEABLE = ("url", "events", "active")  # of a webhook


def superusers_write(piccolo_crud: PiccoloCRUD, request: Request) -> None:
    """Validate that only a superuser changes accounts."""
    if request.method != "GET" and not request.user.user.superuser:
        raise HTTPException(403, "only superusers may change accounts")


async def check_account(piccolo_crud: PiccoloCRUD, request: Request) -> None:
    """Validate a new account. Piccolo hashes its password."""
    given: dict[str, Any] = await request.json()
    try:
        account = msgspec.convert({name: given.get(name) for name in Register.__struct_fields__}, Register)
    except msgspec.ValidationError as error:
        raise HTTPException(400, str(error)) from error
    await _check_name(account.username)


async def account_changes(row_id: int, values: Values) -> Values:
    """Validate changes to an account in a hook. A new password ends the account's logins."""
    changed = _by_name(values)
    if not changed.get("password"):
        values.pop(BaseUser.password, None)  # the form sends an empty password when it was not edited
        changed.pop("password", None)
    before = await accounts.by_ids([row_id])
    try:
        if before and changed.get("username", before[0].username) != before[0].username:
            await _check_name(msgspec.convert(changed["username"], Username), account=row_id)
            await accounts.retire(before[0].username, row_id)
        if "password" in changed:
            msgspec.convert(changed["password"], Password)
            await refresh_tokens.revoke_all_of(row_id)
    except msgspec.ValidationError as error:
        raise HTTPException(400, str(error)) from error
    return values


class WebhookChanges:
    """A hook that changes the URL, the events and the activity of a webhook, and nothing else."""

    def __init__(self, backends: Backends) -> None:
        self._guard = backends.guard

    async def of_row(self, row_id: UUID, values: Values) -> Values:
        """Change the webhook, and its pending deliveries in the same transaction, before Piccolo saves it."""
        changed = {name: value for name, value in _by_name(values).items() if name in CHANGEABLE}
        if isinstance(changed.get("events"), str):
            changed["events"] = msgspec.json.decode(changed["events"])  # Piccolo has validated the JSON
        try:
            patch = msgspec.convert(changed, WebhookPatch)
            if patch.url is not None:
                self._guard.check_url(patch.url)
        except (msgspec.ValidationError, FetchError) as error:
            raise HTTPException(400, str(error)) from error
        endpoint = await WebhookEndpoint.objects().get(WebhookEndpoint.id == row_id)
        if endpoint is None:
            raise HTTPException(404, "the webhook was deleted")
        updated = await webhook_endpoints.change(
            endpoint, url=patch.url, events=patch.events, active=patch.active
        )
        return {WebhookEndpoint.url: updated.url}


def _by_name(values: Values) -> dict[str, Any]:
    return {column._meta.name: value for column, value in values.items()}  # pyright: ignore[reportPrivateUsage]


async def _check_name(username: str, *, account: int | None = None) -> None:
    if not await accounts.is_free(username, account=account):
        raise HTTPException(400, f"the username {username} is taken")

"""What operators may change: accounts and webhooks, by the rules that hold for everybody."""

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

CHANGED = ("url", "events", "active")  # of a webhook


def superusers_write(piccolo_crud: PiccoloCRUD, request: Request) -> None:
    """A validator: others only look at accounts."""
    if request.method != "GET" and not request.user.user.superuser:
        raise HTTPException(403, "only superusers may change accounts")


async def check_account(piccolo_crud: PiccoloCRUD, request: Request) -> None:
    """A validator of new accounts; Piccolo hashes their passwords."""
    given: dict[str, Any] = await request.json()
    try:
        wanted = msgspec.convert({name: given.get(name) for name in Register.__struct_fields__}, Register)
    except msgspec.ValidationError as error:
        raise HTTPException(400, str(error)) from error
    _check_name(wanted.username)


async def account_changes(row_id: int, values: Values) -> Values:
    """A hook: names and passwords keep to the rules; a new password ends the account's logins."""
    wanted = _by_name(values)
    if not wanted.get("password"):
        values.pop(BaseUser.password, None)  # the form sends an empty one when nobody typed any
        wanted.pop("password", None)
    before = await accounts.by_ids([row_id])
    try:
        if before and wanted.get("username", before[0].username) != before[0].username:
            _check_name(msgspec.convert(wanted["username"], Username))
        if "password" in wanted:
            msgspec.convert(wanted["password"], Password)
            await refresh_tokens.revoke_all_of(row_id)
    except msgspec.ValidationError as error:
        raise HTTPException(400, str(error)) from error
    return values


class WebhookChanges:
    """A hook: address, events and whether it is active; nothing else of a webhook is changed by hand."""

    def __init__(self, backends: Backends) -> None:
        self._guard = backends.guard

    async def of_row(self, row_id: UUID, values: Values) -> Values:
        """What was asked for, done already: what waits to be sent follows it in the same transaction."""
        wanted = {name: value for name, value in _by_name(values).items() if name in CHANGED}
        if isinstance(wanted.get("events"), str):
            wanted["events"] = msgspec.json.decode(wanted["events"])  # Piccolo has seen that it is JSON
        try:
            patch = msgspec.convert(wanted, WebhookPatch)
            if patch.url is not None:
                self._guard.check_url(patch.url)
        except (msgspec.ValidationError, FetchError) as error:
            raise HTTPException(400, str(error)) from error
        endpoint = await WebhookEndpoint.objects().get(WebhookEndpoint.id == row_id)
        if endpoint is None:
            raise HTTPException(404, "it was deleted meanwhile")
        done = await webhook_endpoints.change(
            endpoint, url=patch.url, events=patch.events, active=patch.active
        )
        return {WebhookEndpoint.url: done.url}


def _by_name(values: Values) -> dict[str, Any]:
    return {column._meta.name: value for column, value in values.items()}  # pyright: ignore[reportPrivateUsage]


def _check_name(username: str) -> None:
    if accounts.is_reserved(username):
        raise HTTPException(400, f"the username {username} is taken")

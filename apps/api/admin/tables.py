"""Which tables the admin pages show, and what may be done to their rows there."""

from typing import Any, NoReturn
from uuid import UUID

import msgspec
from piccolo.columns import Column
from piccolo.table import Table
from piccolo_admin.endpoints import TableConfig
from piccolo_api.crud.endpoints import OrderBy, PiccoloCRUD
from piccolo_api.crud.hooks import Hook, HookType
from piccolo_api.crud.validators import Validators
from starlette.exceptions import HTTPException
from starlette.requests import Request

from libs.contracts.views import Password, Register, Username
from libs.storage import accounts, tokens
from libs.storage.tables import (
    BaseUser,
    Batch,
    Image,
    Job,
    ProductImage,
    RefreshToken,
    WebhookDelivery,
    WebhookEndpoint,
)

WORK, NOTICES, PEOPLE = "Images and jobs", "Notices", "People"


def table_configs() -> list[TableConfig]:
    """Records of fact can be read; accounts and endpoints can be changed."""
    return [
        _record(
            Image,
            WORK,
            shown="object_key owner filename status format width height size_bytes created_at id",
            filters="status owner created_at format retention filename md5 parent expires_at id",
        ),
        _record(
            Job,
            WORK,
            shown="image result kind status owner error_code error attempts created_at id",
            filters="status owner created_at kind error_code priority batch image finished_at id",
        ),
        _record(
            Batch,
            WORK,
            shown="filename owner status total completed failed created_at finished_at id",
            filters="status owner created_at filename finished_at id",
        ),
        _record(
            ProductImage,
            WORK,
            shown="output input_url product_name serial_number position status error batch job id",
            filters="status batch product_name serial_number input_url id",
        ),
        _record(
            WebhookDelivery,
            NOTICES,
            shown="event url status owner attempts last_status_code last_error created_at id",
            filters="status owner created_at event url endpoint id",
        ),
        _record(
            RefreshToken,
            PEOPLE,
            shown="user family expires_at used_at revoked_at id",
            filters="user expires_at family id",
        ),
        TableConfig(
            WebhookEndpoint,
            menu_group=NOTICES,
            order_by=_newest(WebhookEndpoint),
            validators=Validators(post_single=[_refuse], put_single=[_refuse]),
            hooks=[Hook(HookType.pre_patch, _keep_secret)],
        ),
        TableConfig(
            BaseUser,
            menu_group=PEOPLE,
            order_by=_newest(BaseUser),
            validators=Validators(
                every=[_superusers_write],
                post_single=[_check_account],
                put_single=[_refuse],
                delete_single=[_refuse],
            ),
            hooks=[Hook(HookType.pre_patch, _check_change)],
        ),
    ]


def _record(table: type[Table], group: str, *, shown: str, filters: str) -> TableConfig:
    return TableConfig(
        table,
        visible_columns=_columns(table, shown),
        visible_filters=_columns(table, filters),
        menu_group=group,
        order_by=_newest(table),
        validators=Validators(
            post_single=[_refuse],
            put_single=[_refuse],
            patch_single=[_refuse],
            delete_single=[_refuse],
            delete_all=[_refuse],
        ),
    )


def _columns(table: type[Table], names: str) -> list[Column]:
    return [table._meta.get_column_by_name(name) for name in names.split()]  # pyright: ignore[reportPrivateUsage]


def _newest(table: type[Table]) -> list[OrderBy]:
    return [OrderBy(table._meta.primary_key, ascending=False)]  # pyright: ignore[reportPrivateUsage]


def _refuse(piccolo_crud: PiccoloCRUD, request: Request) -> NoReturn:
    raise HTTPException(405, "this cannot be changed here")


def _superusers_write(piccolo_crud: PiccoloCRUD, request: Request) -> None:
    if request.method != "GET" and not request.user.user.superuser:
        raise HTTPException(403, "only superusers may change accounts")


async def _check_account(piccolo_crud: PiccoloCRUD, request: Request) -> None:
    given: dict[str, Any] = await request.json()
    try:
        wanted = msgspec.convert({name: given.get(name) for name in Register.__struct_fields__}, Register)
    except msgspec.ValidationError as error:
        raise HTTPException(400, str(error)) from error
    if accounts.is_reserved(wanted.username):
        raise HTTPException(400, f"the username {wanted.username} is taken")


async def _check_change(row_id: int, values: dict[Column, Any]) -> dict[Column, Any]:
    """A new name or password is held to the rules for accounts; a new password ends the account's logins."""
    changed = {column._meta.name: value for column, value in values.items()}  # pyright: ignore[reportPrivateUsage]
    if not changed.get("password"):
        changed.pop("password", None)
        values.pop(BaseUser.password, None)
    before = await BaseUser.objects().get(BaseUser.id == row_id)
    assert before is not None  # noqa: S101 - the row was looked up a moment ago
    try:
        if changed.get("username", before.username) != before.username:
            name = msgspec.convert(changed["username"], Username)
            if accounts.is_reserved(name):
                raise HTTPException(400, f"the username {name} is taken")
        if "password" in changed:
            msgspec.convert(changed["password"], Password)
            await tokens.revoke_all_of(row_id)
    except msgspec.ValidationError as error:
        raise HTTPException(400, str(error)) from error
    return values


def _keep_secret(row_id: UUID, values: dict[Column, Any]) -> dict[Column, Any]:
    """The form does not know the secret, and sends none."""
    values.pop(WebhookEndpoint.secret, None)
    return values

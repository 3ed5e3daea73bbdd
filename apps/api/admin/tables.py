"""The tables of the admin pages, and which of their rows operators may change."""

from collections.abc import Awaitable, Callable, Iterable
from typing import NoReturn
from uuid import UUID

from msgspec import Struct
from piccolo.columns import Column
from piccolo.table import Table
from piccolo_admin.endpoints import TableConfig
from piccolo_api.crud.endpoints import OrderBy, PiccoloCRUD
from piccolo_api.crud.hooks import Hook, HookType
from piccolo_api.crud.validators import Validators
from starlette.exceptions import HTTPException
from starlette.requests import Request

from apps.api.admin import audited
from apps.api.admin.changes import (
    CHANGEABLE,
    WebhookChanges,
    account_changes,
    check_account,
    superusers_write,
)
from libs.backends import Backends
from libs.storage.database.delivery_tables import DeliveryKey, Preset, Rendition
from libs.storage.database.tables import (
    ApiKey,
    BaseUser,
    Batch,
    Image,
    Job,
    ProductImage,
    RefreshToken,
    WebhookDelivery,
    WebhookEndpoint,
)
from libs.storage.database.upload_tables import UploadToken

IMAGES_AND_JOBS, DELIVERY, WEBHOOKS, ACCOUNTS = "Images and jobs", "Images by URL", "Webhooks", "Accounts"

ACCOUNT = ("username", "password", "first_name", "last_name", "email", "active", "admin", "superuser")


class Access(Struct, frozen=True):
    """What operators may do with the rows of a table. The pages offer nothing else."""

    edit: tuple[str, ...] = ()  # the columns
    add: bool = False
    delete: bool = False


READ_ONLY = Access()
CHANGED: dict[type[Table], Access] = {
    ApiKey: Access(delete=True),
    UploadToken: Access(delete=True),
    WebhookEndpoint: Access(edit=CHANGEABLE, delete=True),
}


def access_of(tables: Iterable[type[Table]], *, superuser: bool) -> dict[str, Access]:
    """Return the access to each table, by its name."""
    changed = CHANGED | ({BaseUser: Access(edit=ACCOUNT, add=True)} if superuser else {})
    return {table._meta.tablename: changed.get(table, READ_ONLY) for table in tables}  # pyright: ignore[reportPrivateUsage]


def table_configs(backends: Backends) -> list[TableConfig]:
    """Configure the tables: accounts and webhooks can be changed, all others only read."""
    return [
        _record(
            Image,
            IMAGES_AND_JOBS,
            shown="object_key owner filename status format width height size_bytes created_at id",
            filters="status owner created_at format retention filename md5 parent expires_at id",
        ),
        _record(
            Job,
            IMAGES_AND_JOBS,
            shown="image result kind status owner error_code error attempts created_at id",
            filters="status owner created_at kind error_code priority batch image finished_at id",
        ),
        _record(
            Batch,
            IMAGES_AND_JOBS,
            shown="filename owner status total completed failed created_at finished_at id",
            filters="status owner created_at filename finished_at id",
        ),
        _record(
            ProductImage,
            IMAGES_AND_JOBS,
            shown="output input_url product_name serial_number position status error batch job id",
            filters="status batch product_name serial_number input_url id",
        ),
        _record(
            Preset,
            DELIVERY,
            shown="name owner operations public cache formats fallback created_at updated_at id",
            filters="owner name public cache created_at id",
        ),
        _record(
            DeliveryKey,
            DELIVERY,
            shown="key_id owner name created_at id",
            filters="owner key_id name created_at id",
        ),
        _record(
            Rendition,
            DELIVERY,
            shown="object_key image owner preset format width height size_bytes ready used_at created_at id",
            filters="owner image preset format ready size_bytes used_at created_at id",
        ),
        _record(
            WebhookDelivery,
            WEBHOOKS,
            shown="event url status owner attempts last_status_code last_error created_at id",
            filters="status owner created_at event url endpoint id",
        ),
        _record(
            RefreshToken,
            ACCOUNTS,
            shown="user family expires_at used_at revoked_at id",
            filters="user expires_at family id",
        ),
        _revocable(
            ApiKey,
            shown="key_id owner name scopes networks expires_at last_used_at created_at id",
            filters="owner key_id name expires_at last_used_at created_at id",
            on_delete=audited.key_revoked,
        ),
        _revocable(
            UploadToken,
            shown="token_id owner made_by max_bytes formats terms allowed used expires_at created_at id",
            filters="owner made_by token_id expires_at created_at id",
            on_delete=audited.upload_token_revoked,
        ),
        TableConfig(
            WebhookEndpoint,
            visible_columns=_columns(WebhookEndpoint, "url owner events active created_at id"),
            visible_filters=_columns(WebhookEndpoint, "owner active created_at url disabled_reason id"),
            menu_group=WEBHOOKS,
            order_by=_newest(WebhookEndpoint),
            validators=Validators(post_single=[_refuse], put_single=[_refuse]),
            hooks=[
                Hook(HookType.pre_patch, WebhookChanges(backends).of_row),
                Hook(HookType.pre_patch, audited.webhook_changed),
                Hook(HookType.pre_delete, audited.webhook_deleted),
            ],
        ),
        TableConfig(
            BaseUser,
            visible_columns=_columns(BaseUser, "username email active admin superuser last_login id"),
            menu_group=ACCOUNTS,
            order_by=_newest(BaseUser),
            validators=Validators(
                every=[superusers_write],
                post_single=[check_account],
                put_single=[_refuse],
                delete_single=[_refuse],
            ),
            hooks=[
                Hook(HookType.pre_save, audited.account_created),
                Hook(HookType.pre_patch, account_changes),
                Hook(HookType.pre_patch, audited.account_changed),
            ],
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


def _revocable(
    table: type[Table],
    *,
    shown: str,
    filters: str,
    on_delete: Callable[[UUID, Request], Awaitable[None]],
) -> TableConfig:
    """Configure a table of credentials: rows are read, and deleted one at a time."""
    return TableConfig(
        table,
        visible_columns=_columns(table, shown),
        visible_filters=_columns(table, filters),
        menu_group=ACCOUNTS,
        order_by=_newest(table),
        validators=Validators(
            post_single=[_refuse],
            put_single=[_refuse],
            patch_single=[_refuse],
            delete_all=[_refuse],
        ),
        hooks=[Hook(HookType.pre_delete, on_delete)],
    )


def _columns(table: type[Table], names: str) -> list[Column]:
    return [table._meta.get_column_by_name(name) for name in names.split()]  # pyright: ignore[reportPrivateUsage]


def _newest(table: type[Table]) -> list[OrderBy]:
    return [OrderBy(table._meta.primary_key, ascending=False)]  # pyright: ignore[reportPrivateUsage]


def _refuse(piccolo_crud: PiccoloCRUD, request: Request) -> NoReturn:
    raise HTTPException(405, "this cannot be changed on the admin pages")

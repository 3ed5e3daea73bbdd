"""The admin pages: Piccolo's, over the tables, for accounts marked `admin`."""

from typing import Any

from litestar import Request, asgi
from litestar.response import Redirect
from litestar.types import Receive, Scope, Send
from piccolo_admin.endpoints import TableConfig, create_admin

from libs.settings import Settings
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

RECORDS = (Image, Job, Batch, ProductImage, WebhookDelivery, RefreshToken)


def admin_routes(settings: Settings) -> list[Any]:
    """`/admin/` and the way there."""
    pages = create_admin(
        tables=[
            TableConfig(BaseUser),
            TableConfig(WebhookEndpoint),
            *(TableConfig(table) for table in RECORDS),
        ],
        production=settings.public_url.startswith("https://"),
        allowed_hosts=[settings.public_url] if settings.public_url else [],
        site_name="Darkroom",
    )

    @asgi("/admin/", is_mount=True, copy_scope=True)
    async def admin(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["raw_path"].endswith(b"/admin"):  # the page's own addresses are relative to the slash
            await Redirect("admin/").to_asgi_response(app=None, request=Request(scope))(scope, receive, send)
            return
        await pages(scope, receive, send)  # pyright: ignore[reportArgumentType] - the same protocol, typed twice

    return [admin]

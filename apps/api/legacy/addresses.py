"""Addresses that older clients write in their own way."""

import re

from litestar.types import ASGIApp, Receive, Scope, Send

GLUED = re.compile(r"^(/api/images/[0-9A-Fa-f-]{36})download(/?)$")


def with_old_spellings(app: ASGIApp) -> ASGIApp:
    """`app`, where `/api/images/<id>download` leads to `/api/images/<id>/download` too."""

    async def respelled(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope["path"] = GLUED.sub(r"\1/download\2", scope["path"])
        await app(scope, receive, send)

    return respelled

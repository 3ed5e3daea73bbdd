"""Whether the three backends serve."""

import asyncio
from collections.abc import Awaitable

from libs.backends import Backends
from libs.contracts.views.health import Health
from libs.storage.database import connection

PATIENCE_S = 3.0


async def health(backends: Backends) -> Health:
    """What database, object store and broker say, asked all at once."""
    parts = await asyncio.gather(
        _said(connection.ping()), _said(backends.objects.ping()), _said(backends.broker.ping())
    )
    ok = all(part == "ok" for part in parts)
    return Health(
        status="ok" if ok else "failing",
        database=parts[0],
        objects=parts[1],
        broker=parts[2],
        edits="on" if backends.settings.edits else "off",
    )


async def _said(asking: Awaitable[None]) -> str:
    try:
        async with asyncio.timeout(PATIENCE_S):
            await asking
    except Exception as error:  # noqa: BLE001 - whatever is wrong with it is the answer
        return f"failing: {type(error).__name__}"
    return "ok"

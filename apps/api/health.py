"""Whether this process lives, and whether it can serve."""

import asyncio
from collections.abc import Awaitable

from litestar import Controller, Response, get
from litestar.di import NamedDependency
from litestar.status_codes import HTTP_200_OK, HTTP_503_SERVICE_UNAVAILABLE

from libs.backends import Backends
from libs.contracts.views import Health
from libs.storage import database

PATIENCE_S = 3.0


class HealthChecks(Controller):
    """For load balancers and orchestrators."""

    path = "/health"
    tags = ("Health",)

    @get("/live")
    async def live(self) -> dict[str, str]:
        """The process answers."""
        return {"status": "ok"}

    @get("/ready")
    async def ready(self, backends: NamedDependency[Backends]) -> Response[Health]:
        """Database, object store and broker answer too; 503 names the one that does not."""
        parts = await asyncio.gather(
            _said(database.ping()), _said(backends.objects.ping()), _said(backends.broker.ping())
        )
        ok = all(part == "ok" for part in parts)
        health = Health(
            status="ok" if ok else "failing",
            database=parts[0],
            objects=parts[1],
            broker=parts[2],
            edits="on" if backends.settings.edits else "off",
        )
        return Response(health, status_code=HTTP_200_OK if ok else HTTP_503_SERVICE_UNAVAILABLE)


async def _said(asking: Awaitable[None]) -> str:
    try:
        await asyncio.wait_for(asking, PATIENCE_S)
    except Exception as error:  # noqa: BLE001 - whatever is wrong with it is the answer
        return f"failing: {type(error).__name__}"
    return "ok"

"""Routes for health checks."""

from litestar import Controller, Response, get
from litestar.di import NamedDependency
from litestar.status_codes import HTTP_200_OK, HTTP_503_SERVICE_UNAVAILABLE

from libs.backends import Backends
from libs.contracts.views.health import Health, Liveness


class HealthChecks(Controller):
    """Health checks for load balancers and orchestrators."""

    path = "/health"
    tags = ("Health",)

    @get("/live", operation_id="checkLive")
    async def live(self) -> Liveness:
        """Check that the process answers."""
        return Liveness(status="ok")

    @get("/ready", operation_id="checkReady")
    async def ready(self, backends: NamedDependency[Backends]) -> Response[Health]:
        """Check that database, object store and broker answer too; 503 names the one that does not."""
        found = await backends.health()
        ok = found.status == "ok"
        return Response(found, status_code=HTTP_200_OK if ok else HTTP_503_SERVICE_UNAVAILABLE)

"""CSV batches at the addresses of older clients."""

from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.status_codes import HTTP_202_ACCEPTED

from apps.api.context import RequestContext
from apps.api.legacy import TAGS
from apps.api.middleware.key_access import needs
from apps.api.middleware.query_parameters import ANY_PARAMETERS
from apps.api.openapi.document import BEARER
from apps.api.responses.batch_views import batch_view
from apps.api.routes.batches import create_batch
from libs.contracts.enums import Scope
from libs.contracts.views.batches import BatchView
from libs.storage import batches


class LegacyBatches(Controller):
    """CSV batches at the addresses of older clients."""

    tags = TAGS
    security = BEARER
    opt = needs(Scope.BATCHES) | ANY_PARAMETERS

    @post(
        ["/upload", "/api/upload"],
        status_code=HTTP_202_ACCEPTED,
        request_max_body_size=None,
    )
    async def upload(self, context: NamedDependency[RequestContext]) -> Response[BatchView]:
        """Upload a CSV file as with `POST /api/batches`."""
        return await create_batch(context)

    @get(["/status/{batch_id:uuid}", "/api/status/{batch_id:uuid}"])
    async def status(self, batch_id: FromPath[UUID], context: NamedDependency[RequestContext]) -> BatchView:
        """Get one batch, without its items."""
        batch = await batches.owned_by(context.caller.id, batch_id)
        return batch_view(batch, context.base_url)

"""CSV files, as an older service called them."""

from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.status_codes import HTTP_202_ACCEPTED

from apps.api.context import RequestContext
from apps.api.legacy import TAGS
from apps.api.openapi.document import BEARER, BatchOperation
from apps.api.responses.batch_views import batch_view
from apps.api.routes.batches import take
from libs.contracts.views.batches import BatchView
from libs.storage import batches


class OldBatches(Controller):
    """CSV files, as an older service called them."""

    tags = TAGS
    security = BEARER

    @post(
        ["/upload", "/api/upload"],
        operation_class=BatchOperation,
        status_code=HTTP_202_ACCEPTED,
        request_max_body_size=None,
    )
    async def upload(self, context: NamedDependency[RequestContext]) -> Response[BatchView]:
        """As `POST /api/batches`."""
        return await take(context)

    @get(["/status/{batch_id:uuid}", "/api/status/{batch_id:uuid}"])
    async def status(self, batch_id: FromPath[UUID], context: NamedDependency[RequestContext]) -> BatchView:
        """How far a batch is."""
        batch = await batches.owned_by(context.caller.id, batch_id)
        return batch_view(batch, context.base_url)

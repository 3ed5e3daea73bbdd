"""Images, batches and webhook deliveries of all accounts."""

from uuid import UUID

from litestar import Controller, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.status_codes import HTTP_202_ACCEPTED, HTTP_204_NO_CONTENT
from msgspec import structs

from apps.api.middleware.key_access import LOGIN_ONLY
from apps.api.openapi.document import LOGIN
from apps.api.operator_context import OperatorContext
from apps.api.responses.batch_views import batch_detail
from apps.api.responses.lists import Limit
from apps.api.responses.operator_lists import paged
from apps.api.responses.record_views import batch_records, delivery_records, image_records
from apps.http.request_log import request_id
from libs.batches import create
from libs.batches.create import RetryBatch
from libs.contracts.enums import BatchStatus, DeliveryStatus, ItemStatus
from libs.contracts.views.operator_records import (
    OwnedBatchDetail,
    OwnedBatchView,
    OwnedDeliveryView,
    SiteImage,
)
from libs.images import expiry
from libs.storage import accounts, batches, images, site_lists, webhook_deliveries
from libs.storage.image_errors import ImageNotFound

ITEMS = 100  # shown of a batch


class AllRecords(Controller):
    """Images, batches and webhook deliveries of all accounts."""

    path = "/api/operator"
    tags = ("Operators",)
    security = LOGIN
    opt = LOGIN_ONLY

    @get("/images", operation_id="listAllImages")
    async def list_images(
        self,
        operator: NamedDependency[OperatorContext],
        owner: FromQuery[str | None] = None,
        filename: FromQuery[str | None] = None,
        image: FromQuery[UUID | None] = None,
        after: FromQuery[UUID | None] = None,
        limit: Limit = 50,
    ) -> Response[list[SiteImage]]:
        """List images of all accounts, newest first."""
        found, total = await site_lists.page_of_images(
            owner=await site_lists.owner_of(owner),
            filename=filename,
            image_id=image,
            after=after,
            limit=limit,
        )
        return paged(await image_records(found, operator.addresses), operator, total=total, limit=limit)

    @delete("/images/{image_id:uuid}", operation_id="deleteAnyImage", status_code=HTTP_204_NO_CONTENT)
    async def delete_image(
        self, image_id: FromPath[UUID], operator: NamedDependency[OperatorContext]
    ) -> None:
        """Delete an image and its file, and cancel its jobs."""
        image = await images.by_id(image_id)
        if image is None:
            raise ImageNotFound(f"there is no image {image_id}")
        [owner] = await accounts.by_ids([image.owner])
        await operator.note("image.delete", image_id, f"{image.filename} of {owner.username}")
        await expiry.delete(image, owner, operator.backends)

    @get("/batches", operation_id="listAllBatches")
    async def list_batches(
        self,
        operator: NamedDependency[OperatorContext],
        owner: FromQuery[str | None] = None,
        status: FromQuery[BatchStatus | None] = None,
        after: FromQuery[UUID | None] = None,
        limit: Limit = 50,
    ) -> Response[list[OwnedBatchView]]:
        """List batches of all accounts, newest first."""
        account = await site_lists.owner_of(owner)
        found, total = await site_lists.page_of_batches(
            owner=account, status=status, after=after, limit=limit
        )
        return paged(await batch_records(found, operator.base_url), operator, total=total, limit=limit)

    @get("/batches/{batch_id:uuid}", operation_id="getAnyBatch")
    async def get_batch(
        self,
        batch_id: FromPath[UUID],
        operator: NamedDependency[OperatorContext],
        status: FromQuery[ItemStatus | None] = None,
    ) -> OwnedBatchDetail:
        """Get one batch with its failures by code, and its first hundred items."""
        return await _detail(batch_id, operator, status)

    @post("/batches/{batch_id:uuid}/retry", operation_id="retryAnyBatch", status_code=HTTP_202_ACCEPTED)
    async def retry_batch(
        self, batch_id: FromPath[UUID], operator: NamedDependency[OperatorContext]
    ) -> OwnedBatchDetail:
        """Run the failed items of a batch again."""
        batch = await batches.by_id(batch_id)
        [owner] = await accounts.by_ids([batch.owner])
        command = RetryBatch(owner=owner, batch=batch, request_id=request_id())
        await create.retry_batch(command, operator.backends)
        await operator.note("batch.retry", batch_id, f"{batch.filename} of {owner.username}")
        return await _detail(batch_id, operator)

    @delete("/batches/{batch_id:uuid}", operation_id="deleteAnyBatch", status_code=HTTP_204_NO_CONTENT)
    async def delete_batch(
        self, batch_id: FromPath[UUID], operator: NamedDependency[OperatorContext]
    ) -> None:
        """Cancel the batch's unfinished jobs, and delete the batch with its jobs and outputs."""
        batch = await batches.by_id(batch_id)
        [owner] = await accounts.by_ids([batch.owner])
        await operator.note("batch.delete", batch_id, f"{batch.filename} of {owner.username}")
        await create.delete(batch, owner, operator.backends)

    @get("/deliveries", operation_id="listAllDeliveries")
    async def list_deliveries(
        self,
        operator: NamedDependency[OperatorContext],
        owner: FromQuery[str | None] = None,
        status: FromQuery[DeliveryStatus | None] = None,
        webhook: FromQuery[UUID | None] = None,
        after: FromQuery[UUID | None] = None,
        limit: Limit = 50,
    ) -> Response[list[OwnedDeliveryView]]:
        """List webhook deliveries of all accounts, newest first, without their bodies."""
        account = await site_lists.owner_of(owner)
        found, total = await site_lists.page_of_deliveries(
            owner=account, status=status, webhook=webhook, after=after, limit=limit
        )
        return paged(await delivery_records(found), operator, total=total, limit=limit)

    @post(
        "/deliveries/{delivery_id:uuid}/redeliver",
        operation_id="redeliverAny",
        status_code=HTTP_202_ACCEPTED,
    )
    async def redeliver(
        self, delivery_id: FromPath[UUID], operator: NamedDependency[OperatorContext]
    ) -> OwnedDeliveryView:
        """Send an event again, with the same id and body. Its retry schedule starts again."""
        delivery = await webhook_deliveries.redeliver_any(delivery_id)
        await operator.note("delivery.redeliver", delivery_id, f"{delivery.event} to {delivery.url}")
        return (await delivery_records([delivery]))[0]


async def _detail(
    batch_id: UUID, operator: OperatorContext, status: ItemStatus | None = None
) -> OwnedBatchDetail:
    batch = await batches.by_id(batch_id)
    items, _ = await batches.items(batch.id, status=status, limit=ITEMS, after=None)
    errors = await batches.errors_of(batch.id)
    shown = batch_detail(batch, items, errors, operator.base_url, operator.settings)
    owner = (await site_lists.names_of([batch.owner]))[batch.owner]
    return OwnedBatchDetail(**structs.asdict(shown), owner=owner)

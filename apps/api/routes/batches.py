"""Routes for CSV batches."""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from pathlib import PurePath
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from litestar.response import ServerSentEvent, ServerSentEventMessage, Stream
from litestar.status_codes import HTTP_201_CREATED, HTTP_202_ACCEPTED
from msgspec.structs import replace

from apps.api.context import RequestContext
from apps.api.middleware.idempotency import fingerprint, once, required
from apps.api.middleware.key_access import needs, require_scope
from apps.api.middleware.stream_access import BY_TICKET
from apps.api.openapi.document import BEARER
from apps.api.responses.batch_views import batch_detail, batch_view, lasting_link
from apps.api.responses.event_streams import OpenStream
from apps.api.responses.files import attachment
from apps.api.responses.lists import Limit, last_of, listed, page_headers
from apps.api.responses.stream_tickets import has_seen, new_ticket, no_more_events
from apps.api.uploads.errors import BadUpload
from apps.api.uploads.image_request import names_from_text
from apps.api.uploads.multipart_form import Form, FormShape, received_form
from apps.http.request_log import request_id
from libs.backends import Backends
from libs.batches import create, export
from libs.batches.create import CreateBatch, RetryBatch
from libs.batches.of_images import TransformImages, transform_images
from libs.batches.stored_sheet import decode_head
from libs.contracts.enums import BatchStatus, ItemStatus, OnMissingImage, Retention, Scope
from libs.contracts.views.batches import BatchDetail, BatchView
from libs.contracts.views.images import TransformManyRequest
from libs.contracts.views.request_body import Operations
from libs.contracts.views.streams import EventTicket
from libs.delivery.presets import with_preset
from libs.storage import batches
from libs.storage.database.tables import BaseUser, Batch
from libs.storage.idempotency import Effect, Reservation

STREAM_S = 3600.0  # the longest that an event stream stays open; clients reconnect
FIELDS = (*("webhook_url", "operations", "preset", "retention", "public", "renditions", "on_missing_image"),)

ItemsLimit = Annotated[int, QueryParameter(ge=0, le=100, description="How many items at most")]


class Batches(Controller):
    """Batches: images whose URLs are listed in one CSV file, or many stored images."""

    path = "/api/batches"
    tags = ("Batches",)
    security = BEARER
    opt = needs(Scope.BATCHES)

    @post(operation_id="createBatch", status_code=HTTP_202_ACCEPTED, request_max_body_size=None)
    async def create(self, context: NamedDependency[RequestContext]) -> Response[BatchView]:
        """Upload a CSV file of products. A file with errors is refused as a whole, with a list of them."""
        return await create_batch(context)

    @post("/transform", operation_id="transformImages", status_code=HTTP_202_ACCEPTED)
    async def transform(
        self, data: JSONBody[TransformManyRequest], context: NamedDependency[RequestContext]
    ) -> Response[BatchView]:
        """Queue operations over many stored images as one batch."""
        require_scope(context.request, Scope.IMAGES_WRITE)

        async def make(reservation: Reservation | None) -> Batch:
            command = TransformImages(
                owner=context.caller,
                image_ids=data.ids,
                operations=await with_preset(context.caller.id, data.preset, data.operations) or (),
                name=data.name,
                retention=data.retention,
                on_missing_image=data.on_missing_image,
                webhook_url=data.webhook_url,
                base_url=context.base_url,
                request_id=request_id(),
                reservation=reservation,
            )
            return await transform_images(command, context.backends)

        body = await context.request.body()
        return await _accepted_once(context, fingerprint(context.request, body), make)

    @get(operation_id="listBatches")
    async def list_batches(
        self,
        context: NamedDependency[RequestContext],
        status: FromQuery[BatchStatus | None] = None,
        after: FromQuery[UUID | None] = None,
        limit: Limit = 20,
    ) -> Response[list[BatchView]]:
        """List the caller's batches, newest first."""
        found, total = await batches.page(context.caller.id, status=status, limit=limit, after=after)
        return listed(
            [batch_view(batch, context.base_url) for batch in found], context, total=total, limit=limit
        )

    @get("/{batch_id:uuid}", operation_id="getBatch")
    async def get_batch(
        self,
        batch_id: FromPath[UUID],
        context: NamedDependency[RequestContext],
        status: FromQuery[ItemStatus | None] = None,
        after: FromQuery[UUID | None] = None,
        limit: ItemsLimit = 20,
    ) -> Response[BatchDetail]:
        """Get one batch with its failures by code, and a page of its items in the order of the file."""
        batch = await batches.owned_by(context.caller.id, batch_id)
        items, total = await batches.items(batch.id, status=status, limit=limit, after=after)
        detail = batch_detail(
            batch, items, await batches.errors_of(batch.id), context.base_url, context.settings
        )
        headers = page_headers(context, total=total, following=last_of(detail.items, limit))
        return Response(detail, headers=headers)

    @get(
        "/{batch_id:uuid}/output.csv",
        operation_id="downloadBatchOutput",
        media_type="text/csv",
        opt=BY_TICKET,
    )
    async def output_csv(
        self,
        batch_id: FromPath[UUID],
        context: NamedDependency[RequestContext],
        ticket: FromQuery[str | None] = None,
    ) -> Stream:
        """Download the input's columns with the outputs' URLs and the errors, also while the batch runs.

        `ticket`, one of the batch's events, takes the place of a header, for browsers.
        """
        batch = await batches.owned_by(context.caller.id, batch_id)

        def link(item: batches.Output) -> str:
            return lasting_link(item.output, context.base_url, context.settings) or ""

        charset = decode_head(batch.columns).dialect.encoding.charset
        return _file(export.output_csv(batch, link), batch, "text/csv", "-output.csv", encoding=charset)

    @get(
        "/{batch_id:uuid}/archive.zip",
        operation_id="downloadBatchArchive",
        media_type="application/zip",
        opt=BY_TICKET,
    )
    async def archive(
        self,
        batch_id: FromPath[UUID],
        caller: NamedDependency[BaseUser],
        backends: NamedDependency[Backends],
        ticket: FromQuery[str | None] = None,
    ) -> Stream:
        """Download all outputs in one file, also while the batch runs. `ticket` is as for the CSV file."""
        batch = await batches.owned_by(caller.id, batch_id)
        return _file(export.archive(batch, backends.objects), batch, "application/zip", ".zip")

    @get("/{batch_id:uuid}/events", operation_id="streamBatch", media_type="text/event-stream", opt=BY_TICKET)
    async def events(
        self,
        batch_id: FromPath[UUID],
        context: NamedDependency[RequestContext],
        ticket: FromQuery[str | None] = None,
    ) -> ServerSentEvent | Response[Any]:
        """Stream the batch and its changes as server-sent events. The stream closes when it has ended.

        Events are named after the status, in lower case and without spaces: `in_process`. `ticket` takes the
        place of a header, for browsers. A client that reconnects after the last event is answered with 204.
        """
        batch = await batches.owned_by(context.caller.id, batch_id)
        if batch.status not in batches.UNFINISHED and has_seen(context.request, _event_id(batch)):
            return no_more_events()
        opened = context.event_streams.open_stream(context.caller.id)
        return ServerSentEvent(_changes(context, batch, opened), headers={"Cache-Control": "no-store"})

    @post("/{batch_id:uuid}/events/ticket", operation_id="createBatchTicket", status_code=HTTP_201_CREATED)
    async def ticket(self, batch_id: FromPath[UUID], context: NamedDependency[RequestContext]) -> EventTicket:
        """Create a ticket that opens the events and files of the batch for ten minutes, without a header."""
        batch = await batches.owned_by(context.caller.id, batch_id)
        return new_ticket(batch.id, context)

    @post("/{batch_id:uuid}/retry", operation_id="retryBatch", status_code=HTTP_202_ACCEPTED)
    async def retry(
        self, batch_id: FromPath[UUID], context: NamedDependency[RequestContext]
    ) -> Response[BatchView]:
        """Run the failed items again."""
        batch = await batches.owned_by(context.caller.id, batch_id)

        async def make(reservation: Reservation | None) -> Batch:
            command = RetryBatch(
                owner=context.caller, batch=batch, request_id=request_id(), reservation=reservation
            )
            return await create.retry_batch(command, context.backends)

        return await _accepted_once(context, fingerprint(context.request), make)

    @delete("/{batch_id:uuid}", operation_id="deleteBatch")
    async def remove(
        self, batch_id: FromPath[UUID], caller: NamedDependency[BaseUser], backends: NamedDependency[Backends]
    ) -> None:
        """Cancel the batch's unfinished jobs, and delete the batch with its jobs and outputs."""
        await create.delete(await batches.owned_by(caller.id, batch_id), caller, backends)


async def create_batch(context: RequestContext) -> Response[BatchView]:
    """Create a batch from the CSV file of a form."""
    shape = FormShape(files=("file",), fields=FIELDS, max_file_bytes=context.settings.csv_max_bytes)
    async with received_form(context.request, context.backends.scratch, shape) as form:
        command = _command(form, context)
        file = form.files["file"]
        request_hash = fingerprint(context.request, file.md5, file.filename, *sorted(form.fields.items()))

        async def make(reservation: Reservation | None) -> Batch:
            operations = await with_preset(
                context.caller.id, form.fields.get("preset") or None, command.operations
            )
            complete = replace(command, operations=operations, reservation=reservation)
            return await create.create_batch(complete, context.backends)

        return await _accepted_once(context, request_hash, make)


async def _accepted_once(
    context: RequestContext, request_hash: str, make: Callable[[Reservation | None], Awaitable[Batch]]
) -> Response[BatchView]:
    async def find(effect: Effect) -> Batch:
        return await batches.owned_by(context.caller.id, required(effect.subject))

    async def respond(batch: Batch) -> Response[BatchView]:
        return _accepted(batch, context)

    return await once(context, request_hash, make=make, find=find, respond=respond)


def _command(form: Form, context: RequestContext) -> CreateBatch:
    if "file" not in form.files:
        raise BadUpload("the form has no file `file`")
    file = form.files["file"]
    return CreateBatch(
        owner=context.caller,
        path=file.path,
        filename=file.filename.replace("\\", "/").rpartition("/")[2] or "batch.csv",
        operations=form.value("operations", Operations),
        retention=form.choice("retention", Retention) or Retention.KEEP,
        public=form.value("public", bool) or False,
        renditions=form.read("renditions", names_from_text) or (),
        on_missing_image=form.choice("on_missing_image", OnMissingImage) or OnMissingImage.REFUSE,
        webhook_url=form.fields.get("webhook_url") or None,
        request_id=request_id(),
    )


def _accepted(batch: Batch, context: RequestContext) -> Response[BatchView]:
    view = batch_view(batch, context.base_url)
    return Response(view, status_code=HTTP_202_ACCEPTED, headers={"Location": view.url})


def _file(
    content: AsyncIterator[bytes], batch: Batch, kind: str, ending: str, *, encoding: str = "utf-8"
) -> Stream:
    return attachment(content, PurePath(batch.filename).stem + ending, kind, encoding=encoding)


def _event_id(batch: Batch) -> str:
    return f"{_event_name(batch)}-{batch.completed}-{batch.failed}"


def _event_name(batch: Batch) -> str:
    return str(batch.status).lower().replace(" ", "_")


async def _changes(
    context: RequestContext, batch: Batch, _opened: OpenStream
) -> AsyncGenerator[ServerSentEventMessage, None]:
    async for state in context.event_streams.batch_states(batch, within_s=STREAM_S):
        view = batch_view(state, context.base_url)
        data = msgspec.json.encode(view).decode()
        yield ServerSentEventMessage(data=data, event=_event_name(state), id=_event_id(state))

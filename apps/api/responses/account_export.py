"""The records of an account as JSON lines, and its originals, one after the other for a ZIP file."""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, TypeAlias, TypeVar, cast
from uuid import UUID

import msgspec

from apps.api.context import RequestContext
from apps.api.responses.account_views import account_view
from apps.api.responses.api_key_views import api_key_view
from apps.api.responses.batch_views import batch_view
from apps.api.responses.image_views import views_of
from apps.api.responses.job_views import job_views_of
from apps.api.responses.preset_views import preset_view
from apps.api.responses.webhook_views import webhook_view
from libs.imaging.formats import FORMATS, FormatName
from libs.runtime.zip_stream import Entry
from libs.storage import api_keys, batches, image_list, jobs, presets, webhook_endpoints
from libs.storage.database.tables import Image, Job
from libs.storage.image_list import Filter, Place
from libs.storage.objects import ObjectNotFound

PAGE = 100  # rows at once

R = TypeVar("R")
Views: TypeAlias = Sequence[Any]
Page: TypeAlias = Awaitable[tuple[list[R], int]]


async def account_entries(context: RequestContext, *, originals: bool) -> AsyncGenerator[Entry]:
    """Yield the files of an export: the records as the API shows them, and with `originals` the uploads."""
    yield "account.json", _once(msgspec.json.encode(account_view(context.caller)))
    for name, read in RECORDS.items():
        yield name, _lines(read(context))
    if originals:
        async for page in _images(context.caller.id):
            for image in page:
                if image.parent is None:
                    async for entry in _original(image, context):
                        yield entry


async def _image_views(context: RequestContext) -> AsyncGenerator[Views]:
    async for page in _images(context.caller.id):
        yield await views_of(page, context.addresses)


async def _job_views(context: RequestContext) -> AsyncGenerator[Views]:
    def read(after: UUID | None) -> Page[Job]:
        return jobs.page(context.caller.id, limit=PAGE, after=after)

    async for page in _pages(read):
        yield await job_views_of(page, context.base_url)


async def _batch_views(context: RequestContext) -> AsyncGenerator[Views]:
    owner = context.caller.id
    async for page in _pages(lambda after: batches.page(owner, status=None, limit=PAGE, after=after)):
        yield [batch_view(batch, context.base_url) for batch in page]


async def _preset_views(context: RequestContext) -> AsyncGenerator[Views]:
    owner = context.caller.id
    async for page in _pages(lambda after: presets.page(owner, limit=PAGE, after=after), key="name"):
        yield [preset_view(preset) for preset in page]


async def _webhook_views(context: RequestContext) -> AsyncGenerator[Views]:
    owner = context.caller.id
    async for page in _pages(lambda after: webhook_endpoints.page(owner, limit=PAGE, after=after)):
        yield [webhook_view(endpoint) for endpoint in page]


async def _key_views(context: RequestContext) -> AsyncGenerator[Views]:
    owner = context.caller.id
    async for page in _pages(lambda after: api_keys.page(owner, limit=PAGE, after=after)):
        yield [api_key_view(key) for key in page]


async def _pages(read: Callable[[Any], Page[R]], *, key: str = "id") -> AsyncGenerator[list[R]]:
    """Yield the pages of a list, each of which follows the last row of the one before."""
    after: Any = None
    while True:
        found, _ = await read(after)
        if found:
            yield found
        if len(found) < PAGE:
            return
        after = getattr(found[-1], key)


async def _images(owner: int) -> AsyncGenerator[list[Image]]:
    async for page in _pages(
        lambda after: image_list.page(owner, Filter(), limit=PAGE, after=after and Place(after))
    ):
        yield page


async def _lines(pages: AsyncIterator[Views]) -> AsyncGenerator[bytes]:
    async for page in pages:
        yield b"".join(msgspec.json.encode(view) + b"\n" for view in page)


async def _original(image: Image, context: RequestContext) -> AsyncGenerator[Entry]:
    """Yield the file of an image; nothing once it is gone. It does not count as a download."""
    extension = FORMATS[cast("FormatName", image.format)].extension
    try:
        async with context.backends.objects.read(image.object_key) as chunks:
            yield f"originals/{image.id}.{extension}", chunks
    except ObjectNotFound:
        return


async def _once(content: bytes) -> AsyncGenerator[bytes]:
    yield content


RECORDS: dict[str, Callable[[RequestContext], AsyncIterator[Views]]] = {
    "images.jsonl": _image_views,
    "jobs.jsonl": _job_views,
    "batches.jsonl": _batch_views,
    "presets.jsonl": _preset_views,
    "webhooks.jsonl": _webhook_views,
    "api-keys.jsonl": _key_views,
}

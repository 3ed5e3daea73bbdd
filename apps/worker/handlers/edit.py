"""Having a model edit an image: everything before the call may be repeated, the call itself never.

The call is marked in the database before it is made. Whoever finds the mark of a call that nobody knows the
end of fails the job instead of calling again.
"""

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import TypeVar

import structlog

from apps.worker.handlers.edit_results import Order, deliver, format_of, new_image
from apps.worker.handlers.transform import WorkerPool, limits_of
from libs.backends import Backends
from libs.contracts.commands import EditImage
from libs.edits.errors import EditBadResponse, EditError, EditTimedOut
from libs.edits.provider import Answer, Made, Options, Picture, Provider
from libs.images import expiry, watermark_sources
from libs.imaging import edit_model_files
from libs.imaging.edit_model_files import Prepared
from libs.imaging.errors import SourceFault
from libs.imaging.operations import Convert
from libs.imaging.render_and_describe import DescribedResult
from libs.jobs.admission import EditsNotConfigured
from libs.runtime.background import run_to_completion
from libs.storage import edit_calls, images, leases
from libs.storage.database.errors import DatabaseUnavailable
from libs.storage.database.tables import Image
from libs.storage.image_errors import ImageNotFound
from libs.storage.jobs import Failure
from libs.storage.leases import Claim, LostLease
from libs.storage.objects import StoreUnavailable

MAX_RETRIES = 2  # of a call that surely did not run
STOP_GRACE_S = 4.0  # that a call under way has when its worker is to stop
MASK = "mask.png"

MAY_HAVE_RUN = "while the call was under way: it may have run and been paid for, so it is not made again"
LOST = f"the worker was lost {MAY_HAVE_RUN}"
STOPPED = f"the worker was stopped {MAY_HAVE_RUN}"

T = TypeVar("T")

log = structlog.get_logger(__name__)


async def edit(message: EditImage, claim: Claim, pool: WorkerPool, provider: Provider | None) -> Image:
    """Make the call and store its images; the first of them.

    Raises:
        EditError: `not_run` is set where the job may be tried again.
    """
    if provider is None:
        raise EditsNotConfigured
    if await edit_calls.may_have_run(claim.job_id):
        raise EditTimedOut(LOST)
    folder = pool.backends.scratch / f"{claim.job_id}.{claim.attempt}"
    order = Order(message, await _source(message), claim, pool, folder)
    await asyncio.to_thread(folder.mkdir)
    try:
        prepared = await _prepared(order, order.source, provider) if order.source else None
        if claim.attempt > 1:
            await expiry.clear_attempts(message, claim.created_at, pool.backends)
        return await run_to_completion(_called(order, prepared, provider), grace_s=STOP_GRACE_S)
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


async def _source(message: EditImage) -> Image | None:
    if message.source is None:
        return None
    source = await images.by_id(message.source.image_id)
    if source is None:
        raise ImageNotFound(f"there is no image {message.source.image_id}")
    return source


async def _prepared(order: Order, source: Image, provider: Provider) -> Prepared:
    """Make the files to send."""
    backends, mask_id = order.pool.backends, order.message.edit.mask
    async with AsyncExitStack() as stack:
        path = await stack.enter_async_context(watermark_sources.file_of(source, backends))
        mask = None
        if mask_id is not None:
            stored = await images.owned_by(order.claim.owner, mask_id)
            mask = await stack.enter_async_context(watermark_sources.file_of(stored, backends))
        return await order.pool.processes.run(
            backends.settings.job_timeout_s,
            edit_model_files.prepare,
            path,
            mask,
            order.folder,
            provider.demands,
            limits_of(backends),
        )


async def _called(order: Order, prepared: Prepared | None, provider: Provider) -> Image:
    """From the call on: what is begun here has its price, and is not begun again."""
    claim, backends = order.claim, order.pool.backends
    pictures = await asyncio.to_thread(_pictures, prepared)
    calls = await edit_calls.start_call(claim)
    if calls is None:
        raise EditTimedOut(LOST)
    log.info("edit_called", calls=calls)
    try:
        answer = await _answer(order, pictures, provider, calls=calls)
        count = len(answer.images)
        await _patiently(lambda: edit_calls.note_answer(claim, answer.tokens, count=count), backends)
        finished = await _finished(order, prepared, answer)
        results = [new_image(order, number, one, answer) for number, one in enumerate(finished)]
        await _patiently(lambda: deliver(order, results), backends)
    except asyncio.CancelledError:
        with suppress(
            LostLease, DatabaseUnavailable
        ):  # cancelled by its owner, or for its next holder to tell
            await leases.fail(claim, Failure(EditTimedOut.code, STOPPED))
        raise
    return results[0]


async def _answer(
    order: Order, pictures: tuple[Picture | None, Picture | None], provider: Provider, *, calls: int
) -> Answer:
    """Call; that it did not run is noted before anybody may try again."""
    claim, wish = order.claim, order.message.edit
    options = Options(n=wish.n, size=wish.size, quality=wish.quality, background=wish.background)
    try:
        return await provider.edit(*pictures, wish.prompt, options, reference=str(claim.job_id))
    except EditError as error:
        log.warning("edit_failed", error_code=error.code, error=str(error), cause=repr(error.__cause__))
        if error.not_run:
            await edit_calls.note_not_run(claim)
            error.not_run = calls <= MAX_RETRIES
        raise


async def _finished(order: Order, prepared: Prepared | None, answer: Answer) -> list[DescribedResult]:
    """Make the answer's images into files of the format asked for.

    Raises:
        EditBadResponse: One of them is no image.
    """
    backends, message = order.pool.backends, order.message
    steps = (Convert(format=format_of(order)), *message.operations)
    found: list[DescribedResult] = []
    async with watermark_sources.opened(message.operations, order.claim.owner, backends) as others:
        for number, made in enumerate(answer.images):
            path = await asyncio.to_thread(_write, made, order.folder / f"answer-{number}")
            try:
                finished = await order.pool.processes.run(
                    backends.settings.job_timeout_s,
                    edit_model_files.finish,
                    path,
                    order.file(number),
                    steps,
                    limits_of(backends),
                    window=prepared.window if prepared else None,
                    assets=others,
                )
            except SourceFault as error:
                raise EditBadResponse(f"the vendor's answer is no image that can be used: {error}") from error
            found.append(finished)
    return found


async def _patiently(step: Callable[[], Awaitable[T]], backends: Backends) -> T:
    """Repeat a step while a backend is away: what has been paid for is worth waiting for."""
    settings = backends.settings
    for attempt in range(1, settings.max_attempts):
        try:
            return await step()
        except (StoreUnavailable, DatabaseUnavailable, OSError) as error:
            log.warning("edit_waits", attempt=attempt, error=str(error))
            await asyncio.sleep(settings.retry_base_s * 2 ** (attempt - 1))
    return await step()


def _pictures(prepared: Prepared | None) -> tuple[Picture | None, Picture | None]:
    if prepared is None:
        return None, None
    source = Picture(prepared.filename, prepared.picture.read_bytes(), prepared.mime)
    mask = None if prepared.mask is None else Picture(MASK, prepared.mask.read_bytes(), "image/png")
    return source, mask


def _write(made: Made, path: Path) -> Path:
    path.write_bytes(made.content)
    return path

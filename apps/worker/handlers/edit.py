"""Have a model edit an image: everything before the call may be repeated, the call itself never.

The database marks a call before it is made. A worker that finds the mark of a call with an unknown end fails
the job instead of calling again.
"""

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import structlog

from apps.worker import measures
from apps.worker.handlers.edit_attempt import EditAttempt
from apps.worker.handlers.source import source_image
from apps.worker.worker_pool import Done, WorkerPool
from libs.backends import Backends
from libs.contracts.commands import EditImage
from libs.edits.errors import EditBadResponse, EditError, EditRejected, EditTimedOut
from libs.edits.model_call import CallOptions, InputFile, ModelAnswer, OutputImage
from libs.edits.prompt_controls import without_controls
from libs.images import attempt_files, watermark_sources
from libs.imaging import edit_model_files
from libs.imaging.edit_model_files import Prepared
from libs.imaging.errors import SourceFault
from libs.imaging.operations import Convert
from libs.imaging.render_and_describe import DescribedResult
from libs.jobs import retry_policy
from libs.jobs.admission import EditsNotConfigured
from libs.runtime.background import run_to_completion
from libs.runtime.threads import SCRATCH
from libs.storage import edit_calls, images, leases
from libs.storage.database.errors import DatabaseUnavailable
from libs.storage.database.tables import Image
from libs.storage.job_failure import Failure
from libs.storage.leases import Claim, LostLease
from libs.storage.objects import StoreUnavailable

if TYPE_CHECKING:
    from libs.edits.openai_images import OpenAIImages

MAX_RETRIES = 2  # of a call that certainly did not run
STOP_GRACE_S = 4.0  # for a call under way when the worker stops
MASK = "mask.png"

MAY_HAVE_RUN = "while the call was under way: it may have run and been paid for, so it is not made again"
LOST = f"the worker was lost {MAY_HAVE_RUN}"
STOPPED = f"the worker was stopped {MAY_HAVE_RUN}"

T = TypeVar("T")

log = structlog.get_logger(__name__)


async def edit(command: EditImage, claim: Claim, pool: WorkerPool, model: "OpenAIImages | None") -> Done:
    """Make the call and store its images; the first one is the job's result.

    Raises:
        EditError: `outcome` says whether the job may be tried again.
    """
    if model is None:
        raise EditsNotConfigured
    if not without_controls(command.edit.prompt).strip():
        raise EditRejected("the prompt has no words beside controls of a server")
    if await edit_calls.may_have_run(claim.job_id):
        raise EditTimedOut(LOST)
    source = await source_image(command) if command.source else None
    folder = pool.backends.scratch / f"{claim.job_id}.{claim.attempt}"
    attempt = EditAttempt(command, source, claim, pool, folder)
    await SCRATCH.run(folder.mkdir)
    try:
        prepared = await _prepared(attempt, source, model) if source else None
        if claim.attempt > 1:
            await attempt_files.clear_attempts(command, claim.created_at, pool.backends)
        return Done(await run_to_completion(_called(attempt, prepared, model), grace_s=STOP_GRACE_S))
    finally:
        await SCRATCH.run(shutil.rmtree, folder, ignore_errors=True)


async def _prepared(attempt: EditAttempt, source: Image, model: "OpenAIImages") -> Prepared:
    """Write the files to send."""
    pool, mask_id = attempt.pool, attempt.command.edit.mask
    async with AsyncExitStack() as stack:
        path = await stack.enter_async_context(watermark_sources.file_of(source, pool.backends))
        mask = None
        if mask_id is not None:
            stored = await images.owned_by(attempt.claim.owner, mask_id)
            mask = await stack.enter_async_context(watermark_sources.file_of(stored, pool.backends))
        return await pool.run(
            edit_model_files.prepare, path, mask, attempt.folder, model.requirements, pool.limits
        )


async def _called(attempt: EditAttempt, prepared: Prepared | None, model: "OpenAIImages") -> Image:
    """Call and store the images; what starts here costs money, and is not started again."""
    claim, backends = attempt.claim, attempt.pool.backends
    files = await SCRATCH.run(_input_files, prepared)
    calls = await edit_calls.start_call(claim)
    if calls is None:
        raise EditTimedOut(LOST)
    log.info("edit_called", calls=calls)
    try:
        answer = await _answer(attempt, files, model, calls=calls)
        count = len(answer.images)
        await _retried(lambda: edit_calls.note_answer(claim, answer.tokens, count=count), backends)
        finished = await _finished(attempt, prepared, answer)
        results = [attempt.result_row(number, file, answer) for number, file in enumerate(finished)]
        await _retried(lambda: attempt.store(results), backends)
    except asyncio.CancelledError:
        with suppress(LostLease, DatabaseUnavailable):  # its owner cancelled it, or its next worker fails it
            await leases.fail(claim, stopped := Failure(EditTimedOut.code, STOPPED))
            measures.note_end(claim, "failed", stopped)
        raise
    return results[0]


async def _answer(
    attempt: EditAttempt,
    files: tuple[InputFile | None, InputFile | None],
    model: "OpenAIImages",
    *,
    calls: int,
) -> ModelAnswer:
    """Call; a call that did not run is noted before anybody may try again."""
    claim, edit = attempt.claim, attempt.command.edit
    options = CallOptions(
        n=edit.n,
        size=edit.size,
        quality=edit.quality,
        background=edit.background,
        output_format=attempt.answer_format(),
    )
    try:
        return await model.edit(*files, edit.prompt, options, reference=str(claim.job_id))
    except EditError as error:
        log.warning("edit_failed", error_code=error.code, error=str(error), cause=repr(error.__cause__))
        if error.not_run:
            await edit_calls.note_not_run(claim)
            error.not_run = calls <= MAX_RETRIES
        raise


async def _finished(
    attempt: EditAttempt, prepared: Prepared | None, answer: ModelAnswer
) -> list[DescribedResult]:
    """Convert the answer's images to the requested format and run the operations.

    Raises:
        EditBadResponse: One of them is not an image.
    """
    pool, command = attempt.pool, attempt.command
    steps = (Convert(format=attempt.result_format()), *command.operations)
    results: list[DescribedResult] = []
    async with watermark_sources.opened(command.operations, attempt.claim.owner, pool.backends) as others:
        for number, image in enumerate(answer.images):
            path = await SCRATCH.run(_write, image, attempt.folder / f"answer-{number}")
            try:
                result = await pool.run(
                    edit_model_files.finish,
                    path,
                    attempt.result_path(number),
                    steps,
                    pool.limits,
                    prepared=prepared,
                    assets=others,
                )
            except SourceFault as error:
                raise EditBadResponse(f"the vendor's answer is not a usable image: {error}") from error
            results.append(result)
    return results


async def _retried(step: Callable[[], Awaitable[T]], backends: Backends) -> T:
    """Repeat a step while a backend is away: the call has been paid for."""
    settings = backends.settings
    for attempt in range(1, settings.max_attempts):
        try:
            return await step()
        except (StoreUnavailable, DatabaseUnavailable) as error:
            log.warning("edit_waits", attempt=attempt, error=str(error))
            await asyncio.sleep(
                retry_policy.delay_s(attempt, base_s=settings.retry_base_s, max_s=settings.retry_max_s)
            )
    return await step()


def _input_files(prepared: Prepared | None) -> tuple[InputFile | None, InputFile | None]:
    """Read the picture and the mask to send."""
    if prepared is None:
        return None, None
    picture = InputFile(prepared.filename, prepared.picture.read_bytes(), prepared.mime)
    mask = None if prepared.mask is None else InputFile(MASK, prepared.mask.read_bytes(), "image/png")
    return picture, mask


def _write(image: OutputImage, path: Path) -> Path:
    path.write_bytes(image.content)
    return path

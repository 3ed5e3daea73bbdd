"""Having a model edit an image: everything before the call may be repeated, the call itself never.

The call is marked in the database before it is made. Whoever finds the mark of a call that nobody knows the
end of fails the job instead of calling again.
"""

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, suppress
from datetime import timedelta
from pathlib import Path
from typing import TypeVar, cast
from uuid import UUID

import structlog
from msgspec.structs import replace

from apps.worker.handlers import Lane, limits_of
from apps.worker.lease import unbroken
from libs import assets, retention
from libs.backends import Backends
from libs.contracts.edits import EditNote
from libs.contracts.messages import EditImage
from libs.contracts.words import ImageStatus, Retention
from libs.edits.errors import EditBadResponse, EditError, EditsNotConfigured, EditTimedOut
from libs.edits.provider import Answer, Made, Options, Picture, Provider
from libs.imaging import editing
from libs.imaging.editing import Finished, Prepared
from libs.imaging.errors import SourceFault
from libs.imaging.formats import FORMATS, FormatName
from libs.imaging.operations import Convert
from libs.storage import claims, edits, images, names
from libs.storage.claims import Claim, LostLease
from libs.storage.engine import UNAVAILABLE
from libs.storage.jobs import Failure
from libs.storage.objects import StoreUnavailable
from libs.storage.tables import Image, now

MAX_RETRIES = 2  # of a call that surely did not run
STOP_GRACE_S = 3.0  # that a call under way has when its worker is to stop
MASK = "mask.png"

UNKNOWN_END = (
    "the worker was lost while the call was under way: it may have run and been paid for, "
    "so it is not made again"
)
STOPPED = (
    "the worker was stopped while the call was under way: it may have run and been paid for, "
    "so it is not made again"
)

T = TypeVar("T")

log = structlog.get_logger(__name__)


async def edit(message: EditImage, claim: Claim, lane: Lane, provider: Provider | None) -> Image:
    """Make the call and store its images; the first of them.

    Raises:
        EditError: `not_run` is set where the job may be tried again.
    """
    if provider is None:
        raise EditsNotConfigured
    if await edits.may_have_run(claim.job_id):
        raise EditTimedOut(UNKNOWN_END)
    source = await _stored(message.source.image_id) if message.source else None
    folder = lane.backends.scratch / f"{claim.job_id}.{claim.attempt}"
    await asyncio.to_thread(folder.mkdir)
    try:
        prepared = await _prepared(message, source, claim, lane, provider, folder) if source else None
        if claim.attempt > 1:
            await retention.clear_attempts(message, claim.created_at, lane.backends)
        return await unbroken(
            _called(message, source, prepared, claim, lane, provider, folder), grace_s=STOP_GRACE_S
        )
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


async def _prepared(
    message: EditImage, source: Image, claim: Claim, lane: Lane, provider: Provider, folder: Path
) -> Prepared:
    """Make the files to send."""
    backends = lane.backends
    async with AsyncExitStack() as stack:
        path = await stack.enter_async_context(backends.objects.as_file(source.object_key))
        mask = None
        if message.edit.mask is not None:
            stored = await images.owned_by(claim.owner, message.edit.mask)
            mask = await stack.enter_async_context(backends.objects.as_file(stored.object_key))
        return await lane.children.run(
            backends.settings.job_timeout_s,
            editing.prepare,
            path,
            mask,
            folder,
            provider.demands,
            limits_of(backends),
        )


async def _called(
    message: EditImage,
    source: Image | None,
    prepared: Prepared | None,
    claim: Claim,
    lane: Lane,
    provider: Provider,
    folder: Path,
) -> Image:
    """From the call on: what is begun here has its price, and is not begun again."""
    pictures = await asyncio.to_thread(_pictures, prepared)
    calls = await edits.start_call(claim)
    if calls is None:
        raise EditTimedOut(UNKNOWN_END)
    log.info("edit_called", calls=calls)
    try:
        answer = await _answer(message, pictures, claim, provider, calls=calls)
        await _patiently(
            lambda: edits.note_answer(claim, answer.tokens, count=len(answer.images)), lane.backends
        )
        finished = await _finished(message, source, prepared, answer, claim, lane, folder)
        results = [
            _result(message, source, claim, number, one, answer, lane.backends)
            for number, one in enumerate(finished)
        ]
        await _patiently(
            lambda: _deliver(message, claim, source, results, folder, lane.backends), lane.backends
        )
    except asyncio.CancelledError:
        with suppress(LostLease, *UNAVAILABLE):  # cancelled by its owner, or for its next holder to tell
            await claims.fail(claim, Failure(EditTimedOut.code, STOPPED))
        raise
    return results[0]


async def _answer(
    message: EditImage,
    pictures: tuple[Picture | None, Picture | None],
    claim: Claim,
    provider: Provider,
    *,
    calls: int,
) -> Answer:
    """Call; that it did not run is noted before anybody may try again."""
    wish = message.edit
    options = Options(n=wish.n, size=wish.size, quality=wish.quality, background=wish.background)
    try:
        return await provider.edit(*pictures, wish.prompt, options, reference=str(claim.job_id))
    except EditError as error:
        log.warning("edit_failed", error_code=error.code, error=str(error), cause=repr(error.__cause__))
        if error.not_run:
            await edits.note_not_run(claim)
            error.not_run = calls <= MAX_RETRIES
        raise


async def _finished(
    message: EditImage,
    source: Image | None,
    prepared: Prepared | None,
    answer: Answer,
    claim: Claim,
    lane: Lane,
    folder: Path,
) -> list[Finished]:
    """Make the answer's images into files of the format asked for.

    Raises:
        EditBadResponse: One of them is no image.
    """
    backends = lane.backends
    steps = (Convert(format=_format(message, source)), *message.operations)
    window = prepared.window if prepared else None
    async with assets.opened(message.operations, claim.owner, backends) as others:
        found: list[Finished] = []
        for number, made in enumerate(answer.images):
            path = await asyncio.to_thread(_write, made, folder / f"answer-{number}")
            try:
                finished = await lane.children.run(
                    backends.settings.job_timeout_s,
                    editing.finish,
                    path,
                    _file(folder, number),
                    steps,
                    limits_of(backends),
                    window=window,
                    assets=others,
                )
            except SourceFault as error:
                raise EditBadResponse(f"the vendor's answer is no image that can be used: {error}") from error
            found.append(finished)
    return found


async def _deliver(
    message: EditImage,
    claim: Claim,
    source: Image | None,
    results: Sequence[Image],
    folder: Path,
    backends: Backends,
) -> None:
    """Store the files and end the job; objects without their rows are taken back."""
    if await claims.ended_by(claim):
        return  # the statement that seemed to fail had been committed
    try:
        for number, result in enumerate(results):
            told = {
                "owner": message.owner,
                "image-id": str(result.id),
                "md5": result.md5,
                "job-id": str(claim.job_id),
            }
            await backends.objects.put(
                result.object_key, _file(folder, number), content_type=result.mime, metadata=told
            )
        await edits.complete(
            claim,
            source.id if source else None,
            results,
            shares_clock=message.shares_clock,
            downloaded_s=backends.settings.expire_downloaded_s,
        )
    except (StoreUnavailable, *UNAVAILABLE):
        raise  # tried again
    except Exception:
        await backends.objects.delete([result.object_key for result in results])
        raise


async def _patiently(step: Callable[[], Awaitable[T]], backends: Backends) -> T:
    """Repeat a step while a backend is away: what has been paid for is worth waiting for."""
    settings = backends.settings
    for attempt in range(1, settings.max_attempts):
        try:
            return await step()
        except (StoreUnavailable, *UNAVAILABLE) as error:
            log.warning("edit_waits", attempt=attempt, error=str(error))
            await asyncio.sleep(settings.retry_base_s * 2 ** (attempt - 1))
    return await step()


async def _stored(image_id: UUID) -> Image:
    image = await images.by_id(image_id)
    if image is None:
        raise images.ImageNotFound(f"there is no image {image_id}")
    return image


def _pictures(prepared: Prepared | None) -> tuple[Picture | None, Picture | None]:
    if prepared is None:
        return None, None
    source = Picture(prepared.filename, prepared.picture.read_bytes(), prepared.mime)
    mask = None if prepared.mask is None else Picture(MASK, prepared.mask.read_bytes(), "image/png")
    return source, mask


def _write(made: Made, path: Path) -> Path:
    path.write_bytes(made.content)
    return path


def _file(folder: Path, number: int) -> Path:
    return folder / f"result-{number}"


def _format(message: EditImage, source: Image | None) -> FormatName:
    """What was asked for, else as the source is; PNG where that cannot be."""
    wish = message.edit
    if wish.format is not None:
        return wish.format
    own = cast("FormatName", source.format) if source else "png"
    return own if wish.background != "transparent" or FORMATS[own].alpha else "png"


def _result(
    message: EditImage,
    source: Image | None,
    claim: Claim,
    number: int,
    finished: Finished,
    answer: Answer,
    backends: Backends,
) -> Image:
    moment, rendered, image_id = now(), finished.rendered, message.targets[number]
    filename = source.filename if source else "image"
    ends = moment + timedelta(seconds=backends.settings.expire_undownloaded_s)
    result = Image(
        id=image_id,
        clock=source.clock if source and message.shares_clock else image_id,
        owner=claim.owner,
        parent=source.id if source else (None if number == 0 else message.target),
        filename=names.with_extension(filename, rendered.extension),
        object_key=names.object_key(
            message.owner,
            image_id,
            filename,
            rendered.extension,
            folder=names.RESULTS,
            when=claim.created_at,
            attempt=claim.attempt,
        ),
        format=rendered.format,
        mime=rendered.mime,
        width=rendered.width,
        height=rendered.height,
        frames=rendered.frames,
        size_bytes=rendered.size_bytes,
        md5=rendered.md5,
        status=ImageStatus.READY,
        retention=Retention.KEEP if message.keep else Retention.EPHEMERAL,
        expires_at=None if message.keep else ends,
        created_at=moment,
        updated_at=moment,
    )
    note = replace(_note(message, source, answer), revised_prompt=answer.images[number].revised_prompt)
    told = images.described(finished.description, edit=note)
    result.phash, result.metadata = told[Image.phash], told[Image.metadata]
    return result


def _note(message: EditImage, source: Image | None, answer: Answer) -> EditNote:
    wish = message.edit
    return EditNote(
        prompt=wish.prompt,
        model=answer.model,
        usage=answer.tokens,
        request_id=answer.request_id,
        job_id=message.job_id,
        source=source.id if source else None,
        mask=wish.mask,
        size=wish.size,
        quality=wish.quality,
        background=wish.background,
    )

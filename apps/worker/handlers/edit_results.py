"""What an edit leaves: files, and their rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from apps.worker.handlers.transform import WorkerPool
from apps.worker.results import labels, new_result
from libs.contracts.commands import EditImage
from libs.contracts.edits import EditNote
from libs.edits.provider import Answer
from libs.imaging.formats import FORMATS, FormatName
from libs.imaging.render_and_describe import DescribedResult
from libs.storage import edit_calls, image_descriptions, leases
from libs.storage.database.errors import DatabaseUnavailable
from libs.storage.database.tables import Image
from libs.storage.leases import Claim
from libs.storage.objects import StoreUnavailable


@dataclass(frozen=True)
class Order:
    """One edit under way."""

    message: EditImage
    source: Image | None  # None: images are made of the prompt alone
    claim: Claim
    pool: WorkerPool
    folder: Path  # for its files, gone with its end

    def file(self, number: int) -> Path:
        """Where the finished file of an image lies."""
        return self.folder / f"result-{number}"


def format_of(order: Order) -> FormatName:
    """What was asked for, else as the source is; PNG where that cannot be."""
    wish = order.message.edit
    if wish.format is not None:
        return wish.format
    own = cast("FormatName", order.source.format) if order.source else "png"
    return own if wish.background != "transparent" or FORMATS[own].alpha else "png"


def new_image(order: Order, number: int, finished: DescribedResult, answer: Answer) -> Image:
    """The row of a result; described already, and not stored yet."""
    message = order.message
    result = new_result(
        message,
        order.claim,
        order.source,
        finished.rendered,
        message.targets[number],
        undownloaded_s=order.pool.backends.settings.expire_undownloaded_s,
    )
    told = image_descriptions.columns(finished.description, edit=_note(order, number, answer))
    result.phash, result.metadata = told[Image.phash], told[Image.metadata]
    return result


async def deliver(order: Order, results: Sequence[Image]) -> None:
    """Store the files and end the job; objects without their rows are taken back.

    Raises:
        LostLease: The job is somebody else's by now.
        StoreUnavailable: Or the database is away; the same again may succeed.
    """
    claim, backends = order.claim, order.pool.backends
    if await leases.ended_by(claim):
        return  # the statement that seemed to fail had been committed
    try:
        for number, result in enumerate(results):
            await backends.objects.put(
                result.object_key,
                order.file(number),
                content_type=result.mime,
                metadata=labels(result, order.message),
            )
        await edit_calls.complete(
            claim,
            order.source.id if order.source else None,
            results,
            shares_expiry=order.message.shares_expiry,
            downloaded_s=backends.settings.expire_downloaded_s,
        )
    except (StoreUnavailable, DatabaseUnavailable, OSError):
        raise
    except Exception:
        await backends.objects.delete([result.object_key for result in results])
        raise


def _note(order: Order, number: int, answer: Answer) -> EditNote:
    wish = order.message.edit
    return EditNote(
        prompt=wish.prompt,
        model=answer.model,
        usage=answer.tokens,
        request_id=answer.request_id,
        job_id=order.message.job_id,
        source=order.source.id if order.source else None,
        mask=wish.mask,
        size=wish.size,
        quality=wish.quality,
        background=wish.background,
        revised_prompt=answer.images[number].revised_prompt,
    )

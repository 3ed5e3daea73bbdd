"""What an edit leaves: files, and their rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import cast

from apps.worker.handlers import Lane
from libs.contracts.edits import EditNote
from libs.contracts.messages import EditImage
from libs.contracts.words import ImageStatus, Retention
from libs.edits.provider import Answer
from libs.imaging.editing import Finished
from libs.imaging.formats import FORMATS, FormatName
from libs.storage import claims, edits, images, names
from libs.storage.claims import Claim
from libs.storage.engine import UNAVAILABLE
from libs.storage.objects import StoreUnavailable
from libs.storage.tables import Image, now

NAMELESS = "image"  # made of a prompt alone


@dataclass(frozen=True)
class Order:
    """One edit under way."""

    message: EditImage
    source: Image | None  # None: images are made of the prompt alone
    claim: Claim
    lane: Lane
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


def new_image(order: Order, number: int, finished: Finished, answer: Answer) -> Image:
    """The row of a result; described already, and not stored yet."""
    message, source, claim = order.message, order.source, order.claim
    moment, rendered, image_id = now(), finished.rendered, message.targets[number]
    filename = source.filename if source else NAMELESS
    ends = moment + timedelta(seconds=order.lane.backends.settings.expire_undownloaded_s)
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
    told = images.described(finished.description, edit=_note(order, number, answer))
    result.phash, result.metadata = told[Image.phash], told[Image.metadata]
    return result


async def deliver(order: Order, results: Sequence[Image]) -> None:
    """Store the files and end the job; objects without their rows are taken back.

    Raises:
        LostLease: The job is somebody else's by now.
        StoreUnavailable: Or the database is away; the same again may succeed.
    """
    claim, backends = order.claim, order.lane.backends
    if await claims.ended_by(claim):
        return  # the statement that seemed to fail had been committed
    try:
        for number, result in enumerate(results):
            await backends.objects.put(
                result.object_key,
                order.file(number),
                content_type=result.mime,
                metadata=_labels(result, order.message),
            )
        await edits.complete(
            claim,
            order.source.id if order.source else None,
            results,
            shares_clock=order.message.shares_clock,
            downloaded_s=backends.settings.expire_downloaded_s,
        )
    except (StoreUnavailable, *UNAVAILABLE):
        raise
    except Exception:
        await backends.objects.delete([result.object_key for result in results])
        raise


def _labels(image: Image, message: EditImage) -> dict[str, str]:
    return {
        "owner": message.owner,
        "image-id": str(image.id),
        "md5": image.md5,
        "job-id": str(message.job_id),
    }


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

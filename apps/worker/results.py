"""The row of a result, and what the object store is told about its file."""

from datetime import timedelta
from uuid import UUID

from libs.contracts.commands import EditImage, TransformImage
from libs.contracts.enums import ImageStatus, Retention
from libs.imaging.pipeline import Rendered
from libs.storage import filenames, object_keys
from libs.storage.database.tables import Image, now
from libs.storage.leases import Claim

NAMELESS = "image"  # made of a prompt alone


def new_result(
    message: TransformImage | EditImage,
    claim: Claim,
    source: Image | None,
    rendered: Rendered,
    image_id: UUID,
    *,
    undownloaded_s: float,
) -> Image:
    """The row of one result; not stored yet. Without a source, the first result is parent of the others."""
    moment = now()
    filename = source.filename if source else NAMELESS
    first = None if image_id == message.target else message.target
    return Image(
        id=image_id,
        expiry_group=source.expiry_group if source and message.shares_expiry else image_id,
        owner=claim.owner,
        parent=source.id if source else first,
        filename=filenames.with_extension(filename, rendered.extension),
        object_key=object_keys.object_key(
            message.owner,
            image_id,
            filename,
            rendered.extension,
            folder=object_keys.RESULTS,
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
        expires_at=None if message.keep else moment + timedelta(seconds=undownloaded_s),
        created_at=moment,
        updated_at=moment,
    )


def labels(result: Image, message: TransformImage | EditImage) -> dict[str, str]:
    """What tells of the file where there is no database."""
    return {
        "owner": message.owner,
        "image-id": str(result.id),
        "md5": result.md5,
        "job-id": str(message.job_id),
    }

"""Rows for tests: an account, its images, their jobs."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from libs.contracts.commands import Source, TransformImage
from libs.contracts.enums import ImageStatus, Priority, Retention
from libs.storage import jobs, leases
from libs.storage.database.connection import transaction
from libs.storage.database.tables import BaseUser, Image, Job, new_id, now
from libs.storage.leases import Claim

DAY_S = 86_400.0
HASHED = f"pbkdf2_sha256$1${'0' * 32}${'0' * 64}"


async def an_owner(username: str = "") -> BaseUser:
    """Store the row of an active account that nobody logs in to."""
    name = username or f"user-{uuid4().hex[:12]}"
    user = BaseUser(username=name, email=f"{name}@example.org", password=HASHED, active=True)
    await user.save()
    return user


def image_of(owner: BaseUser, **values: Any) -> Image:
    """Build an ephemeral image that expires in a day; it is not stored."""
    image_id = new_id()
    ordinary: dict[str, Any] = {
        "id": image_id,
        "expiry_group": image_id,
        "owner": owner.id,
        "filename": "photo.jpg",
        "object_key": f"{owner.username}/originals/{image_id}.jpg",
        "format": "JPEG",
        "mime": "image/jpeg",
        "width": 640,
        "height": 427,
        "size_bytes": 1000,
        "md5": "0" * 32,
        "retention": Retention.EPHEMERAL,
        "expires_at": now() + timedelta(seconds=DAY_S),
    }
    return Image(**(ordinary | values))


async def an_image(owner: BaseUser, **values: Any) -> Image:
    image = image_of(owner, **values)
    await image.save()
    return image


def job_of(owner: BaseUser, image: Image, **values: Any) -> Job:
    """A queued job without operations; `values` are set on the row. Not stored yet."""
    message = TransformImage(
        job_id=new_id(),
        owner=owner.username,
        source=Source(image_id=image.id),
        operations=(),
        target=new_id(),
        shares_expiry=True,
    )
    job = jobs.new(message, owner=owner.id, priority=Priority.INTERACTIVE, request_id=None)
    for name, value in values.items():
        setattr(job, name, value)
    return job


async def a_job(owner: BaseUser, image: Image, **values: Any) -> Job:
    job = job_of(owner, image, **values)
    await job.save()
    return job


async def a_queued_job(**values: Any) -> Job:
    owner = await an_owner()
    return await a_job(owner, await an_image(owner), **values)


async def claimed(job_id: UUID, *, worker: str = "a", lease_s: float = 60, max_attempts: int = 5) -> Claim:
    claim = await leases.claim(job_id, worker=worker, lease_s=lease_s, max_attempts=max_attempts)
    assert claim is not None
    return claim


async def complete(claim: Claim, owner: BaseUser, *, shares_expiry: bool = True, **values: Any) -> Image:
    """End a job with a result, as a worker does."""
    assert claim.image is not None
    group = {"expiry_group": claim.image} if shares_expiry else {}
    result = image_of(owner, parent=claim.image, status=ImageStatus.READY, **group, **values)
    await leases.complete_transform(
        claim,
        await image_row(claim.image),
        result,
        followed_by=None,
        shares_expiry=shares_expiry,
        downloaded_s=300,
    )
    return result


async def job_row(job_id: UUID) -> Job:
    job = await Job.objects().where(Job.id == job_id).first()
    assert job is not None
    return job


async def image_row(image_id: UUID) -> Image:
    image = await Image.objects().where(Image.id == image_id).first()
    assert image is not None
    return image


async def count_up(job: Job, times: int) -> None:
    """Read and write in one transaction, again and again."""
    for _ in range(times):
        async with transaction():
            row = await Job.select(Job.attempts).where(Job.id == job.id).first()
            assert row is not None
            await Job.update({Job.attempts: row["attempts"] + 1}).where(Job.id == job.id)

"""Build the row of a job from what is requested; nothing is stored."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from msgspec import Struct

from libs.contracts.commands import (
    DescribeImage,
    EditImage,
    Follow,
    IngestImage,
    RenderRenditions,
    Source,
    TransformImage,
)
from libs.contracts.edits import Edit
from libs.contracts.enums import Priority, Retention
from libs.imaging.operations import AnyOperation
from libs.storage import jobs
from libs.storage.accepted_orders import Receipt
from libs.storage.database.tables import BaseUser, Image, Job, new_id
from libs.storage.idempotency import Reservation


class JobOptions(Struct, frozen=True, kw_only=True):
    """What every use case passes on to its job: who waits for it, and how urgent it is."""

    request_id: str | None
    priority: Priority = Priority.INTERACTIVE
    webhook_url: str | None = None
    receipt: Receipt | None = None  # of the AMQP order that asks for the job
    reservation: Reservation | None = None  # of the idempotency key of the request that asks for it

    @property
    def order(self) -> UUID | None:
        """The order that the job's end answers."""
        return self.receipt.order.id if self.receipt else None

    def row(self, command: TransformImage | EditImage | IngestImage, owner: BaseUser) -> Job:
        """Return the queued job that runs `command`."""
        return jobs.new(
            command,
            owner=owner.id,
            priority=self.priority,
            request_id=self.request_id,
            webhook_url=self.webhook_url,
        )


def transform_job(
    source: Image,
    owner: BaseUser,
    operations: Sequence[AnyOperation],
    options: JobOptions,
    *,
    keep: bool,
    shares_expiry: bool = False,
) -> Job:
    """Build a job that runs operations over a stored image."""
    command = TransformImage(
        job_id=new_id(),
        owner=owner.username,
        order=options.order,
        source=Source(image_id=source.id),
        operations=tuple(operations),
        target=new_id(),
        keep=keep,
        shares_expiry=shares_expiry,
    )
    return options.row(command, owner)


def edit_job(
    source: Image | None,
    owner: BaseUser,
    edit: Edit,
    operations: Sequence[AnyOperation],
    options: JobOptions,
    *,
    keep: bool,
    shares_expiry: bool = False,
) -> Job:
    """Build a job that edits `source`, or without one makes images from the prompt."""
    command = EditImage(
        job_id=new_id(),
        owner=owner.username,
        order=options.order,
        source=None if source is None else Source(image_id=source.id),
        edit=edit,
        operations=tuple(operations),
        target=new_id(),
        keep=keep,
        shares_expiry=shares_expiry,
    )
    return options.row(command, owner)


def describe_job(
    image: Image, username: str, request_id: str | None, *, priority: Priority = Priority.BULK
) -> Job:
    """Build a job that hashes `image` and reads its metadata."""
    command = DescribeImage(job_id=new_id(), owner=username, source=Source(image_id=image.id))
    return jobs.new(command, owner=image.owner, priority=priority, request_id=request_id)


def hash_job(image: Image, username: str, request_id: str | None) -> Job | None:
    """Build the job that hashes a kept image; None for an ephemeral one.

    Build it before other jobs of the image: an image shows its newest job, by id.
    """
    return describe_job(image, username, request_id) if image.retention == Retention.KEEP else None


def rendering_job(image: Image, username: str, presets: Sequence[str], request_id: str | None) -> Job | None:
    """Build the bulk job that renders presets of a kept image ahead; None without presets."""
    if not presets or image.retention != Retention.KEEP:
        return None
    command = RenderRenditions(
        job_id=new_id(), owner=username, source=Source(image_id=image.id), presets=tuple(presets)
    )
    return jobs.new(command, owner=image.owner, priority=Priority.BULK, request_id=request_id)


def following_job(command: IngestImage, image: Image, request_id: str | None) -> Job | None:
    """Build the job that was requested together with a fetched image; None when there is none."""
    if command.follow is None:
        return None
    kept, follow = image.retention == Retention.KEEP, command.follow
    keep = kept and command.retention == Retention.KEEP
    if follow.retention is not None:
        keep = follow.retention == Retention.KEEP
    shared: dict[str, Any] = {
        "job_id": follow.job_id,
        "owner": command.owner,
        "order": command.order,
        "source": Source(image_id=image.id),
        "operations": follow.operations,
        "target": follow.target,
        "keep": keep,
        "shares_expiry": not kept and not keep,
    }
    next_command = TransformImage(**shared) if follow.edit is None else EditImage(edit=follow.edit, **shared)
    return jobs.new(next_command, owner=image.owner, priority=follow.priority, request_id=request_id)


def follow_up(
    operations: Sequence[AnyOperation] | None,
    edit: Edit | None,
    priority: Priority,
    *,
    retention: Retention | None = None,
) -> Follow | None:
    """Describe the job that runs once a fetched image is stored; None when nothing is requested of it."""
    if operations is None and edit is None:
        return None
    return Follow(
        job_id=new_id(),
        target=new_id(),
        operations=tuple(operations or ()),
        edit=edit,
        priority=priority,
        retention=retention,
    )

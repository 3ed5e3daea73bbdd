"""Accept an order: a program's AMQP message becomes a job, once, under the limits of an HTTP request."""

from collections.abc import Sequence
from uuid import UUID

import structlog
from msgspec import Struct

from libs.backends import Backends
from libs.contracts.commands import IngestSource
from libs.contracts.enums import OnDuplicate, Priority
from libs.contracts.orders import AnyOrder, EditOrder, IngestOrder, OrderSource, TransformOrder
from libs.contracts.topology import OWN_PREFIX
from libs.delivery.presets import with_preset
from libs.edits.submit_edit import EditStored, edit_image
from libs.images.from_url import FetchImage, fetch_image
from libs.images.transform import TransformStored, transform
from libs.imaging.operations import AnyOperation
from libs.jobs import replies
from libs.jobs.build import JobOptions
from libs.orders.errors import ForbiddenKey, SenderNotAllowed, UnidentifiedSender, UnknownOwner
from libs.settings import Settings
from libs.storage import accepted_orders, accounts, images
from libs.storage.accepted_orders import OrderKnown, Receipt
from libs.storage.database.statement import insert
from libs.storage.database.tables import AcceptedOrder, BaseUser, Job, Reply, new_id
from libs.storage.object_keys import INBOX
from libs.storage.objects import BadKey, check_key

log = structlog.get_logger(__name__)


class AcceptOrder(Struct, frozen=True, kw_only=True):
    """An order, and what its message says besides the body."""

    order: AnyOrder
    sender: str | None  # as the broker verified it
    message_id: str | None
    reply_to: str | None
    correlation_id: str | None
    request_id: str | None
    priority: Priority

    @property
    def name(self) -> str | None:
        """The sender's own name for the job; an order of the same name runs once."""
        return self.order.job_id or self.message_id


async def accept_order(command: AcceptOrder, backends: Backends) -> None:
    """Queue the order's job; reply again to an order that is known already.

    Raises:
        An error whose outcome is `refused` or `permanent`: Nothing is stored.
    """
    owner = await _owner(command, backends.settings)
    known = await accepted_orders.by_name(owner.id, command.name)
    if known is None:
        try:
            job = await _submit(command, owner, backends)
        except OrderKnown:  # another worker was first
            known = await accepted_orders.by_name(owner.id, command.name)
        else:
            log.info("order_accepted", job_id=str(job.id), owner=owner.username, message_id=command.name)
            return
    if known is not None:
        log.info("order_known", job_id=str(known.job), owner=owner.username, message_id=command.name)
        await _reply_again(command, known, backends)


async def _owner(command: AcceptOrder, settings: Settings) -> BaseUser:
    """Return the order's account. A sender that may not act for it does not learn whether it exists."""
    sender, owner = command.sender, command.order.owner
    if sender is None:
        raise UnidentifiedSender("the message has no user_id and came through no sender's own exchange")
    if sender != owner and sender not in settings.amqp_trusted_users:
        raise SenderNotAllowed(f"{sender} may order for the account {sender} only")
    account = await accounts.named(owner)
    if account is None:
        raise UnknownOwner(f"there is no account {owner}")
    return account


async def _submit(command: AcceptOrder, owner: BaseUser, backends: Backends) -> Job:
    """Call the use case of the order, as an HTTP request does."""
    order = command.order
    accepted = AcceptedOrder(id=new_id(), owner=owner.id, name=command.name)
    options = JobOptions(
        request_id=command.request_id,
        priority=command.priority,
        webhook_url=order.webhook_url,
        receipt=Receipt(accepted, _reply(command, accepted.id)),
    )
    source = order.source
    operations = order.operations
    if not isinstance(order, EditOrder):
        operations = await with_preset(owner.id, order.preset, operations)
    if source is not None and source.image_id is None:
        return await fetch_image(_fetch(order, operations, source, owner, options), backends)
    image = None
    if source is not None and source.image_id is not None:
        image = await images.owned_by(owner.id, source.image_id)
    if isinstance(order, EditOrder):
        edit = EditStored(
            owner=owner,
            image=image,
            edit=order.edit,
            operations=order.operations,
            retention=order.retention,
            options=options,
        )
        return await edit_image(edit, backends)
    assert isinstance(order, TransformOrder), "an ingest order has a source to fetch"  # noqa: S101
    assert image is not None, "a transform order has a source"  # noqa: S101
    return await transform(
        TransformStored(
            owner=owner,
            image=image,
            operations=operations or (),
            retention=order.retention,
            options=options,
        ),
        backends,
    )


def _fetch(
    order: AnyOrder,
    operations: Sequence[AnyOperation] | None,
    source: OrderSource,
    owner: BaseUser,
    options: JobOptions,
) -> FetchImage:
    if source.object is not None:
        check_inbox_key(source.object, owner.username)
    ingest = order if isinstance(order, IngestOrder) else None
    return FetchImage(
        owner=owner,
        source=IngestSource(url=source.url, object=source.object),
        options=options,
        filename=ingest.filename if ingest else None,
        retention=order.retention,
        result_retention=ingest.result_retention if ingest else None,
        operations=operations,
        edit=order.edit if isinstance(order, EditOrder) else None,
        reuse=ingest is not None and ingest.on_duplicate == OnDuplicate.RETURN,
    )


def check_inbox_key(key: str, owner: str) -> None:
    """Check that an object lies in the owner's folder of the inbox, or directly in the inbox.

    Raises:
        ForbiddenKey: It does not.
    """
    try:
        check_key(key)
    except BadKey as error:
        raise ForbiddenKey(str(error)) from error
    *folders, _ = key.split("/")
    if folders[:1] != [INBOX] or folders[1:2] not in ([], [owner]):
        raise ForbiddenKey(f"{key!r} is neither directly under {INBOX}/ nor under {INBOX}/{owner}/")


async def _reply_again(command: AcceptOrder, known: AcceptedOrder, backends: Backends) -> None:
    reply = _reply(command, known.id)
    if reply is not None:
        await insert(reply)
        await replies.reply(known, backends)


def _reply(command: AcceptOrder, order: UUID) -> Reply | None:
    if not command.reply_to or command.reply_to.startswith(OWN_PREFIX):
        return None
    return Reply(
        id=new_id(),
        order=order,
        reply_to=command.reply_to,
        correlation_id=command.correlation_id,
    )

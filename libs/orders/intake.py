"""The door for programs that publish their jobs themselves: who they are, and what they may have done.

A message from outside becomes a row, as a request to the HTTP API does, under the same limits; from there on
its job is like any other. What cannot become one is put aside, with the reason.
"""

import asyncio
from functools import partial
from uuid import UUID

import structlog
from msgspec import Struct

from libs.backends import Backends
from libs.broker import BrokerMessage, BrokerUnavailable, DeadLetter
from libs.contracts.commands import BadMessage, IngestSource, encode
from libs.contracts.enums import OnDuplicate, Priority
from libs.contracts.events import OrderRefused
from libs.contracts.orders import (
    AnyOrder,
    EditOrder,
    IngestOrder,
    TransformOrder,
    Wake,
    decode_incoming,
)
from libs.contracts.topology import MAX_BODY_BYTES, OWN_PREFIX, Route
from libs.edits import request
from libs.edits.errors import EditError
from libs.images import from_url, upload
from libs.images.from_url import Wanted
from libs.imaging.errors import ImagingError
from libs.jobs import admission, publish
from libs.orders import replies
from libs.outbound import FetchError
from libs.settings import Settings
from libs.storage import accounts, images, jobs, submissions
from libs.storage.database.errors import DatabaseUnavailable
from libs.storage.database.tables import BaseUser, Image, Job, Reply, Submission, new_id
from libs.storage.edit_calls import DailyEditsUsed
from libs.storage.image_errors import ImageError
from libs.storage.object_keys import INBOX
from libs.storage.objects import BadKey, check_key

PATIENCE_S = 1.0  # between two tries while the database is away
REQUEST_ID_CHARS = 64
BULK = (Route.TRANSFORM_BULK, Route.INGEST_BULK)  # nobody waits for what comes here

log = structlog.get_logger(__name__)


class DoorError(Exception):
    """A message from outside that does not become a job."""

    code = "order_refused"


class UnidentifiedSender(DoorError):
    """The message has no `user_id`, which the broker checks, and came by no exchange of one sender."""

    code = "unidentified_sender"


class SenderNotAllowed(DoorError):
    """The sender may not act for this owner."""

    code = "sender_not_allowed"


class UnknownOwner(DoorError):
    """There is no active account of this name."""

    code = "unknown_owner"


class ForbiddenKey(DoorError):
    """The key is not one that the owner may have worked on."""

    code = "forbidden_key"


class MessageTooLarge(DoorError):
    """The message is longer than is read."""

    code = "message_too_large"


REFUSALS = (
    BadMessage,
    DoorError,
    DailyEditsUsed,
    EditError,
    FetchError,
    ImagingError,
    ImageError,
    jobs.JobError,
    upload.TooManyOperations,
)


class Envelope(Struct, frozen=True, kw_only=True):
    """What comes with an order besides its body."""

    sender: str | None
    message_id: str | None
    reply_to: str | None
    correlation_id: str | None
    request_id: str | None
    priority: Priority


async def job_to_work(delivery: BrokerMessage, route: Route, backends: Backends) -> UUID | None:
    """The job that a message wakes a worker for; None when it was an order, which is a row by now.

    While the database is away an order waits here.

    Raises:
        DeadLetter: It is neither; who asked for a reply has had one, as with any other error.
    """
    try:
        message = _read(delivery)
        if isinstance(message, Wake):
            return message.job_id
        await _take_in_patiently(message, _envelope(delivery, route), backends)
    except REFUSALS as error:
        await _refuse(delivery, error.code, str(error), backends)
        raise DeadLetter(f"{error.code}: {error}") from error
    except Exception:
        await _refuse(delivery, "internal_error", "the order could not be taken in", backends)
        raise
    return None


async def take_in_again(delivery: BrokerMessage, route: Route, backends: Backends) -> None:
    """Give a message that was put aside another chance; `delivery.user_id` is who sent it then.

    Raises:
        One of REFUSALS: Nothing was stored.
        BrokerUnavailable: It was a note for a worker, and the broker did not take it.
    """
    message = _read(delivery)
    if isinstance(message, Wake):
        await backends.broker.publish(route, delivery.body, message_id=str(message.job_id))
    else:
        await take_in(message, _envelope(delivery, route), backends)


async def take_in(order: AnyOrder, envelope: Envelope, backends: Backends) -> None:
    """Make the order a job, once; those who send it again are answered again.

    Raises:
        One of REFUSALS: Nothing was stored.
    """
    owner = await _owner(order, envelope.sender, backends.settings)
    name = order.job_id or envelope.message_id
    known = await submissions.called(owner.id, name)
    if known is None:
        submission = Submission(id=new_id(), owner=owner.id, name=name)
        job = await _job(order, owner, submission, envelope, backends)
        edit = order.edit if isinstance(order, EditOrder) else None
        store = partial(admission.insert_admitted, job, owner.id, edit, backends)
        if await submissions.add(submission, store, _reply(submission, envelope)):
            log.info("order_taken", job_id=str(job.id), owner=owner.username, message_id=name)
            await publish.publish(job, backends)
            return
        known = await submissions.called(owner.id, name)
        assert known is not None, "what is taken is there"  # noqa: S101
    log.info("order_known", job_id=str(known.job), owner=owner.username, message_id=name)
    reply = _reply(known, envelope)
    if reply is not None:
        await reply.save()
        await replies.answer(known, backends)


def check_inbox_key(key: str, owner: str) -> None:
    """See that an owner may have an object taken in: it lies in its folder of the inbox, or in none.

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


def _read(delivery: BrokerMessage) -> AnyOrder | Wake:
    size = len(delivery.body)
    if size > MAX_BODY_BYTES:
        raise MessageTooLarge(f"the message has {size} bytes, the limit is {MAX_BODY_BYTES}")
    return decode_incoming(delivery.body)


def _envelope(delivery: BrokerMessage, route: Route) -> Envelope:
    for name in ("message_id", "reply_to", "correlation_id"):
        if not (getattr(delivery, name) or "x").isprintable():
            raise BadMessage(f"the property {name} holds characters that cannot be kept")
    request_id = delivery.headers.get("x-request-id")
    return Envelope(
        sender=delivery.user_id,
        message_id=delivery.message_id or None,
        reply_to=delivery.reply_to,
        correlation_id=delivery.correlation_id,
        request_id=request_id[:REQUEST_ID_CHARS] if request_id else None,
        priority=Priority.BULK if route in BULK else Priority.INTERACTIVE,
    )


async def _take_in_patiently(order: AnyOrder, envelope: Envelope, backends: Backends) -> None:
    while True:
        try:
            return await take_in(order, envelope, backends)
        except DatabaseUnavailable as error:
            log.warning("order_waits", error=str(error))
        await asyncio.sleep(PATIENCE_S)


async def _owner(order: AnyOrder, sender: str | None, settings: Settings) -> BaseUser:
    """The account that the order is for; who may not act for it does not learn whether there is one."""
    if sender is None:
        raise UnidentifiedSender("the message has no user_id, and came by no exchange of one sender")
    if sender != order.owner and sender not in settings.amqp_trusted_users:
        raise SenderNotAllowed(f"{sender} may order for the account {sender} only")
    owner = await accounts.named(order.owner)
    if owner is None:
        raise UnknownOwner(f"there is no account {order.owner}")
    return owner


async def _job(
    order: AnyOrder, owner: BaseUser, submission: Submission, envelope: Envelope, backends: Backends
) -> Job:
    """The order's job, not stored yet; tells `submission` which it is and which one is its outcome."""
    terms = upload.Terms(
        priority=envelope.priority,
        request_id=envelope.request_id,
        submission=submission.id,
        webhook_url=order.webhook_url,
    )
    image, source = await _source(order, owner)
    follow = None
    if source is not None:
        job, follow = await from_url.ingest_job(source, _wanted(order), owner, backends, terms=terms)
    elif isinstance(order, EditOrder):
        job = await request.edit_job(
            image, owner, order.edit, order.operations, backends, retention=order.retention, terms=terms
        )
    else:
        assert isinstance(order, TransformOrder), "an ingest has a source of its own"  # noqa: S101
        assert image is not None, "and a transform has one or the other"  # noqa: S101
        job = await upload.transform_job(
            image, owner, order.operations, backends, retention=order.retention, terms=terms
        )
    submission.job, submission.outcome = job.id, follow or job.id
    return job


async def _source(order: AnyOrder, owner: BaseUser) -> tuple[Image | None, IngestSource | None]:
    """The stored image that is named, or else where its bytes are to be had."""
    source = order.source
    if source is None:
        return None, None
    if source.image_id is not None:
        return await images.owned_by(owner.id, source.image_id), None
    if source.object is not None:
        check_inbox_key(source.object, owner.username)
    return None, IngestSource(url=source.url, object=source.object)


def _wanted(order: AnyOrder) -> Wanted:
    if isinstance(order, IngestOrder):
        return Wanted(
            filename=order.filename,
            retention=order.retention,
            operations=order.operations,
            reuse=order.on_duplicate == OnDuplicate.RETURN,
        )
    edit = order.edit if isinstance(order, EditOrder) else None
    return Wanted(retention=order.retention, operations=order.operations, edit=edit)


def _reply(submission: Submission, envelope: Envelope) -> Reply | None:
    if not envelope.reply_to or envelope.reply_to.startswith(OWN_PREFIX):
        return None
    return Reply(
        id=new_id(),
        submission=submission.id,
        reply_to=envelope.reply_to,
        correlation_id=envelope.correlation_id,
    )


async def _refuse(delivery: BrokerMessage, code: str, text: str, backends: Backends) -> None:
    """Tell the sender, if it asked; the dead letter tells people."""
    if not delivery.reply_to:
        return
    refused = OrderRefused(error_code=code, error=text, message_id=delivery.message_id)
    try:
        await backends.broker.reply(
            delivery.reply_to, encode(refused), correlation_id=delivery.correlation_id
        )
    except BrokerUnavailable as fault:
        log.warning("refusal_untold", error=str(fault))

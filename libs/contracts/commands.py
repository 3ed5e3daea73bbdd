"""The commands that jobs' rows hold, as Structs; `orders` are what travels through the broker."""

from typing import Annotated, TypeAlias
from uuid import UUID

import msgspec
from msgspec import Meta, Struct, field

from libs.contracts.edits import Edit
from libs.contracts.enums import Priority, Retention
from libs.imaging.operations import AnyOperation


class BadMessage(Exception):
    """The bytes are no message of ours."""

    code = "bad_message"


class Source(Struct, frozen=True, kw_only=True):
    """The image a job starts from."""

    image_id: UUID


class IngestSource(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where a job takes an image's bytes from; exactly one is given."""

    url: Annotated[str, Meta(min_length=1)] | None = None  # http, https or `data:`
    object: Annotated[str, Meta(min_length=1)] | None = None  # a key under `inbox/`, which stays there
    image_id: UUID | None = None  # an ephemeral image, stored for this job alone and gone with its end

    def __post_init__(self) -> None:
        if sum(one is not None for one in (self.url, self.object, self.image_id)) != 1:
            raise ValueError("a source is one of `url`, `object`, `image_id`")


class Follow(Struct, frozen=True, kw_only=True):
    """The job to queue once the image is there; its result ends together with an ephemeral image."""

    job_id: UUID
    target: UUID
    operations: tuple[AnyOperation, ...]
    edit: Edit | None = None  # before the operations
    priority: Priority = Priority.INTERACTIVE


class Message(Struct, frozen=True, kw_only=True, tag_field="type"):
    """One job. Unknown fields are ignored, so that fields may be added; a change of meaning is a new tag."""

    job_id: UUID
    owner: str  # username
    submission: UUID | None = None  # the message from outside that asked for it


class TransformImage(Message, frozen=True, kw_only=True, tag="transform.v1"):
    """Run `operations` over the source and store the result as image `target`."""

    source: Source
    operations: tuple[AnyOperation, ...]
    target: UUID
    keep: bool = False  # the result has no expiry
    shares_expiry: bool = field(default=False, name="shares_clock")  # the result expires with its source


class DescribeImage(Message, frozen=True, kw_only=True, tag="describe.v1"):
    """Decode the source whole and note its perceptual hash."""

    source: Source


class IngestImage(Message, frozen=True, kw_only=True, tag="ingest.v1"):
    """Take the source's bytes and keep them as image `target`."""

    source: IngestSource
    target: UUID
    replaces: bool = False  # the target exists; what was fetched takes the place of its bytes
    filename: str | None = None  # None: as the address has it, or as the target has it already
    retention: Retention | None = None  # None: kept, or as the target has it already
    reuse: bool = False  # a kept image of the owner with the same bytes serves instead
    follow: Follow | None = None
    operations: tuple[AnyOperation, ...] | None = None  # None: as fetched; else what they make of it is kept


class EditImage(Message, frozen=True, kw_only=True, tag="edit.v1"):
    """Have a model edit the source, run `operations` over what it gives, and store that as new images.

    The first is `target`; where several are asked for, each further one has the next higher id.
    """

    edit: Edit
    target: UUID
    source: Source | None = None  # None: made from the prompt alone
    operations: tuple[AnyOperation, ...] = ()
    keep: bool = False  # the results have no expiry
    shares_expiry: bool = field(default=False, name="shares_clock")  # the results expire with their source

    @property
    def targets(self) -> tuple[UUID, ...]:
        return tuple(UUID(int=self.target.int + number) for number in range(self.edit.n))


AnyMessage: TypeAlias = TransformImage | DescribeImage | IngestImage | EditImage

_decoder = msgspec.json.Decoder(AnyMessage)
_encoder = msgspec.json.Encoder()


def encode(message: Struct) -> bytes:
    """The message or event as JSON."""
    return _encoder.encode(message)


def decode(body: bytes | str) -> AnyMessage:
    """The message in `body`.

    Raises:
        BadMessage: It is not JSON, of an unknown type, or breaks a constraint; the text says where.
    """
    try:
        return _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadMessage(str(error)) from error

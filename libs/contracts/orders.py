"""What the exchange of jobs carries: orders from programs elsewhere, and our own notes that wake a worker."""

from typing import Annotated, TypeAlias
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from libs.contracts.commands import BadMessage
from libs.contracts.edits import Edit
from libs.contracts.enums import OnDuplicate, Retention
from libs.imaging.operations import AnyOperation

SOURCES = ("image_id", "url", "object")
ONE_OF_SOURCES = {"oneOf": [{"required": [name]} for name in SOURCES]}
NAME_CHARS = 255

# No control characters: PostgreSQL keeps no NUL. `$` alone would let a line break pass at the end.
Name = Annotated[str, Meta(min_length=1, max_length=NAME_CHARS, pattern=r"^[^\x00-\x1f\x7f]*$(?!\n)")]
Url = Annotated[str, Meta(min_length=1)]


class OrderSource(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """The image that an order is about; exactly one of the three is given."""

    image_id: Annotated[UUID, Meta(description="a stored image of the owner")] | None = None
    url: Annotated[str, Meta(min_length=1, description="http, https or data:")] | None = None
    object: (
        Annotated[
            str,
            Meta(
                min_length=1,
                max_length=1024,
                extra_json_schema={
                    "pattern": "^inbox/"
                },  # the door checks it, and more, with a code of its own
                description="a key under `inbox/OWNER/`, or one directly under `inbox/`; the object stays",
            ),
        ]
        | None
    ) = None

    def __post_init__(self) -> None:
        if sum(getattr(self, name) is not None for name in SOURCES) != 1:
            raise ValueError("a source is one of `image_id`, `url`, `object`")


Source = Annotated[OrderSource, Meta(extra_json_schema=ONE_OF_SOURCES)]


class Order(Struct, frozen=True, kw_only=True, tag_field="type"):
    """Work asked for by a program elsewhere.

    Unknown fields are ignored, so that fields may be added; a change of meaning is a new tag.
    """

    owner: Annotated[Name, Meta(description="the Darkroom account that it is done for")]
    job_id: (
        Annotated[
            Name, Meta(description="the sender's own name for it; the property `message_id` serves too")
        ]
        | None
    ) = None
    webhook_url: Annotated[Url, Meta(description="told of the end, as with the HTTP API")] | None = None


class TransformOrder(Order, frozen=True, kw_only=True, tag="transform.v1"):
    """Run operations, in order, over the source; the result is a new image, and `retention` its own."""

    source: Source
    operations: tuple[AnyOperation, ...]
    retention: Retention = Retention.EPHEMERAL


class EditOrder(Order, frozen=True, kw_only=True, tag="edit.v1"):
    """Have a model edit the source, or without one make images, and run operations over what it gives."""

    edit: Edit
    source: Source | None = None
    operations: tuple[AnyOperation, ...] = ()
    retention: Retention = Retention.EPHEMERAL


class IngestOrder(Order, frozen=True, kw_only=True, tag="ingest.v1"):
    """Keep the bytes of a `url` or an `object` as a new image; with operations, run them over it too."""

    source: Source
    operations: tuple[AnyOperation, ...] | None = None
    filename: Annotated[str, Meta(min_length=1, max_length=255)] | None = None
    retention: Annotated[Retention, Meta(description="keep without operations, else ephemeral")] | None = None
    on_duplicate: OnDuplicate = OnDuplicate.STORE

    def __post_init__(self) -> None:
        if self.source.image_id is not None:
            raise ValueError("what is stored already is not ingested; `source` is a `url` or an `object`")


class Wake(Struct, frozen=True, kw_only=True, tag_field="type", tag="wake.v1"):
    """Says that a job's row wants a worker, and nothing else: the row holds the command."""

    job_id: UUID


AnyOrder: TypeAlias = TransformOrder | EditOrder | IngestOrder

_decoder = msgspec.json.Decoder(AnyOrder | Wake)


def decode_incoming(body: bytes) -> AnyOrder | Wake:
    """The message in `body`.

    Raises:
        BadMessage: It is not JSON, of an unknown type, or breaks a constraint; the text says where.
    """
    try:
        return _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadMessage(str(error)) from error

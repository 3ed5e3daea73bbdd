"""The messages of the jobs exchange: orders from other programs, and our own wake-ups of a worker."""

from typing import Annotated, TypeAlias
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from libs.contracts.commands import BadMessage
from libs.contracts.edits import Edit
from libs.contracts.enums import OnDuplicate, Retention
from libs.contracts.json_text import JsonDecoder
from libs.imaging.operations import AnyOperation

SOURCES = ("image_id", "url", "object")
ONE_OF_SOURCES = {"oneOf": [{"required": [name]} for name in SOURCES]}
NAME_CHARS = 255

# No control characters: PostgreSQL stores no NUL. A bare `$` would accept a line break at the end.
Name = Annotated[str, Meta(min_length=1, max_length=NAME_CHARS, pattern=r"^[^\x00-\x1f\x7f]*$(?!\n)")]
Url = Annotated[str, Meta(min_length=1)]
PresetName = Annotated[
    str, Meta(min_length=1, max_length=63, description="a preset of the owner, whose operations run first")
]


class OrderSource(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """The image of an order; exactly one field is set."""

    image_id: Annotated[UUID, Meta(description="a stored image of the owner")] | None = None
    url: Annotated[str, Meta(min_length=1, description="http, https or data:")] | None = None
    object: (
        Annotated[
            str,
            Meta(
                min_length=1,
                max_length=1024,
                extra_json_schema={"pattern": "^inbox/"},  # checked on acceptance, with its own error code
                description="a key under `inbox/OWNER/` or directly under `inbox/`; it is never deleted",
            ),
        ]
        | None
    ) = None

    def __post_init__(self) -> None:
        if sum(getattr(self, name) is not None for name in SOURCES) != 1:
            raise ValueError("a source is one of `image_id`, `url`, `object`")


Source = Annotated[OrderSource, Meta(extra_json_schema=ONE_OF_SOURCES)]


class Order(Struct, frozen=True, kw_only=True, tag_field="type"):
    """Work requested by another program.

    Unknown fields are ignored, so fields may be added; a change of meaning needs a new tag.
    """

    owner: Annotated[Name, Meta(description="the Darkroom account that owns the results")]
    job_id: (
        Annotated[
            Name,
            Meta(description="the sender's name for the job; the property `message_id` may be used instead"),
        ]
        | None
    ) = None
    webhook_url: (
        Annotated[Url, Meta(description="receives a signed event when the job ends, as with the HTTP API")]
        | None
    ) = None


class TransformOrder(Order, frozen=True, kw_only=True, tag="transform.v1"):
    """Run a preset, operations, or both, over the source. The result is a new image with this `retention`."""

    source: Source
    operations: tuple[AnyOperation, ...] | None = None
    preset: PresetName | None = None
    retention: Retention = Retention.EPHEMERAL

    def __post_init__(self) -> None:
        if self.operations is None and self.preset is None:
            raise ValueError("a transform order has `operations`, a `preset`, or both")


class EditOrder(Order, frozen=True, kw_only=True, tag="edit.v1"):
    """Have a model edit the source, or make images without one, and run operations over its images."""

    edit: Edit
    source: Source | None = None
    operations: tuple[AnyOperation, ...] = ()
    retention: Retention = Retention.EPHEMERAL


class IngestOrder(Order, frozen=True, kw_only=True, tag="ingest.v1"):
    """Store the bytes of a `url` or an `object` as a new image, and run any operations over it."""

    source: Source
    operations: tuple[AnyOperation, ...] | None = None
    preset: PresetName | None = None
    filename: Annotated[str, Meta(min_length=1, max_length=255)] | None = None
    retention: Annotated[Retention, Meta(description="keep without operations, else ephemeral")] | None = None
    result_retention: Annotated[Retention, Meta(description="without it, as `retention`")] | None = None
    on_duplicate: OnDuplicate = OnDuplicate.STORE

    def __post_init__(self) -> None:
        if self.source.image_id is not None:
            raise ValueError("the source of an ingest order is a `url` or an `object`")
        if self.result_retention is not None and self.operations is None and self.preset is None:
            raise ValueError("`result_retention` needs `operations` or a `preset`")


AnyOrder: TypeAlias = TransformOrder | EditOrder | IngestOrder

_decoder = JsonDecoder(msgspec.json.Decoder(AnyOrder))


def decode_order(body: bytes) -> AnyOrder:
    """Decode an order.

    Raises:
        BadMessage: The body is not a valid order; the text names the place.
    """
    try:
        return _decoder.decode(body)
    except msgspec.ValidationError as error:
        raise BadMessage(str(error)) from error
    except msgspec.DecodeError as error:
        raise BadMessage(f"the order {error}") from error

"""Commands: the work that a job's row describes. `libs.contracts.orders` has what the broker carries."""

from typing import Annotated, ClassVar, TypeAlias
from uuid import UUID

import msgspec
from msgspec import Meta, Struct, field

from libs.contracts.edits import Edit
from libs.contracts.enums import Priority, Retention
from libs.contracts.json_text import JsonDecoder
from libs.contracts.outcome import Outcome
from libs.imaging.operations import AnyOperation


class BadMessage(Exception):
    """The body is not JSON, has an unknown type, or breaks a constraint."""

    code = "bad_message"
    outcome: ClassVar[Outcome] = "refused"


class Source(Struct, frozen=True, kw_only=True):
    """The image a job starts from."""

    image_id: UUID


class IngestSource(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The origin of an image's bytes; exactly one field is set."""

    url: Annotated[str, Meta(min_length=1)] | None = None  # http, https or `data:`
    object: Annotated[str, Meta(min_length=1)] | None = None  # a key under `inbox/`, never deleted
    image_id: UUID | None = None  # an ephemeral image, deleted when the job ends

    def __post_init__(self) -> None:
        if sum(origin is not None for origin in (self.url, self.object, self.image_id)) != 1:
            raise ValueError("a source is one of `url`, `object`, `image_id`")


class Follow(Struct, frozen=True, kw_only=True):
    """The job to queue once the image is stored. An ephemeral result expires with an ephemeral image."""

    job_id: UUID
    target: UUID
    operations: tuple[AnyOperation, ...]
    edit: Edit | None = None  # runs before the operations
    priority: Priority = Priority.INTERACTIVE
    retention: Retention | None = None  # of the result; None: that of the image


class Command(Struct, frozen=True, kw_only=True, tag_field="type"):
    """The work of one job.

    Unknown fields are ignored, so fields may be added; a change of meaning needs a new tag.
    """

    job_id: UUID
    owner: str  # username
    order: UUID | None = field(default=None, name="submission")  # the AMQP order that requested it


class TransformImage(Command, frozen=True, kw_only=True, tag="transform.v1"):
    """Run `operations` over the source and store the result as image `target`."""

    source: Source
    operations: tuple[AnyOperation, ...]
    target: UUID
    keep: bool = False  # the result has no expiry
    shares_expiry: bool = field(default=False, name="shares_clock")  # the result expires with its source


class DescribeImage(Command, frozen=True, kw_only=True, tag="describe.v1"):
    """Decode the whole source and store its metadata and perceptual hash."""

    source: Source


class IngestImage(Command, frozen=True, kw_only=True, tag="ingest.v1"):
    """Store the source's bytes as image `target`."""

    source: IngestSource
    target: UUID
    replaces: bool = False  # the target exists; its bytes are replaced
    filename: str | None = None  # None: the last part of the URL, or the target's current name
    retention: Retention | None = None  # None: keep, or the target's current retention
    tags: tuple[str, ...] | None = None  # None: none, or the target's current tags
    public: bool | None = None  # None: not, or as the target is
    renditions: tuple[str, ...] = ()  # presets to render ahead
    reuse: bool = False  # use a kept image of the owner with the same bytes instead
    follow: Follow | None = None
    operations: tuple[AnyOperation, ...] | None = None  # None: store the bytes as fetched


class RenderRenditions(Command, frozen=True, kw_only=True, tag="render_renditions.v1"):
    """Render presets of the source before anybody asks for their addresses."""

    source: Source
    presets: tuple[str, ...]


class EditImage(Command, frozen=True, kw_only=True, tag="edit.v1"):
    """Have a model edit the source, run `operations` over its images, and store the results.

    The first result is image `target`; each further one has the next higher id.
    """

    edit: Edit
    target: UUID
    source: Source | None = None  # None: the prompt alone
    operations: tuple[AnyOperation, ...] = ()
    keep: bool = False  # the results have no expiry
    shares_expiry: bool = field(default=False, name="shares_clock")  # the results expire with their source

    @property
    def targets(self) -> tuple[UUID, ...]:
        return tuple(UUID(int=self.target.int + number) for number in range(self.edit.n))


AnyCommand: TypeAlias = TransformImage | DescribeImage | IngestImage | EditImage | RenderRenditions

_decoder = JsonDecoder(msgspec.json.Decoder(AnyCommand))
_encoder = msgspec.json.Encoder()


class Summary(Struct, frozen=True, kw_only=True):
    """What is shown of a command."""

    image_id: UUID | None = None  # the image whose bytes are replaced
    operations: tuple[AnyOperation, ...] | None = None
    follow: UUID | None = None  # the job that is queued once the image is stored


def summary_of(command: AnyCommand) -> Summary:
    """Return what is shown of a command."""
    if isinstance(command, IngestImage):
        operations = command.follow.operations if command.follow else command.operations
        return Summary(
            image_id=command.target if command.replaces else None,
            operations=operations,
            follow=command.follow.job_id if command.follow else None,
        )
    if isinstance(command, DescribeImage | RenderRenditions):
        return Summary()
    return Summary(operations=command.operations)


def encode(message: Struct) -> bytes:
    """Encode a command, order or event as JSON."""
    return _encoder.encode(message)


def decode(body: bytes | str) -> AnyCommand:
    """Decode a command.

    Raises:
        BadMessage: The body is not a valid command; the text names the place.
    """
    try:
        return _decoder.decode(body)
    except msgspec.ValidationError as error:
        raise BadMessage(str(error)) from error
    except msgspec.DecodeError as error:
        raise BadMessage(f"the command {error}") from error

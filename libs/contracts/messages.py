"""What travels through the broker, as Structs; decoded once, where it arrives."""

from typing import TypeAlias
from uuid import UUID

import msgspec
from msgspec import Struct

from libs.imaging.operations import AnyOperation


class BadMessage(Exception):
    """The bytes are no message of ours."""

    code = "bad_message"


class Source(Struct, frozen=True, kw_only=True):
    """The image a job starts from."""

    image_id: UUID


class Message(Struct, frozen=True, kw_only=True, tag_field="type"):
    """One job. Unknown fields are ignored, so that fields may be added; a change of meaning is a new tag."""

    job_id: UUID
    owner: str  # username
    source: Source


class TransformImage(Message, frozen=True, kw_only=True, tag="transform.v1"):
    """Run `operations` over the source and store the result as image `target`."""

    operations: tuple[AnyOperation, ...]
    target: UUID
    keep: bool = False  # the result has no expiry
    shares_clock: bool = False  # the result ends together with its source


class DescribeImage(Message, frozen=True, kw_only=True, tag="describe.v1"):
    """Decode the source whole and note its perceptual hash."""


AnyMessage: TypeAlias = TransformImage | DescribeImage

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

"""Errors of request bodies."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

import msgspec

from libs.contracts.decode_errors import InvalidValue
from libs.contracts.outcome import Outcome


class RequestBodyError(Exception):
    """A request body is refused."""

    outcome: ClassVar[Outcome] = "refused"


class BadUpload(RequestBodyError):
    """The body is malformed; the text names the place."""

    code = "invalid_request"

    def __init__(self, text: str, fields: Sequence[Mapping[str, str]] = ()) -> None:
        super().__init__(text)
        self.fields = fields
        """Messages and keys, if fields of the form are wrong."""


def bad_field(name: str, error: msgspec.DecodeError) -> BadUpload:
    """Return the error of a form whose field has wrong content."""
    if not isinstance(error, msgspec.ValidationError):
        return BadUpload(f"{name} {error}", [{"message": str(error), "key": name}])
    found = field_errors(error)
    fields = [{**one, "key": name if one["key"] == "data" else name + _below(one["key"])} for one in found]
    return BadUpload(f"{name}: {error}", fields)


def _below(key: str) -> str:
    return key if key.startswith("[") else f".{key}"


class MissingImage(RequestBodyError):
    """The form has no file with the expected name."""

    code = "image_missing"


class UploadTooLarge(RequestBodyError):
    """The file is larger than the limit on uploads."""

    code = "upload_too_large"


class UnsupportedMediaType(RequestBodyError):
    """The address does not accept a body of this media type."""

    code = "unsupported_media_type"


def field_errors(error: msgspec.ValidationError) -> list[dict[str, str]]:
    """Return the faults of a body as Litestar lists those that it finds itself."""
    faults = error.faults if isinstance(error, InvalidValue) else ((str(error), ""),)
    return [{"message": text, "key": path.removeprefix(".") or "data"} for text, path in faults]

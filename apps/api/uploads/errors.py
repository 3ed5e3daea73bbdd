"""Errors of request bodies."""

from typing import ClassVar

from libs.contracts.outcome import Outcome


class RequestBodyError(Exception):
    """A request body is refused."""

    outcome: ClassVar[Outcome] = "refused"


class BadUpload(RequestBodyError):
    """The body is malformed; the text names the place."""

    code = "invalid_request"


class MissingImage(RequestBodyError):
    """The form has no file with the expected name."""

    code = "image_missing"


class UploadTooLarge(RequestBodyError):
    """The file is larger than the limit on uploads."""

    code = "upload_too_large"


class UnsupportedMediaType(RequestBodyError):
    """The address does not accept a body of this media type."""

    code = "unsupported_media_type"

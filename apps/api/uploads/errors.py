"""Errors of request bodies."""


class BadUpload(Exception):
    """The body is malformed; the text names the place."""

    code = "invalid_request"


class MissingImage(Exception):
    """The form has no file with the expected name."""

    code = "image_missing"


class UploadTooLarge(Exception):
    """The file is larger than the limit on uploads."""

    code = "upload_too_large"


class UnsupportedMediaType(Exception):
    """The address does not accept a body of this media type."""

    code = "unsupported_media_type"

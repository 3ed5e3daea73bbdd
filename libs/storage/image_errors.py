"""Errors about stored images."""

from typing import ClassVar

from libs.contracts.outcome import Outcome


class ImageError(Exception):
    """A request about an image cannot be fulfilled."""

    code = "image_error"
    outcome: ClassVar[Outcome] = "permanent"


class ImageNotFound(ImageError):
    """The image does not exist, is being deleted, or belongs to another account."""

    code = "image_not_found"


class ImageNotReady(ImageError):
    """The image's newest job has not finished."""

    code = "image_not_ready"


class ImageFailed(ImageError):
    """The image's newest job failed, so it has no result."""

    code = "image_failed"


class ImageChanged(ImageError):
    """A concurrent request deleted the image or replaced its file."""

    code = "image_changed"


class ImageNotKept(ImageError):
    """Only kept images have addresses under `/t/` and can be public: this one deletes itself."""

    code = "image_not_kept"
    outcome = "refused"


class QuotaExceeded(ImageError):
    """Storing the image would exceed the account's storage quota."""

    code = "quota_exceeded"
    outcome = "refused"

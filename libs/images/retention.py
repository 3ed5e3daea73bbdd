"""How long an upload and its results are kept, when the request does not say."""

from collections.abc import Sequence

from libs.contracts.enums import Retention
from libs.settings import Settings
from libs.storage.image_errors import ImageNotKept


def of_upload(requested: Retention | None, settings: Settings, *, has_result: bool) -> Retention:
    """Return the retention of an upload or a fetched image; without operations and prompt it is kept."""
    if requested is not None:
        return requested
    return Retention(settings.retention_with_operations) if has_result else Retention.KEEP


def of_result(requested: Retention | None, source: Retention) -> Retention:
    """Return the retention of what is made in the same request: that of its source unless requested."""
    return requested or source


def require_kept(kept: Retention, *, public: bool, renditions: Sequence[str]) -> None:
    """Check that an image that shall be public, or have renditions, is kept.

    Raises:
        ImageNotKept: It is not.
    """
    if (public or renditions) and kept != Retention.KEEP:
        wanted = "public" if public else "rendered ahead"
        raise ImageNotKept(f"an ephemeral image cannot be {wanted}: send `retention=keep` too")

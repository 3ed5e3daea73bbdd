"""What an upload token fixes about its uploads; it is stored with the token."""

from msgspec import Struct

from libs.contracts.enums import Retention
from libs.imaging.operations import AnyOperation


class UploadTerms(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What becomes of each image; None and nothing mean what they mean in an upload without a token."""

    operations: tuple[AnyOperation, ...] | None = None
    retention: Retention | None = None
    result_retention: Retention | None = None
    tags: tuple[str, ...] = ()
    webhook_url: str | None = None

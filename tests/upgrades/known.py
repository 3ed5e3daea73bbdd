"""What an archive of an older version holds, and what its clients know."""

from pathlib import Path

from msgspec import Struct

ARCHIVES = Path(__file__).parent / "recorded"
KNOWN, ROWS, OBJECTS, FILES = "known.json", "rows.sql", "objects.json", "files"


class Stored(Struct, frozen=True):
    """An image of the older version."""

    id: str
    filename: str
    body: bytes
    link: str  # path and query


class Known(Struct, frozen=True, kw_only=True):
    """The clients' side; `queued` are jobs that no worker had begun, in order."""

    secret: str
    password: str
    access_token: str
    refresh_token: str
    api_key: str
    webhook: str
    images: list[Stored]
    batch: str
    queued: list[str]

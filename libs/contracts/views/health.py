"""The state of a process and its backends."""

from typing import Literal

from msgspec import Struct


class Health(Struct, frozen=True, kw_only=True):
    """Whether this process can serve. Each part is `ok` or the text of its error."""

    status: Literal["ok", "failing"]
    database: str
    objects: str
    broker: str
    disk: str  # of temporary files, and of a `file://` object store
    edits: Literal["on", "off"]  # whether a model for edits is configured; both are healthy


class Liveness(Struct, frozen=True, kw_only=True):
    """The process answers."""

    status: Literal["ok"]

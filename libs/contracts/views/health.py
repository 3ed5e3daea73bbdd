"""The state of a process and its backends."""

from typing import Literal

from msgspec import Struct


class Health(Struct, frozen=True, kw_only=True):
    """Whether this process can serve. Each backend is `ok` or the text of its error."""

    status: Literal["ok", "failing"]
    database: str
    objects: str
    broker: str
    edits: Literal["on", "off"]  # whether a model for edits is configured; both are healthy

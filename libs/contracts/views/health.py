"""The state of a process and its backends."""

from typing import Literal

from msgspec import Struct


class Health(Struct, frozen=True, kw_only=True):
    """Whether this process can serve. Each part is `ok` or the text of its error."""

    status: Literal["ok", "failing"]
    """`ok` if every part is."""
    database: str
    """`ok`, or what is wrong with the database."""
    objects: str
    """`ok`, or what is wrong with the object store."""
    broker: str
    """`ok`, or what is wrong with the message broker."""
    disk: str
    """`ok`, or what is wrong with the disk of temporary files, and of a `file://` object store."""
    edits: Literal["on", "off"]
    """Whether a model for edits is configured; both are healthy."""


class Liveness(Struct, frozen=True, kw_only=True):
    """The process answers."""

    status: Literal["ok"]
    """Always `ok`."""

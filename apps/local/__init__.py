"""Work on files of this machine: the commands `process`, `describe` and `compare`."""

from apps.local.commands import compare, describe, process

__all__ = ["compare", "describe", "process"]

"""Errors of backups; each ends its command."""

from typing import ClassVar

from libs.contracts.outcome import Outcome


class BackupRefused(Exception):
    """A backup cannot be written or restored here; nothing was changed."""

    code = "backup_refused"
    outcome: ClassVar[Outcome] = "permanent"


class BackupDamaged(Exception):
    """A backup is not what its manifest says."""

    code = "backup_damaged"
    outcome: ClassVar[Outcome] = "permanent"

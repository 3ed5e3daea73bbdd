"""Backups: a folder with a copy of the database and of the objects, and a manifest that proves both."""

from libs.backup.errors import BackupDamaged, BackupRefused
from libs.backup.restore import restore
from libs.backup.write import write_backup

__all__ = ["BackupDamaged", "BackupRefused", "restore", "write_backup"]

"""Where the attempts at a job put their files, and how those of lost attempts are removed."""

from collections.abc import Sequence
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

import structlog

from libs.backends import Backends
from libs.contracts.commands import EditImage, IngestImage, TransformImage
from libs.storage import object_keys
from libs.storage.objects import ObjectsNotDeleted, StoreUnavailable

StoringCommand: TypeAlias = TransformImage | IngestImage | EditImage
"""The command of a job that stores files."""

log = structlog.get_logger(__name__)


def folder(command: StoringCommand) -> str:
    """Return the folder of a job's file: one that was made of another file is a result."""
    as_fetched = isinstance(command, IngestImage) and command.operations is None
    return object_keys.ORIGINALS if as_fetched else object_keys.RESULTS


def key_name(command: IngestImage) -> str:
    """Return the id part of a fetched file's key; a replacement gets a key beside the former one."""
    return f"{command.target}.{command.job_id}" if command.replaces else str(command.target)


async def clear_attempts(command: StoringCommand, made_at: datetime, backends: Backends) -> None:
    """Remove the objects that earlier attempts at a job left when their worker was killed.

    Call it only as the holder of the job's lease, or once the job has failed: no earlier attempt can end it
    then. If the store is unavailable or refuses, the objects stay.
    """
    try:
        for name in _key_names(command):
            prefix = object_keys.key_prefix(command.owner, name, folder=folder(command), when=made_at)
            left = [stored.key async for stored in backends.objects.scan(prefix)]
            if left:
                await backends.objects.delete(left)
    except (ObjectsNotDeleted, StoreUnavailable) as error:
        log.warning("attempts_stay", job_id=str(command.job_id), error=str(error))


def _key_names(command: StoringCommand) -> Sequence[UUID | str]:
    match command:
        case IngestImage():
            return [key_name(command)]
        case TransformImage():
            return [command.target]
        case EditImage():
            return command.targets

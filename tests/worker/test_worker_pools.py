"""Workers that take a part of the work each."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from apps.worker.consumer import Worker
from libs.backends import Backends
from libs.contracts.enums import JobKind, JobStatus, Retention
from libs.imaging.hashing import IMPORTED_LATE
from libs.runtime import process_pool
from libs.settings import WorkerPoolName, load_settings
from libs.settings.load import SettingsError
from libs.storage.database.tables import Job
from tests.storage.rows import an_owner, job_row
from tests.support.backends import NewBackends, ended, submit, working

OPERATIONS = [{"op": "resize", "width": 40}]


def worker_of(backends: Backends, pools: Sequence[WorkerPoolName]) -> Worker:
    part = Backends(
        replace(backends.settings, worker_pools=tuple(pools)),
        backends.database,
        backends.objects,
        backends.broker,
        backends.scratch,
    )
    return Worker(part)


@pytest.mark.parametrize(
    "new_backends", [pytest.param("services", marks=pytest.mark.services)], indirect=True
)
async def test_a_worker_without_the_bulk_pool_leaves_bulk_work_to_one_that_has_it(
    new_backends: NewBackends, photo: Path
) -> None:
    backends = await new_backends()
    _, job = await submit(backends, await an_owner(), photo, OPERATIONS, Retention.KEEP)
    async with worker_of(backends, ["interactive", "edits"]).running():
        assert (await ended(job.id)).status == JobStatus.COMPLETED
        description = await Job.objects().where(Job.kind == JobKind.DESCRIBE).first()
        assert description is not None
        assert (await job_row(description.id)).status == JobStatus.QUEUED
    async with worker_of(backends, ["bulk"]).running():
        assert (await ended(description.id)).status == JobStatus.COMPLETED


@pytest.mark.parametrize("new_backends", ["embedded"], indirect=True)
async def test_the_fork_server_of_a_worker_imports_what_hashes_need(new_backends: NewBackends) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(process_pool, "PRELOAD", [])
        async with working(await new_backends()):
            assert tuple(process_pool.PRELOAD) == IMPORTED_LATE


def test_one_process_for_everything_takes_all_work(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="DARKROOM_WORKER_POOLS"):
        load_settings({"DARKROOM_DATA_DIR": str(tmp_path), "DARKROOM_WORKER_POOLS": "bulk"})

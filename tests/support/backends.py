"""Real backends, worker and scheduler inside the test's own process."""

import asyncio
import hashlib
import shutil
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from uuid import UUID, uuid4

import psutil
import pytest
from msgspec import convert

from apps.worker.consumer import Worker
from libs.backends import Backends, open_backends
from libs.contracts.enums import JobStatus, Retention
from libs.images.upload import CreateImage, Upload, create_image
from libs.imaging.header import read_header
from libs.imaging.operations import AnyOperation
from libs.jobs.build import JobOptions
from libs.settings import load_settings
from libs.storage import jobs
from libs.storage.database.tables import BaseUser, Image, Job
from libs.storage.objects import open_objects
from tests.storage.rows import job_row
from tests.support.migrated_database import copy_migrated_file, migrated_database
from tests.support.services import own_bucket, own_vhost
from tests.support.shared_sites import BOTH
from tests.support.site import QUICK, SECRET
from tests.support.site_jobs import busy_one_of, starters_of_renders
from tests.support.waiting import until

NewBackends = Callable[..., Awaitable[Backends]]


@asynccontextmanager
async def opened_backends(directory: Path, **settings: str) -> AsyncGenerator[Backends]:
    """Backends with a migrated database."""
    values = {**QUICK, "DATA_DIR": str(directory / "data"), "SECRET_KEY": SECRET, **settings}
    environment = {f"DARKROOM_{name}": value for name, value in values.items()}
    database = directory / "data" / "darkroom.sqlite"
    if "DATABASE_URL" not in settings and not database.exists():
        await copy_migrated_file(database)
    async with open_backends(load_settings(environment)) as backends:
        yield backends


@pytest.fixture(params=BOTH)
async def new_backends(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[NewBackends]:
    """Open backends of each kind with the settings a test needs."""
    async with AsyncExitStack() as stack:

        async def start(**settings: str) -> Backends:
            if request.param == "services":
                settings = {
                    "DATABASE_URL": await stack.enter_async_context(migrated_database()),
                    "BROKER_URL": await stack.enter_async_context(own_vhost()),
                    "OBJECTS_URL": own_bucket(),
                    **settings,
                }
            return await stack.enter_async_context(opened_backends(tmp_path, **settings))

        yield start


@asynccontextmanager
async def working(backends: Backends) -> AsyncGenerator[Worker]:
    worker = Worker(backends)
    async with worker.running():
        yield worker


async def submit(
    backends: Backends,
    owner: BaseUser,
    photo: Path,
    operations: Sequence[Mapping[str, object]] | None,
    retention: Retention | None = None,
) -> tuple[Image, Job]:
    """Upload as the API does."""
    path = backends.scratch / uuid4().hex
    await asyncio.to_thread(shutil.copyfile, photo, path)
    content = path.read_bytes()
    upload = Upload(
        path=path,
        filename=photo.name,
        size_bytes=len(content),
        md5=hashlib.md5(content, usedforsecurity=False).hexdigest(),
        header=read_header(path, backends.settings.image_limits),
    )
    command = CreateImage(
        owner=owner,
        upload=upload,
        options=JobOptions(request_id="test"),
        operations=None if operations is None else convert(operations, list[AnyOperation]),
        retention=retention,
    )
    image, job = await create_image(command, backends)
    assert job is not None
    return image, job


async def ended(job_id: UUID) -> Job:
    """Wait until the job has ended, and return its row."""

    async def row() -> Job | None:
        job = await job_row(job_id)
        return None if job.status in jobs.UNFINISHED else job

    job = await until(row)
    assert job is not None
    return job


async def running(job_id: UUID) -> None:
    """Wait until a worker has claimed the job."""

    async def claimed() -> bool:
        return (await job_row(job_id)).status == JobStatus.RUNNING

    await until(claimed)


async def busy_render_process() -> psutil.Process:
    """The render process that works, once there is one."""
    return await busy_one_of(psutil.Process())


def processes() -> list[psutil.Process]:
    """All render processes of this process, busy and idle."""
    return [
        one
        for helper in starters_of_renders(psutil.Process())
        for one in helper.children(recursive=True)
        if one.status() != psutil.STATUS_ZOMBIE
    ]


async def put_object(url: str, key: str, file: Path, scratch: Path) -> None:
    """Put a copy of a file into a store, as an operator does at its console."""
    store, copy = open_objects(url, scratch), scratch / uuid4().hex
    await asyncio.to_thread(shutil.copyfile, file, copy)
    try:
        await store.put(key, copy, content_type="image/jpeg", metadata={})
    finally:
        await store.close()

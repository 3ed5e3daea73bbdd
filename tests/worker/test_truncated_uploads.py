"""A kept upload whose file is truncated: two jobs read it, of which its owner requested one."""

from pathlib import Path

import pytest

from libs.contracts.enums import ImageStatus, JobKind, Retention
from libs.jobs import publish
from libs.storage.database.tables import Image, Job
from tests.storage.rows import an_owner
from tests.support.backends import NewBackends, ended, submit, working
from tests.support.site_jobs import SMALL


@pytest.mark.parametrize("first", [JobKind.DESCRIBE, JobKind.TRANSFORM])
async def test_the_requested_job_has_the_error_whichever_job_reads_the_file_first(
    new_backends: NewBackends, photo: Path, tmp_path: Path, first: JobKind
) -> None:
    backends = await new_backends()
    cut = tmp_path / "cut.jpg"
    cut.write_bytes(photo.read_bytes()[:-5000])
    image, awaited_job = await submit(backends, await an_owner(), cut, SMALL, Retention.KEEP)
    queued = {job.kind: job for job in await Job.objects().where(Job.image == image.id)}
    (late,) = [job for kind, job in queued.items() if kind != first]
    await Job.update({Job.held: True}).where(Job.id == late.id)
    async with working(backends):
        await ended(queued[first].id)
        await Job.update({Job.held: False}).where(Job.id == late.id)
        await publish.publish(late, backends)
        await ended(late.id)
        assert (await ended(awaited_job.id)).error_code == "image_truncated"
    assert await Image.select(Image.status).where(Image.id == image.id) == [{"status": ImageStatus.DELETING}]

"""Jobs that are cancelled before a worker took them."""

from pathlib import Path

from libs.contracts.commands import IngestImage, IngestSource, decode
from libs.images.from_url import FetchImage, fetch_image
from libs.jobs.build import JobOptions
from libs.jobs.cancel import cancel
from libs.storage import jobs
from tests.storage.rows import an_owner, job_row
from tests.support.backends import opened_backends

DATA_URL = f"data:image/png;base64,{'A' * 10_000}"


async def test_the_bytes_of_a_data_url_leave_the_row_when_the_job_is_cancelled_and_not_before(
    tmp_path: Path,
) -> None:
    async with opened_backends(tmp_path) as backends:
        owner, options = await an_owner(), JobOptions(request_id=None)
        fetch = FetchImage(owner=owner, source=IngestSource(url=DATA_URL), options=options)
        job = await fetch_image(fetch, backends)
        command = decode(job.command)
        assert isinstance(command, IngestImage)
        await jobs.forget_source(command)
        assert (await job_row(job.id)).command == job.command
        await cancel(owner, job.id, backends)
        emptied = decode((await job_row(job.id)).command)
        assert isinstance(emptied, IngestImage)
        assert emptied.source.url == "data:,"

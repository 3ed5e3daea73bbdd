"""The pace of the overview, and timelines of jobs that an earlier release ran."""

import asyncio
from datetime import timedelta

import pytest

from apps.api.responses.operator_views import job_detail
from apps.api.responses.site_watch import Paced, SiteWatch
from libs.contracts.enums import JobStatus
from libs.storage.database.tables import now
from tests.storage.rows import a_queued_job, job_row


async def test_a_part_is_read_once_however_many_ask_and_again_after_a_rest() -> None:
    readings = 0

    async def read() -> int:
        nonlocal readings
        readings += 1
        await asyncio.sleep(0.02)  # what a query takes
        return readings

    slow = Paced(read, every_s=0.01)
    assert await asyncio.gather(*(slow.get() for _ in range(50))) == [1] * 50
    assert await slow.get() == 1  # it rests ten times as long as it took


@pytest.mark.usefixtures("database")
async def test_all_watchers_of_a_process_share_one_overview() -> None:
    job = await a_queued_job(created_at=now() - timedelta(minutes=5))
    site = SiteWatch()
    shown = await asyncio.gather(*(site.overview() for _ in range(20)))
    assert {(one.queues, one.minutes) for one in shown} == {(shown[0].queues, shown[0].minutes)}
    [queue] = shown[0].queues
    assert (queue.queue, queue.waiting, queue.running) == ("transform", 1, 0)
    assert queue.oldest_waiting_at is not None
    assert abs(queue.oldest_waiting_at - job.created_at) < timedelta(seconds=1)
    assert shown[0].minutes[-1].unfinished == 1


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("status", [JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED])
async def test_a_job_without_entries_shows_what_its_columns_have(status: JobStatus) -> None:
    moment = now()
    job = await a_queued_job(
        status=status, started_at=moment, finished_at=moment, attempts=3, worker="w", error_code="gone"
    )
    timeline = (await job_detail(await job_row(job.id), "")).timeline
    assert [one.event for one in timeline] == ["queued", "claimed", status.value]
    assert (timeline[1].worker, timeline[1].attempt) == ("w", 3)
    assert timeline[2].error_code == ("gone" if status == JobStatus.FAILED else None)

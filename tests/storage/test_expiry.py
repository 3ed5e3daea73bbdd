"""The expiry of ephemeral images, and the deletion of rows."""

import asyncio
from datetime import datetime, timedelta

import pytest

from libs.contracts.enums import ImageStatus, JobStatus, Retention
from libs.storage import image_expiry, images, leases
from libs.storage.database.tables import Image, Job, now
from tests.storage.rows import DAY_S, a_job, an_image, an_owner, claimed, complete, image_row, job_row

pytestmark = pytest.mark.usefixtures("database")

DOWNLOADED_S = 300.0
SOON = timedelta(hours=1)  # far from both a download's five minutes and a day
RACES = 20


async def ends(image: Image) -> tuple[datetime | None, datetime | None]:
    row = await image_row(image.id)
    return row.first_downloaded_at, row.expires_at


async def test_only_the_first_download_sets_the_expiry() -> None:
    image = await an_image(await an_owner())
    await asyncio.gather(*(image_expiry.note_download(image, downloaded_s=10 * n) for n in range(1, 9)))
    first = await ends(image)
    assert None not in first
    await image_expiry.note_download(await image_row(image.id), downloaded_s=DAY_S)
    await image_expiry.note_download(image, downloaded_s=DAY_S)  # one who read the row before
    assert await ends(image) == first


async def test_a_kept_image_never_expires() -> None:
    image = await an_image(await an_owner(), retention=Retention.KEEP, expires_at=None)
    await image_expiry.note_download(image, downloaded_s=1)
    assert await ends(image) == (None, None)


@pytest.mark.parametrize("downloaded", ["source", "result"])
async def test_source_and_result_of_one_expiry_group_expire_together(downloaded: str) -> None:
    owner = await an_owner()
    source = await an_image(owner)
    result = await complete(await claimed((await a_job(owner, source)).id), owner)
    await image_expiry.note_download(source if downloaded == "source" else result, downloaded_s=DOWNLOADED_S)
    assert await ends(source) == await ends(result)
    started, ended = await ends(source)
    assert started is not None
    assert ended == started + timedelta(seconds=DOWNLOADED_S)


async def test_a_later_result_expires_by_itself() -> None:
    owner = await an_owner()
    source = await an_image(owner)
    result = await complete(await claimed((await a_job(owner, source)).id), owner, shares_expiry=False)
    before = await ends(result)
    await image_expiry.note_download(source, downloaded_s=DOWNLOADED_S)
    assert await ends(result) == before
    other = await an_image(owner)
    await image_expiry.note_download(result, downloaded_s=DOWNLOADED_S)
    assert (await ends(other))[0] is None


async def test_a_result_that_finishes_as_its_source_is_downloaded_ends_with_it() -> None:
    owner = await an_owner()
    for turn in range(RACES):
        source = await an_image(owner)
        claim = await claimed((await a_job(owner, source)).id)
        steps = [
            complete(claim, owner),
            image_expiry.note_download(source, downloaded_s=DOWNLOADED_S),
        ]
        done = await asyncio.gather(*(steps if turn % 2 else reversed(steps)))
        [result] = [one for one in done if one is not None]
        (source_start, source_end), (result_start, result_end) = await ends(source), await ends(result)
        assert source_start == result_start
        assert source_start is not None
        assert source_end is not None
        assert result_end is not None
        assert source_end <= result_end < source_end + SOON


async def test_a_result_of_a_source_that_is_now_kept_still_has_an_end() -> None:
    owner = await an_owner()
    source = await an_image(owner)
    claim = await claimed((await a_job(owner, source)).id)
    await images.change(source, filename=None, retention=Retention.KEEP, undownloaded_s=DAY_S)
    result = await complete(claim, owner)
    assert (await ends(result))[1] is not None
    assert await ends(source) == (None, None)


async def test_only_what_has_reached_its_end_is_marked() -> None:
    owner = await an_owner()
    over = await an_image(owner, expires_at=now())
    alive = await an_image(owner)
    kept = await an_image(owner, retention=Retention.KEEP, expires_at=None)
    assert await image_expiry.mark_expired(10) == 1
    assert [one.id for one in await image_expiry.list_deleting(10)] == [over.id]
    assert {(await image_row(one.id)).status for one in (alive, kept)} == {ImageStatus.PENDING}


async def test_an_image_with_an_unfinished_job_waits_for_it() -> None:
    owner = await an_owner()
    image = await an_image(owner, expires_at=now())
    job = await a_job(owner, image)
    assert await image_expiry.mark_expired(10) == 0
    claim = await claimed(job.id)
    assert await image_expiry.mark_expired(10) == 0
    await complete(claim, owner, shares_expiry=False)
    assert await image_expiry.mark_expired(10) == 1


async def test_no_more_are_marked_than_requested() -> None:
    owner = await an_owner()
    for _ in range(7):
        await an_image(owner, expires_at=now())
    assert [await image_expiry.mark_expired(3) for _ in range(4)] == [3, 3, 1, 0]


async def test_each_mark_and_each_removal_is_one_callers() -> None:
    owner = await an_owner()
    for _ in range(20):
        await an_image(owner, expires_at=now())
    assert sum(await asyncio.gather(*(image_expiry.mark_expired(20) for _ in range(3)))) == 20
    marked = [one.id for one in await image_expiry.list_deleting(100)]
    forgotten = await asyncio.gather(*(image_expiry.delete_rows(marked) for _ in range(3)))
    assert sorted(one for some in forgotten for one in some) == sorted(marked)
    assert await image_expiry.delete_rows(marked) == []
    assert await image_expiry.delete_rows([]) == []
    assert await Image.count() == 0


async def test_an_image_that_is_not_marked_is_not_forgotten() -> None:
    image = await an_image(await an_owner())
    assert await image_expiry.delete_rows([image.id]) == []


async def test_deleting_an_image_stops_its_jobs_once() -> None:
    owner = await an_owner()
    image = await an_image(owner)
    job = await a_job(owner, image)
    claim = await claimed(job.id)
    assert await image_expiry.mark_deleting(image.id) == [job.id]
    assert await image_expiry.mark_deleting(image.id) == []
    with pytest.raises(leases.LostLease):
        await complete(claim, owner)
    assert (await job_row(job.id)).status == JobStatus.CANCELLED
    assert await images.by_id(image.id) is None


async def test_jobs_and_results_outlive_their_source() -> None:
    owner = await an_owner()
    image = await an_image(owner)
    job = await a_job(owner, image)
    result = await complete(await claimed(job.id), owner)
    await image_expiry.mark_deleting(image.id)
    await image_expiry.delete_rows([image.id])
    assert (await image_row(result.id)).parent is None
    row = await Job.objects().where(Job.id == job.id).first()
    assert row is not None
    assert (row.image, row.result) == (None, result.id)

"""Lists leave in the database what may be large and is not shown."""

from libs.storage import due_jobs, image_list, images, jobs
from libs.storage.database.engine import Engine
from libs.storage.database.tables import now
from libs.storage.image_list import Filter
from tests.storage.rows import a_job, an_image, an_owner

LARGE = {"command", "metadata"}


async def test_lists_read_neither_the_commands_of_jobs_nor_the_metadata_of_images(database: Engine) -> None:
    owner = await an_owner()
    image = await an_image(owner, metadata='{"xmp": "<x:xmpmeta/>"}')
    job = await a_job(owner, image, publish_at=now())
    found, total = await image_list.page(owner.id, Filter(), limit=10, after=None)
    listed, _ = await jobs.page(owner.id, status=None, kind=None, image=None, limit=10, after=None)
    lists = [
        found,
        await images.by_ids([image.id]),
        listed,
        [await jobs.shown(owner.id, job.id)],
        await jobs.by_ids([job.id]),
        await jobs.newest_of([image.id]),
        await due_jobs.take_due(10),
    ]
    assert total == 1
    assert [[row.id for row in rows] for rows in lists] == [[image.id]] * 2 + [[job.id]] * 5
    assert [name for rows in lists for row in rows for name in LARGE & vars(row).keys()] == []

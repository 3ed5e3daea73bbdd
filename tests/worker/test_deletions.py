"""Deletions by a user while the scheduler deletes expired images."""

import asyncio

from libs.images import expiry
from libs.storage.database.tables import Image
from tests.storage.rows import a_job, an_image, an_owner
from tests.support.backends import NewBackends


async def test_an_image_is_deleted_once_by_user_or_scheduler(new_backends: NewBackends) -> None:
    backends = await new_backends()
    owner = await an_owner()
    doomed = [await an_image(owner) for _ in range(60)]
    for image in doomed:
        await a_job(owner, image)  # its end is announced between the mark and the removal

    async def sweeps() -> None:
        while await Image.count():
            await expiry.expire(backends)

    async with asyncio.TaskGroup() as sweepers:
        for _ in range(3):
            sweepers.create_task(sweeps())
        for image in doomed:
            await expiry.delete(image, owner, backends)


async def test_an_image_that_the_scheduler_has_just_removed_is_deleted_without_an_error(
    new_backends: NewBackends,
) -> None:
    backends = await new_backends()
    owner = await an_owner()
    image = await an_image(owner)
    await expiry.delete(image, owner, backends)
    await expiry.delete(image, owner, backends)
    assert await Image.count() == 0

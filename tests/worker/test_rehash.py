"""`darkroom rehash`: what lacks its hash gets it, in as many runs as it takes."""

import asyncio
from pathlib import Path

import imagehash
from PIL import Image as Picture

from libs.images.rehash import rehash
from libs.imaging.hashing import hex64
from libs.storage import image_descriptions
from tests.storage.rows import an_owner, image_row
from tests.support.backends import NewBackends, submit
from tests.support.site_jobs import SMALL


async def test_missing_hashes_are_computed_once_however_often_it_is_stopped(
    new_backends: NewBackends, photo: Path
) -> None:
    backends = await new_backends(WORKER_CONCURRENCY="1")
    owner = await an_owner()
    ids = [(await submit(backends, owner, photo, SMALL))[0].id for _ in range(3)]
    gone, _ = await submit(backends, owner, photo, SMALL)
    await backends.objects.delete([gone.object_key])
    stop = asyncio.Event()
    steps: list[int] = []

    def stopping(count: int) -> None:
        steps.append(count)
        stop.set()

    first = await rehash(backends, stop, stopping)
    assert (first.done, first.failed, steps) == (1, 0, [1])
    assert await image_descriptions.count_undescribed() == 3
    second = await rehash(backends, asyncio.Event(), steps.append)
    assert (second.done, second.failed) == (2, 1)
    assert await image_descriptions.count_undescribed() == 1
    expected = str(imagehash.phash(Picture.open(photo)))
    for image_id in ids:
        row = await image_row(image_id)
        assert hex64(row.phash) == expected
        assert row.metadata
    before = [(await image_row(one)).updated_at for one in ids]
    assert (await rehash(backends, asyncio.Event(), steps.append)).done == 0
    assert [(await image_row(one)).updated_at for one in ids] == before

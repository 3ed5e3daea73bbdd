"""`darkroom rehash`: what lacks today's hash gets it, in as many runs as it takes."""

import asyncio
from pathlib import Path
from uuid import UUID

import imagehash
import pytest
from PIL import Image as Picture

from libs.images.rehash import rehash
from libs.imaging.hashing import HASH_VERSION, hex64
from libs.storage import image_descriptions
from libs.storage.database.tables import Image
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


@pytest.mark.parametrize("new_backends", ["embedded"], indirect=True)
async def test_hashes_of_an_earlier_version_are_brought_up_to_date(
    new_backends: NewBackends, tmp_path: Path
) -> None:
    backends = await new_backends(WORKER_CONCURRENCY="1")
    owner = await an_owner()
    ids: list[UUID] = []
    picture = Picture.linear_gradient("L").resize((90, 60))
    for name, orientation, stored in (
        ("upright.png", 1, picture),
        ("turned.png", 6, picture.transpose(Picture.Transpose.ROTATE_90)),
    ):
        exif = Picture.Exif()
        exif[0x0112] = orientation
        stored.save(tmp_path / name, exif=exif)
        ids.append((await submit(backends, owner, tmp_path / name, SMALL))[0].id)
    assert (await rehash(backends, asyncio.Event(), lambda _: None)).done == 2
    today = [(await image_row(one)).to_dict() for one in ids]
    await Image.update({Image.phash: 0, Image.hash_version: 1, Image.metadata: "{}"}).where(
        Image.id == ids[1]
    )
    assert await image_descriptions.count_undescribed() == 1
    assert not image_descriptions.is_described(await image_row(ids[1]))
    counts = await rehash(backends, asyncio.Event(), lambda _: None)
    assert (counts.done, counts.failed) == (1, 0)
    again = [(await image_row(one)).to_dict() for one in ids]
    assert again == today
    assert again[0]["hash_version"] == again[1]["hash_version"] == HASH_VERSION
    assert again[0]["phash"] == again[1]["phash"]
    assert image_descriptions.is_described(await image_row(ids[1]))

"""Renditions: rendered once, kept under a claim, evicted, and never half there."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from libs.backends import Backends
from libs.contracts.enums import Retention
from libs.delivery import eviction
from libs.delivery.address import parse_address
from libs.delivery.key_ring import KeyRing
from libs.delivery.renditions import Renditions
from libs.delivery.resolver import Choice, Resolver
from libs.delivery.wanted import Wanted
from libs.images import expiry
from libs.images.consistency import Examination, Finding
from libs.imaging.errors import CropOutside
from libs.outbound import UrlForbidden
from libs.storage import renditions as rows
from libs.storage.database.delivery_tables import Rendition
from libs.storage.database.tables import Image, now
from libs.storage.image_errors import ImageNotFound
from tests.storage.object_calls import listed
from tests.storage.rows import an_owner
from tests.support.addresses import remote, signed
from tests.support.backends import NewBackends, busy_render_process, put_object, submit
from tests.support.photo_server import ALLOWED, PhotoServer
from tests.support.waiting import until

FOLDER = ".renditions/"

SLOW = "sharpen:sharpen:sharpen:sharpen:convert,format_png"  # two seconds for `slow_picture` on an idle core


@asynccontextmanager
async def rendering(backends: Backends) -> AsyncGenerator[Renditions]:
    made = Renditions(backends)
    try:
        yield made
    finally:
        await made.close()


async def an_image(backends: Backends, photo: Path) -> Image:
    image, _ = await submit(backends, await an_owner(), photo, None, Retention.KEEP)
    return image


async def wanted(backends: Backends, steps: str, source: Image | str) -> Wanted:
    resolver = Resolver(backends.settings, KeyRing(backends.settings.delivery_keys))
    address = parse_address(signed(steps, source if isinstance(source, str) else str(source.id)))
    return await resolver.resolve(address, Choice())


async def stored(backends: Backends, count: int = 1) -> list[Rendition]:
    """Wait until so many renditions are stored."""

    async def found() -> list[Rendition]:
        ready = await Rendition.objects().where(Rendition.ready == True).order_by(Rendition.id)  # noqa: E712
        return ready if len(ready) == count else []

    return await until(found)


async def test_one_rendition_asked_for_by_many_is_rendered_once_and_then_found(
    new_backends: NewBackends, photo: Path
) -> None:
    backends = await new_backends()
    asked = await wanted(backends, "w_300", await an_image(backends, photo))
    async with rendering(backends) as renditions:
        found = await asyncio.gather(*(renditions.get(asked) for _ in range(20)))
        assert len({id(one) for one in found}) == 1
        (row,) = await stored(backends)
        again = await renditions.get(asked)
    assert (again.hit, again.md5, again.object_key) == (True, found[0].md5, row.object_key)
    assert await listed(backends.objects, FOLDER) == [row.object_key]


async def test_who_does_not_hold_the_claim_waits_for_who_does(new_backends: NewBackends, photo: Path) -> None:
    backends = await new_backends()
    asked = await wanted(backends, "w_300", await an_image(backends, photo))
    async with rendering(backends) as first, rendering(backends) as second:
        found = await asyncio.gather(first.get(asked), second.get(asked))
    assert sorted(one.hit for one in found) == [False, True]
    assert len({one.md5 for one in found}) == 1


async def test_a_claim_whose_renderer_died_is_taken_over(new_backends: NewBackends, photo: Path) -> None:
    backends = await new_backends()
    image = await an_image(backends, photo)
    asked = await wanted(backends, "w_300", image)
    dead = await rows.claim(asked.digest, owner=image.owner, image=image.id, preset=None, lease_s=0.01)
    assert dead is not None
    async with rendering(backends) as renditions:
        assert not (await renditions.get(asked)).hit
        await stored(backends)
    assert not await rows.complete(dead, {Rendition.object_key: "late"})


async def test_one_of_many_gets_a_claim_and_one_of_many_takes_it_over(
    new_backends: NewBackends, photo: Path
) -> None:
    backends = await new_backends()
    image = await an_image(backends, photo)

    async def claims(lease_s: float) -> int:
        calls = (
            rows.claim("digest", owner=image.owner, image=image.id, preset=None, lease_s=lease_s)
            for _ in range(8)
        )
        return sum(claim is not None for claim in await asyncio.gather(*calls))

    assert await claims(lease_s=600) == 1
    await Rendition.update({Rendition.lease_until: now() - timedelta(seconds=1)}, force=True)
    assert await claims(lease_s=600) == 1


async def test_no_rendition_of_a_deleted_image_is_claimed(new_backends: NewBackends) -> None:
    await new_backends()
    owner = await an_owner()
    with pytest.raises(ImageNotFound):
        await rows.claim("digest", owner=owner.id, image=uuid4(), preset=None, lease_s=600)


async def test_the_lease_is_extended_while_the_render_takes_long(
    new_backends: NewBackends, slow_picture: bytes, tmp_path: Path
) -> None:
    backends = await new_backends()
    path = tmp_path / "slow.jpg"
    path.write_bytes(slow_picture)
    asked = await wanted(backends, SLOW, await an_image(backends, path))
    async with rendering(backends) as renditions:
        task = asyncio.create_task(renditions.get(asked))
        process = await busy_render_process()
        process.suspend()
        try:
            (row,) = await Rendition.objects()

            async def extended() -> bool:
                (current,) = await Rendition.objects()
                return current.lease_until > row.lease_until

            await until(extended)
        finally:
            process.resume()
        assert not (await task).hit


async def test_a_fault_of_the_image_is_remembered_and_leaves_no_claim(
    new_backends: NewBackends, photo: Path
) -> None:
    backends = await new_backends()
    asked = await wanted(backends, "crop,x_600,width_600,height_300", await an_image(backends, photo))
    errors: list[Exception] = []
    async with rendering(backends) as renditions:
        for _ in range(2):
            with pytest.raises(CropOutside) as caught:
                await renditions.get(asked)
            errors.append(caught.value)
    assert errors[0] is errors[1]
    assert await Rendition.count() == 0


@pytest.mark.parametrize("new_backends", ["embedded"], indirect=True)  # S3 has no folders
async def test_a_rendition_that_cannot_be_stored_is_sent_all_the_same(
    new_backends: NewBackends, photo: Path, tmp_path: Path
) -> None:
    backends = await new_backends()
    image = await an_image(backends, photo)
    asked = await wanted(backends, "w_300", image)
    in_the_way = f"{FOLDER}{image.id}"  # no object can have a key below that of another
    await put_object(backends.settings.objects_url, in_the_way, photo, tmp_path)
    async with rendering(backends) as renditions:
        found = await renditions.get(asked)
    assert found.body
    assert await Rendition.count() == 0
    assert await listed(backends.objects, FOLDER) == [in_the_way]


async def test_what_is_rendered_while_its_image_is_deleted_leaves_nothing(
    new_backends: NewBackends, slow_picture: bytes, tmp_path: Path
) -> None:
    backends = await new_backends()
    path = tmp_path / "slow.jpg"
    path.write_bytes(slow_picture)
    owner = await an_owner()
    image, _ = await submit(backends, owner, path, None, Retention.KEEP)
    asked = await wanted(backends, SLOW, image)
    async with rendering(backends) as renditions:
        task = asyncio.create_task(renditions.get(asked))
        process = await busy_render_process()
        process.suspend()
        try:
            await expiry.delete(image, owner, backends)
        finally:
            process.resume()
        await task
    assert await listed(backends.objects, FOLDER) == []
    assert await Rendition.count() == 0


async def test_the_cache_keeps_its_size_and_loses_what_was_used_longest_ago(
    new_backends: NewBackends, photo: Path
) -> None:
    backends = await new_backends(RENDITIONS_BYTES="30000")
    image = await an_image(backends, photo)
    async with rendering(backends) as renditions:
        for width in (200, 210, 220, 230, 240, 250):
            await renditions.get(await wanted(backends, f"w_{width}", image))
        made = await stored(backends, 6)
    used = {row.object_key: now() - timedelta(hours=position) for position, row in enumerate(made)}
    for key, moment in used.items():
        await Rendition.update({Rendition.used_at: moment}).where(Rendition.object_key == key)
    total = sum(row.size_bytes for row in made)
    assert total > 30000
    evicted = await eviction.evict(backends)
    left = await Rendition.objects().order_by(Rendition.used_at, ascending=False)
    assert evicted == 6 - len(left)
    assert sum(row.size_bytes for row in left) <= 30000
    assert [row.object_key for row in left] == list(used)[: len(left)]
    assert await listed(backends.objects, FOLDER) == sorted(row.object_key for row in left)
    assert await eviction.evict(backends) == 0


async def test_the_doctor_finds_renditions_without_a_row_and_rows_without_a_rendition(
    new_backends: NewBackends, photo: Path, tmp_path: Path
) -> None:
    backends = await new_backends()
    image = await an_image(backends, photo)
    async with rendering(backends) as renditions:
        await renditions.get(await wanted(backends, "w_300", image))
        await renditions.get(await wanted(backends, "w_310", image))
        first, second = await stored(backends, 2)
    await backends.objects.delete([first.object_key])
    stray = f"{FOLDER}remote/{'0' * 40}-12345678.jpg"
    await put_object(backends.settings.objects_url, stray, photo, tmp_path)
    examination, found = Examination(backends, age_s=0), list[Finding]()
    await examination.run(found.append)
    assert {(one.kind, one.key) for one in found} == {("uncached", first.object_key), ("stray", stray)}
    assert await examination.mend(force=False) == 2
    assert [row.id for row in await Rendition.objects()] == [second.id]
    assert await listed(backends.objects, FOLDER) == [second.object_key]


async def test_a_remote_image_below_a_prefix_is_rendered_through_the_guard(
    new_backends: NewBackends, photo: Path, photo_server: PhotoServer
) -> None:
    photo_server.files["/media/photo.jpg"] = photo.read_bytes()
    inside = f"http://127.0.0.1:{photo_server.port}"
    backends = await new_backends(
        DELIVERY_SOURCES=f"{photo_server.url('/media')},{inside}",
        FETCH_ALLOW_NETWORKS=ALLOWED,
        FETCH_PORTS=str(photo_server.port),
    )
    async with rendering(backends) as renditions:
        asked = await wanted(backends, "w_300", remote(photo_server.url("/media/photo.jpg?size=1&a=%2F")))
        assert (await renditions.get(asked)).mime == "image/jpeg"
        (row,) = await stored(backends)
        assert row.object_key.startswith(f"{FOLDER}remote/")
        with pytest.raises(UrlForbidden):
            await renditions.get(await wanted(backends, "w_300", remote(f"{inside}/a.jpg")))

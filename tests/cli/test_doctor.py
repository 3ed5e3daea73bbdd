"""`darkroom doctor`: what it finds, repairs and leaves unchanged, on both stores and both databases."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from uuid import uuid4

import pytest

from libs.backends import Backends
from libs.contracts.enums import Retention
from libs.storage import object_keys
from libs.storage.database.tables import BaseUser, Image, now
from tests.storage.rows import an_image, an_owner
from tests.support.backends import ended, opened_backends, put_object, submit, working
from tests.support.commands import run_command
from tests.support.migrated_database import migrated_database
from tests.support.services import own_bucket, own_vhost
from tests.support.shared_sites import BOTH
from tests.support.site import Site
from tests.support.site_jobs import SMALL


class DoctorSite:
    """Backends with images, and a way to run the command on them."""

    def __init__(self, backends: Backends, site: Site, photo: Path) -> None:
        self.backends = backends
        self.site = site
        self.photo = photo

    async def doctor(self, *options: str) -> tuple[int, list[list[str]], str]:
        """Run the command; return its exit status, its findings and its summary."""
        ended = await run_command(self.site, "doctor", *options)
        return ended.status, [line.split() for line in ended.out.splitlines()], ended.errors

    async def put(self, key: str) -> None:
        await put_object(self.site.settings["OBJECTS_URL"], key, self.photo, self.backends.scratch)

    async def keys(self) -> set[str]:
        return {stored.key async for stored in self.backends.objects.scan("")}

    async def keep_image(self, owner: BaseUser) -> Image:
        image, _ = await submit(self.backends, owner, self.photo, None, Retention.KEEP)
        return image


@pytest.fixture(params=BOTH)
async def checked(request: pytest.FixtureRequest, tmp_path: Path, photo: Path) -> AsyncIterator[DoctorSite]:
    async with AsyncExitStack() as stack:
        data = tmp_path / "data"
        settings = {"OBJECTS_URL": f"file://{data}/objects"}
        if request.param == "services":
            settings = {
                "DATABASE_URL": await stack.enter_async_context(migrated_database()),
                "BROKER_URL": await stack.enter_async_context(own_vhost()),
                "OBJECTS_URL": own_bucket(),
            }
        backends = await stack.enter_async_context(opened_backends(tmp_path, **settings))
        settings["SECRET_KEY"] = backends.settings.secret_key
        yield DoctorSite(backends, Site(request.param, tmp_path, settings), photo)


def own_key(owner: BaseUser, image_id: object, *, folder: str = object_keys.RESULTS, attempt: int = 1) -> str:
    return object_keys.object_key(
        owner.username, str(image_id), "photo.jpg", "jpg", folder=folder, when=now(), attempt=attempt
    )


async def test_a_healthy_installation_has_no_differences(checked: DoctorSite) -> None:
    owner = await an_owner()
    async with working(checked.backends):
        image, job = await submit(checked.backends, owner, checked.photo, SMALL)
        await ended(job.id)
    await checked.put(f"inbox/{owner.username}/dropped.jpg")
    before = await checked.keys()
    status, findings, summary = await checked.doctor("--mend", "--age", "0")
    assert (status, findings) == (0, [])
    assert "2 images, 2 objects: no differences" in summary
    assert await checked.keys() == before
    assert image.object_key in before


async def test_rows_and_objects_without_each_other_are_found_and_removed_on_demand(
    checked: DoctorSite,
) -> None:
    owner = await an_owner()
    whole, lost = await checked.keep_image(owner), await checked.keep_image(owner)
    await checked.backends.objects.delete([lost.object_key])
    stray = own_key(owner, uuid4())
    attempt = own_key(owner, whole.id, folder=object_keys.ORIGINALS, attempt=2)
    foreign = f"{owner.username}/notes.txt"
    thumbnail, lonely = object_keys.thumbnail_key(whole.object_key), object_keys.thumbnail_key(stray)
    for key in (stray, attempt, foreign, thumbnail, lonely):
        await checked.put(key)
    expected = sorted(
        [
            ["attempt", attempt],
            ["foreign", foreign],
            ["missing", lost.object_key, str(lost.id)],
            ["stray", stray],
            ["stray", lonely],
        ]
    )

    status, findings, _ = await checked.doctor("--age", "0")
    assert (status, sorted(findings)) == (1, expected)
    assert await checked.keys() == {whole.object_key, thumbnail, stray, lonely, attempt, foreign}

    status, findings, summary = await checked.doctor("--age", "0", "--mend")
    assert (status, sorted(findings)) == (0, expected)
    assert "4 repaired" in summary
    assert await checked.keys() == {whole.object_key, thumbnail, foreign}
    assert [image.id for image in await Image.objects()] == [whole.id]
    assert (await checked.doctor("--age", "0"))[:2] == (0, [["foreign", foreign]])


async def test_objects_younger_than_a_day_are_ignored(checked: DoctorSite) -> None:
    stray = own_key(await an_owner(), uuid4())
    await checked.put(stray)
    assert (await checked.doctor("--mend"))[:2] == (0, [])
    assert await checked.keys() == {stray}


async def test_an_object_that_was_changed_by_hand_is_reported_and_stays(
    checked: DoctorSite, large: Path
) -> None:
    image = await checked.keep_image(await an_owner())
    await put_object(checked.site.settings["OBJECTS_URL"], image.object_key, large, checked.backends.scratch)
    assert (await checked.doctor("--mend"))[:2] == (1, [["altered", image.object_key]])
    assert await checked.keys() == {image.object_key}


async def test_a_database_and_a_store_of_different_sites_are_not_repaired(
    checked: DoctorSite,
) -> None:
    owner = await an_owner()
    for _ in range(12):
        await an_image(owner)
    status, findings, summary = await checked.doctor("--mend")
    assert (status, {finding[0] for finding in findings}) == (1, {"missing"})
    assert "12 of 12 images would be removed" in summary
    assert "DARKROOM_OBJECTS_URL" in summary
    assert await Image.count() == 12
    assert (await checked.doctor("--mend", "--force"))[0] == 0
    assert await Image.count() == 0


@pytest.fixture
def large(photos: Path) -> Path:
    """Another photograph, of another size."""
    return photos / "retina.jpg"

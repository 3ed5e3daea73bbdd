"""Storing a file and its row when the outcome of the transaction is unknown."""

import asyncio
import hashlib
import time
from functools import partial
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from libs.backends import Backends
from libs.images import artifact
from libs.images.artifact import Artifact
from libs.storage.database.errors import DatabaseUnavailable
from libs.storage.database.statement import insert
from libs.storage.database.tables import Image
from libs.storage.objects.errors import DigestMismatch
from tests.storage.object_calls import listed
from tests.storage.rows import an_owner, image_of
from tests.support.backends import opened_backends
from tests.support.waiting import until, until_equal


async def an_artifact(backends: Backends, photo: Path) -> Artifact:
    owner = await an_owner()
    data = photo.read_bytes()
    path = backends.scratch / "file"
    path.write_bytes(data)
    md5 = hashlib.md5(data, usedforsecurity=False).hexdigest()
    return Artifact(image=image_of(owner, size_bytes=len(data), md5=md5), path=path, owner=owner.username)


@pytest.mark.parametrize("committed", [True, False])
async def test_a_file_stays_until_its_row_is_known_to_be_missing(
    tmp_path: Path, photo: Path, committed: bool
) -> None:
    async with opened_backends(tmp_path) as backends:
        new = await an_artifact(backends, photo)
        image = new.image

        async def record() -> None:
            if committed:
                await insert(image)
            raise DatabaseUnavailable("the connection ended in COMMIT")

        with pytest.raises(DatabaseUnavailable):
            await artifact.store([new], record, backends)
        await artifact.remove_unrecorded(backends)
        assert await listed(backends.objects) == [image.object_key]  # not long enough ago
        await artifact.remove_unrecorded(backends, older_than_s=0)
        assert await listed(backends.objects) == ([image.object_key] if committed else [])
        assert await Image.count() == committed


async def test_a_file_of_another_size_than_was_received_gets_no_row(tmp_path: Path, photo: Path) -> None:
    async with opened_backends(tmp_path) as backends:
        new = await an_artifact(backends, photo)
        new.path.write_bytes(photo.read_bytes()[:-1])
        with pytest.raises(DigestMismatch):
            await artifact.store([new], partial(insert, new.image), backends)
        assert (await listed(backends.objects), await Image.count()) == ([], 0)


async def test_a_transaction_that_has_begun_ends_though_its_caller_is_cancelled(
    tmp_path: Path, photo: Path
) -> None:
    async with opened_backends(tmp_path) as backends:
        new, begun, go = await an_artifact(backends, photo), asyncio.Event(), asyncio.Event()

        async def record() -> None:
            begun.set()
            await go.wait()
            await insert(new.image)

        storing = asyncio.create_task(artifact.store([new], record, backends))
        await begun.wait()
        storing.cancel()
        await asyncio.sleep(0)
        go.set()
        with pytest.raises(asyncio.CancelledError):
            await storing
        assert await Image.count() == 1
        assert await listed(backends.objects) == [new.image.object_key]
        assert not backends.unrecorded


@pytest.mark.parametrize("committed", [True, False])
async def test_a_transaction_that_is_cancelled_leaves_the_file_until_its_row_is_known_to_be_missing(
    tmp_path: Path, photo: Path, monkeypatch: pytest.MonkeyPatch, committed: bool
) -> None:
    monkeypatch.setattr(artifact, "STORING_GRACE_S", 0.01)
    async with opened_backends(tmp_path) as backends:
        new, waiting = await an_artifact(backends, photo), asyncio.Event()

        async def record() -> None:
            if committed:
                await insert(new.image)
            waiting.set()
            await asyncio.Event().wait()

        storing = asyncio.create_task(artifact.store([new], record, backends))
        await waiting.wait()
        storing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await storing
        assert await listed(backends.objects) == [new.image.object_key]
        await artifact.remove_unrecorded(backends, older_than_s=0)
        assert await listed(backends.objects) == ([new.image.object_key] if committed else [])


async def test_files_without_rows_are_removed_from_time_to_time_whatever_went_wrong_before(
    tmp_path: Path, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(artifact, "REMOVE_EVERY_S", 0.01)
    async with opened_backends(tmp_path) as backends:
        new = await an_artifact(backends, photo)
        key, unforeseen = new.image.object_key, "\ud800"
        await backends.objects.put(key, new.path, content_type="image/jpeg", metadata={})
        backends.unrecorded[key] = backends.unrecorded[unforeseen] = time.monotonic() - artifact.UNKNOWN_FOR_S
        removing = asyncio.create_task(artifact.keep_removing_unrecorded(backends))
        with capture_logs() as logs:

            async def logged(event: str) -> None:
                async def found() -> bool:
                    return event in [line["event"] for line in logs]

                await until(found)

            await logged("removing_unrecorded_failed")
            await Image.raw("alter table image rename to image_away")
            del backends.unrecorded[unforeseen]
            await logged("unrecorded_not_removed")
        assert await listed(backends.objects) == [key]
        await Image.raw("alter table image_away rename to image")
        await until_equal([], lambda: listed(backends.objects))

        async def unrecorded() -> list[str]:
            return list(backends.unrecorded)

        await until_equal([], unrecorded)
        removing.cancel()
        await asyncio.wait([removing])

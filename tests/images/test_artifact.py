"""Storing a file and its row when the outcome of the transaction is unknown."""

import hashlib
from pathlib import Path

import pytest

from libs.images import artifact
from libs.images.artifact import Artifact
from libs.storage.database.errors import DatabaseUnavailable
from libs.storage.database.statement import insert
from libs.storage.database.tables import Image
from tests.storage.object_calls import listed
from tests.storage.rows import an_owner, image_of
from tests.support.backends import opened_backends


@pytest.mark.parametrize("committed", [True, False])
async def test_a_file_stays_until_its_row_is_known_to_be_missing(
    tmp_path: Path, photo: Path, committed: bool
) -> None:
    async with opened_backends(tmp_path) as backends:
        owner = await an_owner()
        data = photo.read_bytes()
        path = backends.scratch / "file"
        path.write_bytes(data)
        image = image_of(
            owner, size_bytes=len(data), md5=hashlib.md5(data, usedforsecurity=False).hexdigest()
        )

        async def record() -> None:
            if committed:
                await insert(image)
            raise DatabaseUnavailable("the connection ended in COMMIT")

        with pytest.raises(DatabaseUnavailable):
            await artifact.store([Artifact(image=image, path=path, owner=owner.username)], record, backends)
        await artifact.remove_unrecorded(backends)
        assert await listed(backends.objects) == [image.object_key]  # not long enough ago
        await artifact.remove_unrecorded(backends, older_than_s=0)
        assert await listed(backends.objects) == ([image.object_key] if committed else [])
        assert await Image.count() == committed

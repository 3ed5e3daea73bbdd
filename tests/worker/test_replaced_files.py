"""Images whose file is replaced between the look at their row and the look at their file."""

from pathlib import Path

import pytest

from libs.backends import Backends
from libs.images import watermark_sources
from libs.storage.database.tables import Image
from libs.storage.objects import ObjectNotFound, StoreUnavailable
from tests.storage.rows import an_image, an_owner
from tests.support.backends import NewBackends


async def store(backends: Backends, key: str, content: bytes) -> None:
    file = backends.scratch / "new"
    file.write_bytes(content)
    await backends.objects.put(key, file, content_type="image/jpeg", metadata={})


async def test_who_comes_too_late_for_a_replaced_file_is_to_ask_again(new_backends: NewBackends) -> None:
    backends = await new_backends()
    owner = await an_owner()
    seen = await an_image(owner)
    newer = f"{owner.username}/originals/newer.jpg"
    await store(backends, newer, b"newer")
    await Image.update({Image.object_key: newer}).where(Image.id == seen.id)
    with pytest.raises(StoreUnavailable):
        async with watermark_sources.file_of(seen, backends):
            pass
    current = await Image.objects().get(Image.id == seen.id)
    assert current
    async with watermark_sources.file_of(current, backends) as file:
        assert Path(file).read_bytes() == b"newer"


async def test_a_missing_file_is_not_tried_again(new_backends: NewBackends) -> None:
    backends = await new_backends()
    with pytest.raises(ObjectNotFound):
        async with watermark_sources.file_of(await an_image(await an_owner()), backends):
            pass

"""A photograph that takes long, and backends inside the test's process."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from PIL import Image

from tests.conftest import BOTH
from tests.support.migrated import migrated_database
from tests.support.services import own_bucket, own_vhost
from tests.worker.inside import NewBackends, opened_backends


@pytest.fixture(scope="session")
def large_photo(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A photograph of nine megapixels."""
    path = tmp_path_factory.mktemp("large") / "large.jpg"
    with Image.open(photos / "retina.jpg") as image:
        image.convert("RGB").resize((3000, 3000)).save(path, quality=90)
    return path


@pytest.fixture(params=BOTH)
async def new_backends(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[NewBackends]:
    """Opens backends of each kind with the settings a test needs."""
    async with AsyncExitStack() as stack:

        async def start(**settings: str):  # noqa: ANN202 - a NewBackends
            if request.param == "services":
                settings = {
                    "DATABASE_URL": await stack.enter_async_context(migrated_database()),
                    "BROKER_URL": await stack.enter_async_context(own_vhost()),
                    "OBJECTS_URL": own_bucket(),
                    **settings,
                }
            return await stack.enter_async_context(opened_backends(tmp_path, **settings))

        yield start

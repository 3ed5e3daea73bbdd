"""The two object stores, each as the tests get it."""

from collections.abc import AsyncGenerator
from pathlib import Path
from uuid import uuid4

import pytest

from libs.storage.objects import ObjectStore, open_objects
from tests.storage.object_calls import s3_url


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


@pytest.fixture(params=["local", pytest.param("s3", marks=pytest.mark.services)])
def objects_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "local":
        return (tmp_path / "objects").as_uri()
    return s3_url()


@pytest.fixture
async def store(objects_url: str, scratch: Path) -> AsyncGenerator[ObjectStore]:
    opened = open_objects(objects_url, scratch)
    yield opened
    await opened.close()


@pytest.fixture
def prefix() -> str:
    """Keys of this test only begin so."""
    return f"{uuid4().hex}/"

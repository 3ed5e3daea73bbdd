"""Pictures to send, and a site with narrow limits."""

import struct
import zlib
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from tests.conftest import BOTH, signed_in
from tests.outbound.sites import Fetching, fetching_site
from tests.support.client import Client
from tests.support.site import Site, running_site

GIVEN_UP_EARLY = {"FETCH_TIMEOUT_S": "2", "FETCH_MAX_BYTES": "1000000", "MAX_ATTEMPTS": "3"}
NARROW = {
    "WORKER_CONCURRENCY": "1",
    "MAX_OPERATIONS": "3",
    "MAX_UPLOAD_BYTES": "2000000",
    "QUOTA_BYTES": "3000000",
    "QUOTA_JOBS": "6",
}


@pytest.fixture(scope="session", params=BOTH)
async def narrow_site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Site]:
    """A site whose limits are quickly reached, and whose worker does one thing at a time."""
    directory = tmp_path_factory.mktemp(f"narrow-{request.param}")
    async with running_site(request.param, directory, **NARROW) as running:
        yield running


@pytest.fixture
async def narrow(narrow_site: Site) -> AsyncIterator[Client]:
    """A new account on the site with narrow limits."""
    async with signed_in(narrow_site) as client:
        yield client


@pytest.fixture(scope="session", params=BOTH)
async def fetching(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Fetching]:
    """A site beside a server that it may fetch from; large files and slow ones are given up early."""
    directory = tmp_path_factory.mktemp(f"fetching-{request.param}")
    async with fetching_site(request.param, directory, **GIVEN_UP_EARLY) as running:
        yield running


@pytest.fixture
async def fetcher(fetching: Fetching) -> AsyncIterator[Client]:
    """A new account on the site that may fetch."""
    async with signed_in(fetching.site) as client:
        yield client


@pytest.fixture(scope="session")
async def resident(site: Site) -> AsyncIterator[Client]:
    """One account for all tests that do not mind what else it has: a new one costs two password hashes."""
    async with signed_in(site) as client:
        yield client


@pytest.fixture(scope="session")
def small() -> bytes:
    """A small picture: PNG, 40 x 30."""
    return encoded(Image.linear_gradient("L").resize((40, 30)).convert("RGB"), "PNG")


@pytest.fixture(scope="session")
def cut_photo(photo: Path) -> bytes:
    """A photograph whose second half is missing."""
    data = photo.read_bytes()
    return data[: len(data) // 2]


@pytest.fixture(scope="session")
def slow_picture() -> bytes:
    """One that takes a while to work on: JPEG, 5000 x 4000."""
    return encoded(Image.linear_gradient("L").resize((5000, 4000)).convert("RGB"), "JPEG")


@pytest.fixture(scope="session")
def bomb() -> bytes:
    """A PNG of 20,000 x 20,000 in less than 50 kB."""
    header = struct.pack(">IIBBBBB", 20_000, 20_000, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes(20_000 * 2501), 9)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", rows) + _chunk(b"IEND", b"")


def encoded(image: Image.Image, format_name: str, **options: object) -> bytes:
    """The picture as a file."""
    file = BytesIO()
    image.save(file, format_name, **options)
    return file.getvalue()


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

"""A full disk: an error that says so, and nothing stored."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.fetching_site import FetchingSite, open_fetching_site
from tests.support.shared_sites import signed_in
from tests.support.site_contents import kept_by, refused
from tests.support.site_on_small_disk import on_small_disk

SMALL_DISK, TOO_LARGE = "400k", 450_000  # so that the disk has room for a part of the last piece


@pytest.fixture(params=["tmp", "objects"])
async def full_site(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[FetchingSite]:
    """A site without room for a photo, for its temporary files or for its objects."""
    folder = tmp_path / "site" / "data" / request.param
    async with open_fetching_site(
        "embedded", tmp_path / "site", program=on_small_disk(folder, SMALL_DISK), MAX_ATTEMPTS="2"
    ) as site:
        yield site


@pytest.fixture
def too_large(photo: Path) -> bytes:
    data = photo.read_bytes()
    return data + bytes(TOO_LARGE - len(data))  # bytes behind the end of a JPEG are no fault


async def test_what_does_not_fit_is_refused_and_what_fits_is_stored(
    full_site: FetchingSite, too_large: bytes, small_picture: bytes
) -> None:
    async with signed_in(full_site.site) as client:
        refused(await client.upload(too_large), 507, "storage_full")
        assert (await kept_by(client)).images == "0"
        assert (await client.upload(small_picture, filename="a.png")).status == 201


async def test_a_fetch_that_does_not_fit_fails_with_the_reason(
    full_site: FetchingSite, too_large: bytes
) -> None:
    full_site.outer.files["/large.jpg"] = too_large
    async with signed_in(full_site.site) as client:
        url = full_site.outer.url("/large.jpg")
        answer = await client.post("/api/images", json={"image_url": url}, headers={"Prefer": "wait=60"})
        refused(answer, 507, "storage_full")
        assert (await kept_by(client)).images == "0"

"""A file system that fails in another way than by being full."""

from pathlib import Path

import pytest

from tests.support.shared_sites import NewSite, signed_in
from tests.support.site_contents import kept_by, next_one_works, refused


@pytest.mark.parametrize("new_site", ["embedded"], indirect=True)
async def test_files_that_cannot_be_written_are_a_fault_of_the_storage_that_passes(
    new_site: NewSite, small_picture: bytes
) -> None:
    site = await new_site()
    [scratch] = [path for path in Path(site.settings["DATA_DIR"], "tmp").iterdir() if path.is_dir()]
    async with signed_in(site) as client:
        away = scratch.rename(scratch.with_name("away"))
        answer = await client.upload(small_picture, filename="a.png")
        refused(answer, 503, "storage_unavailable")
        assert int(answer.headers["Retry-After"]) > 0
        assert (await kept_by(client)).images == "0"
        away.rename(scratch)
        await next_one_works(client, small_picture)

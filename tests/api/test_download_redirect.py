"""Where clients reach the object store, a download is redirected there."""

from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest

from tests.support.services import own_bucket
from tests.support.shared_sites import NewSite, signed_in

pytestmark = pytest.mark.services


@pytest.mark.parametrize("new_site", ["services"], indirect=True)
async def test_the_store_serves_downloads_if_clients_reach_it(new_site: NewSite, photos: Path) -> None:
    bucket = own_bucket()
    store = f"http://{urlsplit(bucket).netloc.rpartition('@')[2]}"
    site = await new_site(OBJECTS_URL=f"{bucket}&public_url={quote(store, safe='')}")
    data = (photos / "chelsea.png").read_bytes()
    async with signed_in(site) as client:
        image = (await client.upload(data, filename="cat.png", retention="ephemeral")).json
        path = f"/api/images/{image['id']}/download"

        head = await client.call("HEAD", path, allow_redirects=False)
        assert (head.status, head.headers["Content-Length"]) == (200, str(len(data)))
        known = {"If-None-Match": head.headers["ETag"]}
        assert (await client.get(path, headers=known, allow_redirects=False)).status == 304
        before = (await client.get(f"/api/images/{image['id']}")).json
        assert before["first_downloaded_at"] is None

        answer = await client.get(path, allow_redirects=False)
        assert (answer.status, answer.headers["Cache-Control"]) == (302, "no-store")
        assert answer.headers["Location"].startswith(f"{store}/")
        located = await client.call("GET", answer.headers["Location"], token="")
        assert (located.status, located.body) == (200, data)
        assert located.headers["Content-Disposition"].startswith("attachment")
        assert (await client.get(path)).body == data
        assert (await client.get(f"/api/images/{image['id']}")).json["first_downloaded_at"] is not None

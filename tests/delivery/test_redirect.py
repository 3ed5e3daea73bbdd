"""Redirects of images by URL to an object store that clients reach."""

from pathlib import Path
from time import time
from urllib.parse import quote, urlsplit

import pytest

from tests.support.addresses import fetched, signed
from tests.support.services import own_bucket
from tests.support.shared_sites import NewSite, signed_in
from tests.support.waiting import until

pytestmark = pytest.mark.services


@pytest.mark.parametrize("new_site", ["services"], indirect=True)
async def test_a_stored_rendition_is_a_redirect_to_the_store_where_the_operator_wants_it(
    new_site: NewSite, photo: Path
) -> None:
    bucket = own_bucket()
    store = f"http://{urlsplit(bucket).netloc.rpartition('@')[2]}"
    site = await new_site(
        OBJECTS_URL=f"{bucket}&public_url={quote(store, safe='')}", DELIVERY_REDIRECT="true"
    )
    async with signed_in(site) as client:
        image = (await client.upload(photo)).json
        path = signed(f"w_300:exp_{int(time()) + 200}", image["id"]) + f"~{image['md5'][:8]}"
        first = await fetched(client, path)
        assert (first.status, first.headers["Cache-Status"]) == (200, "darkroom; fwd=miss; stored")

        async def redirected() -> str:
            answer = await fetched(client, f"{path}?again")
            return answer.headers["Location"] if answer.status == 302 else ""

        where = await until(redirected)
        answer = await fetched(client, f"{path}?again")
        assert 100 <= int(answer.headers["Cache-Control"].removeprefix("public, max-age=")) <= 200
        assert answer.headers["Vary"] == "Accept"
        stored = await fetched(client, "", url=where)
    assert where.startswith(store)
    assert stored.body == first.body
    assert stored.headers["Content-Type"] == "image/jpeg"
    assert stored.headers["Content-Disposition"].startswith("inline; ")

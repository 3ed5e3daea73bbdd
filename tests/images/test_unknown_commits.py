"""A connection that drops in COMMIT: what may be committed is not deleted."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.fault_proxy import FaultProxy
from tests.support.fetching_site import FetchingSite, open_fetching_site
from tests.support.services import own_database
from tests.support.shared_sites import signed_in
from tests.support.site_contents import refused
from tests.support.url_images import md5_of, original, record

pytestmark = pytest.mark.services

GRAY = [{"op": "grayscale"}]
COMMIT = b"COMMIT"


class Site:
    """A site whose API and worker reach the database over a proxy each."""

    def __init__(self, site: FetchingSite, api: FaultProxy, worker: FaultProxy) -> None:
        self.site = site
        self.api = api
        self.worker = worker


@pytest.fixture
async def lossy(tmp_path: Path) -> AsyncIterator[Site]:
    async with (
        own_database() as url,
        FaultProxy.to(url) as api,
        FaultProxy.to(url) as worker,
        open_fetching_site(
            "services",
            tmp_path / "site",
            JOB_LEASE_S="3",
            **{"DATABASE_URL": url, "api.DATABASE_URL": api.url, "worker.DATABASE_URL": worker.url},
        ) as site,
    ):
        yield Site(site, api, worker)


async def test_an_upload_whose_commit_is_not_confirmed_keeps_its_file(lossy: Site, photo: Path) -> None:
    async with signed_in(lossy.site.site) as client:
        lossy.api.lose_answer_to(COMMIT)
        refused(await client.upload(photo), 503, "database_unavailable")
        assert lossy.api.lost.is_set()
        [image] = (await client.get("/api/images")).json
        assert md5_of(await original(client, image["id"])) == image["md5"]


async def test_a_result_whose_commit_is_not_confirmed_keeps_its_file(lossy: Site, photo: Path) -> None:
    async with signed_in(lossy.site.site) as client:
        image = (await client.upload(photo)).json
        await client.job_done(image["job_id"])
        lossy.worker.lose_answer_to(COMMIT)
        answer = await client.post(f"/api/images/{image['id']}/transform", json={"operations": GRAY})
        job = await client.job_done(answer.json["id"])
        assert (job["status"], lossy.worker.lost.is_set()) == ("completed", True)
        result = await record(client, job["result_id"])
        assert md5_of(await original(client, result["id"])) == result["md5"]


async def test_a_replacement_whose_commit_is_not_confirmed_keeps_the_version_that_the_row_names(
    lossy: Site, photo: Path, small_picture: bytes
) -> None:
    async with signed_in(lossy.site.site) as client:
        image = (await client.upload(photo)).json
        await client.job_done(image["job_id"])
        url = lossy.site.outer.serve("/new.png", small_picture)
        lossy.worker.lose_answer_to(COMMIT)
        await client.call("PUT", f"/api/images/{image['id']}", json={"image_url": url})
        await lossy.worker.lost.wait()
        [job] = [job for job in (await client.get("/api/jobs")).json if job["kind"] == "ingest"]
        assert (await client.job_done(job["id"]))["status"] == "completed"
        current = await record(client, image["id"])
        assert current["md5"] != image["md5"]
        assert md5_of(await original(client, image["id"])) == current["md5"]

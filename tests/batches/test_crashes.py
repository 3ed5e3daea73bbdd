"""Workers killed in the middle of a batch: the totals are exact, and nothing is done twice."""

from pathlib import Path

import pytest

from tests.batches.csv_files import accepted, detail, done, output_rows, products
from tests.support.client import Client
from tests.support.fetching_site import FetchingSite, open_fetching_site
from tests.support.photo_server import picture
from tests.support.shared_sites import signed_in
from tests.support.site import Kind
from tests.support.site_jobs import until_stored, working_app
from tests.support.waiting import until

KILLS = 3
URLS = 60


async def until_counted(client: Client, batch_id: str, count: int) -> None:
    async def counted() -> bool:
        batch = await detail(client, batch_id, "limit=0")
        return batch["completed"] + batch["failed"] >= count

    await until(counted)


def urls_of(fetching_site: FetchingSite) -> list[str]:
    """Different pictures; every tenth is missing."""
    return [
        fetching_site.outer.url(f"/status/404/{nth}")
        if nth % 10 == 3
        else fetching_site.outer.serve(f"/{nth}.jpg", picture(size=(600 + nth, 400)))
        for nth in range(URLS)
    ]


@pytest.mark.parametrize("kind", ["embedded", pytest.param("services", marks=pytest.mark.services)])
async def test_totals_are_exact_whatever_is_killed(kind: Kind, tmp_path: Path) -> None:
    settings = {"JOB_LEASE_S": "2", "MAX_ATTEMPTS": "20"}
    async with (
        open_fetching_site(kind, tmp_path / "site", **settings) as fetching_site,
        signed_in(fetching_site.site) as client,
    ):
        site = fetching_site.site
        urls = urls_of(fetching_site)
        batch = await accepted(client, products([urls[nth : nth + 2] for nth in range(0, URLS, 2)]))
        for kill in range(1, KILLS + 1):
            await until_counted(client, batch["id"], kill * URLS // (KILLS + 2))
            await site.kill(working_app(site))
            await site.start(working_app(site))
            await site.ready()
        ended = await done(client, batch["id"])
        assert (ended["status"], ended["total"]) == ("Completed", URLS)
        assert (ended["completed"], ended["failed"]) == (URLS * 9 // 10, URLS // 10)
        assert ended["errors"] == {"url_http_error": URLS // 10}
        assert ended["bytes_before"] == sum(len(data) for data in fetching_site.outer.files.values())
        images = await client.get("/api/images?limit=1")
        assert images.headers["X-Total-Count"] == str(ended["completed"])
        await until_stored(site, ended["completed"])
        outputs = [url for row in await output_rows(client, batch["id"])
                   for url in row["Output Image Urls"].split(", ") if url]  # fmt: skip
        assert len(set(outputs)) == ended["completed"]


@pytest.mark.services
async def test_another_worker_goes_on_with_what_a_killed_one_had(tmp_path: Path) -> None:
    async with (
        # so long that who lives keeps it on a busy machine: a lapsed fetch is begun again beside itself
        open_fetching_site("services", tmp_path / "site", JOB_LEASE_S="12") as fetching_site,
        signed_in(fetching_site.site) as client,
    ):
        await fetching_site.site.start("worker", called="worker-2")
        await fetching_site.site.logged("worker-2", "worker_started")
        fetching_site.outer.slow_s = 0.2
        urls = urls_of(fetching_site)
        batch = await accepted(client, products([[url] for url in urls]))
        await until_counted(client, batch["id"], 10)
        await fetching_site.site.kill("worker")
        ended = await done(client, batch["id"])
        assert (ended["completed"], ended["failed"]) == (URLS * 9 // 10, URLS // 10)
        assert fetching_site.outer.most_at_once <= 4  # by both workers together
        await until_stored(fetching_site.site, ended["completed"])

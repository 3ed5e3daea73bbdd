"""The scheduler deletes what ended longer ago than the setting says."""

from pathlib import Path

from tests.support.shared_sites import signed_in
from tests.support.site import running_site
from tests.support.waiting import until_equal

GRAY = [{"op": "grayscale"}]


async def test_old_jobs_go_and_the_one_that_an_image_shows_stays(tmp_path: Path, photo: Path) -> None:
    async with (
        running_site("embedded", tmp_path / "site", HISTORY_DAYS="0.000001") as site,
        signed_in(site) as client,
    ):
        image = (await client.upload(photo, GRAY, wait_s=60)).json
        path = f"/api/images/{image['id']}/transform"
        await client.post(path, json={"operations": GRAY}, headers={"Prefer": "wait=60"})
        jobs = [job["id"] for job in reversed((await client.get("/api/jobs?kind=transform")).json)]
        assert len(jobs) == 2
        await site.stop("serve")
        await site.start("serve")  # a walk over the history begins with the start
        await site.ready()

        async def statuses() -> list[int]:
            return [(await client.get(f"/api/jobs/{job}")).status for job in jobs]

        await until_equal([404, 200], statuses)

"""Jobs of all accounts, and the overview, as operators see them."""

import asyncio
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.support.client import Client
from tests.support.photo_server import PhotoServer
from tests.support.site_contents import refused
from tests.support.site_jobs import SLOW, until_running
from tests.support.waiting import WAIT_S

TOO_LARGE = [{"op": "crop", "x": 0, "y": 0, "width": 9000, "height": 9000}]
GRAY = [{"op": "grayscale"}]


async def failed_job(client: Client, photo: Path) -> str:
    job_id = (await client.upload(photo, TOO_LARGE)).json["job_id"]
    assert (await client.job_done(job_id))["status"] == "failed"
    return job_id


def seconds(before: dict[str, str], after: dict[str, str]) -> float:
    """The time between two entries of a timeline."""
    return (datetime.fromisoformat(after["at"]) - datetime.fromisoformat(before["at"])).total_seconds()


async def test_a_failed_job_is_found_explained_and_run_again(
    client: Client, operator: Client, photo: Path
) -> None:
    job_id = await failed_job(client, photo)
    await client.upload(photo, GRAY, wait_s=60)
    mine = f"/api/operator/jobs?owner={client.username}"

    async def found(query: str) -> list[str]:
        return [job["id"] for job in (await operator.get(mine + query)).json]

    newest, oldest = await found("")
    assert (oldest, await found("&status=failed"), await found("&error_code=crop_outside")) == (
        job_id,
        [job_id],
        [job_id],
    )
    assert await found("&kind=describe") == await found("&since=2100-01-01T00:00:00Z") == []
    page = await operator.get(f"{mine}&limit=1")
    assert [job["id"] for job in page.json] == [newest]
    following = page.headers["Link"].partition(">")[0].strip("<")
    assert [job["id"] for job in (await operator.get(following)).json] == [oldest]
    assert (await operator.get("/api/operator/jobs?owner=nobody")).json == []

    job = (await operator.get(f"/api/operator/jobs/{job_id}")).json
    assert (job["owner"], job["queue"], job["error_code"]) == (client.username, "transform", "crop_outside")
    assert json.loads(job["command"])["operations"][0]["op"] == "crop"
    queued, claimed, failed = job["timeline"]
    assert (queued["event"], queued["at"]) == ("queued", job["created_at"])
    assert (claimed["event"], claimed["attempt"], claimed["worker"]) == ("claimed", 1, job["worker"])
    assert (failed["event"], failed["error_code"]) == ("failed", "crop_outside")
    assert queued["at"] <= claimed["at"] <= failed["at"]
    assert claimed["waited_s"] == pytest.approx(seconds(queued, claimed), abs=0.01)
    assert failed["took_s"] == pytest.approx(seconds(claimed, failed), abs=0.01)
    assert failed["worker"] == job["worker"]

    again = await operator.post(f"/api/operator/jobs/{job_id}/retry")
    assert (again.status, again.json["timeline"][3]["event"]) == (202, "run_again")
    await client.job_done(job_id)
    events = [one["event"] for one in (await operator.get(f"/api/operator/jobs/{job_id}")).json["timeline"]]
    assert events == ["queued", "claimed", "failed", "run_again", "claimed", "failed"]


async def test_the_timeline_has_each_attempt_with_its_duration_and_the_command_no_secret(
    client: Client, operator: Client, photo: Path, photo_server: PhotoServer
) -> None:
    path = f"/{client.username}.jpg"
    photo_server.failing[path] = 1
    url = photo_server.serve(path, photo.read_bytes())
    answer = await client.post("/api/images", json={"image_url": f"{url}?size=9&X-Signature=abc"})
    job_id = answer.json["id"]
    await client.job_done(job_id)
    job = (await operator.get(f"/api/operator/jobs/{job_id}")).json
    assert json.loads(job["command"])["source"]["url"] == f"{url}?size=9&X-Signature=***"
    told = [entry for entry in job["timeline"] if entry["event"] != "published"]
    _queued, first, retry, second, completed = told
    assert (first["attempt"], retry["event"], second["attempt"]) == (1, "retry", 2)
    ready = {"at": retry["not_before"]}  # the pause after the failure does not count as waiting
    assert second["waited_s"] == pytest.approx(seconds(ready, second), abs=0.01)
    assert (completed["event"], completed["worker"]) == ("completed", second["worker"])


async def test_an_operator_cancels_a_job_of_any_account_once(
    client: Client, operator: Client, photo: Path
) -> None:
    job_id = (await client.upload(photo, SLOW)).json["job_id"]
    await until_running(client, job_id)
    cancelled = (await operator.call("DELETE", f"/api/operator/jobs/{job_id}")).json
    assert (cancelled["status"], cancelled["timeline"][-1]["event"]) == ("cancelled", "cancelled")
    refused(await operator.call("DELETE", f"/api/operator/jobs/{job_id}"), 409, "job_ended")
    refused(await operator.post(f"/api/operator/jobs/{job_id}/retry"), 409, "job_not_failed")


def shows_failure(site: dict[str, Any]) -> bool:
    """Whether an overview has what a failed upload leaves."""
    return any(one["error_code"] == "crop_outside" for one in site["failures"]) and any(
        one["retention"] == "ephemeral" and one["size_bytes"] > 0 for one in site["stored"]
    )


async def first_shown(operator: Client) -> dict[str, Any]:
    """Return the first overview of the stream that shows the failure."""
    headers = {"Authorization": f"Bearer {operator.token}"}
    url = f"{operator.site.url}/api/operator/events"
    async with asyncio.timeout(WAIT_S), operator.session.get(url, headers=headers) as stream:
        async for line in stream.content:
            if line.startswith(b"data:") and shows_failure(found := json.loads(line[5:])):
                return found
    raise AssertionError("the stream ended")


async def test_the_overview_counts_what_happened_and_is_streamed(
    client: Client, operator: Client, photo: Path
) -> None:
    await failed_job(client, photo)
    shown = await first_shown(operator)
    assert len(shown["minutes"]) == 60
    last = shown["minutes"][-2:]
    assert sum(one["failed"] for one in last) >= 1
    assert sum(one["requested"] for one in last) >= 1
    assert shown["totals"]["accounts"] >= 2
    assert (await operator.get("/api/operator/overview")).json.keys() == shown.keys()

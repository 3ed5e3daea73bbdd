"""What a process tells Prometheus agrees with what its clients saw."""

import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest

from infra.local import programs
from libs.runtime.metrics.pools import MEANINGS
from tests.operation.conftest import Series, Watched, total
from tests.support.addresses import fetched, signed
from tests.support.client import Answer, Client
from tests.support.commands import run_command
from tests.support.photo_server import picture
from tests.support.ports import bound
from tests.support.shared_sites import NewSite
from tests.support.waiting import until_equal
from tests.support.webhook_receiver import PlannedResponse

STEPS = [{"op": "resize", "width": 64}, {"op": "convert", "format": "webp"}]
TOO_LARGE = [{"op": "crop", "x": 9, "y": 9, "width": 3000, "height": 3000}]
QUEUES = {"transform", "transform.bulk", "ingest", "ingest.bulk", "describe", "edit"}

EMBEDDED = pytest.mark.parametrize("new_site", ["embedded"], indirect=True)


async def walk(watched: Watched, client: Client, photos: Path) -> list[Answer]:
    """An upload with steps and a webhook, a job that fails, an address of an image twice, and wrong ones."""
    hook = f"/metrics/{uuid4().hex}"
    photo = photos / "rocket.jpg"
    made = await client.upload(photo, STEPS, wait_s=60, webhook_url=watched.receiver.url(hook))
    assert made.status == 201, made
    failed = await client.upload(photo, TOO_LARGE, wait_s=60)
    assert failed.status == 422, failed
    kept = await client.upload(photo)
    address = signed("w_32", kept.json["id"])
    answers = [await fetched(client, address), await fetched(client, address)]
    answers += [await client.get(f"/{uuid4().hex}/{uuid4().hex}") for _ in range(3)]
    answers += [await client.get(path) for path in ("/admin/", f"/admin/{uuid4().hex}")]
    answers.append(await client.call("PROPFIND", f"/{uuid4().hex}"))
    await watched.receiver.received(hook)
    return [made, failed, kept, *answers]


@pytest.mark.services  # promtool comes with them
async def test_the_metrics_of_all_processes_are_what_their_clients_saw(
    watched: Watched, client: Client, photos: Path
) -> None:
    before = await watched.series()

    async def grown(name: str, **labels: str) -> float:
        return total(await watched.series(), name, **labels) - total(before, name, **labels)

    answers = await walk(watched, client, photos)
    size = (photos / "rocket.jpg").stat().st_size
    await until_equal(1, lambda: grown("darkroom_webhook_deliveries_total", outcome="delivered"))
    await until_equal(1, lambda: grown("darkroom_jobs_total", kind="describe", outcome="completed"))
    after = await watched.series()

    def more(name: str, **labels: str) -> float:
        return round(total(after, name, **labels) - total(before, name, **labels), 6)

    requests = "darkroom_http_request_duration_seconds_count"
    assert more(requests, route="/api/images", method="POST", code="201") == 2
    assert more(requests, route="/api/images", method="POST", code="422") == 1
    assert more(requests, route="/t/", method="GET", code="200") == 2
    assert more(requests, route="none", method="GET", code="404") == 3
    assert more(requests, route="/admin", method="GET") == 2
    assert more(requests, method="other") == 1
    assert more(requests) == len(answers)
    assert more("darkroom_bytes_total", direction="sent") == sum(len(answer.body) for answer in answers)
    assert 0 < more("darkroom_bytes_total", direction="received") - 3 * size < 6000, "three uploads in forms"
    made = answers[0].json
    result = (await client.get(f"/api/images/{made['result']['id']}")).json
    rendition = len(answers[3].body)
    assert more("darkroom_bytes_total", direction="stored") == 3 * size + result["size_bytes"] + rendition

    assert more("darkroom_jobs_total", kind="transform", outcome="completed", error_code="") == 1
    assert more("darkroom_jobs_total", outcome="failed", error_code=answers[1].code) == 1
    assert more("darkroom_job_wait_seconds_count", queue="transform") == 2
    assert more("darkroom_job_run_seconds_count", kind="transform") == 2
    assert more("darkroom_render_seconds_count", operation="resize") == 2, "the job's, and the address's"
    assert more("darkroom_render_seconds_count", operation="describe") == 1
    assert more("darkroom_render_seconds_sum", operation="encode") > 0
    assert more("darkroom_renditions_total", result="rendered") == 1
    assert more("darkroom_renditions_total", result="memory") + more(
        "darkroom_renditions_total", result="hit"
    ) == 1  # fmt: skip
    await check_all(watched, client)


async def check_all(watched: Watched, client: Client) -> None:
    """The gauges are there, the format is right, and addresses that lead nowhere add no series."""
    series = await watched.series()
    for name in ("darkroom_jobs_queued", "darkroom_jobs_oldest_queued_seconds"):
        assert {dict(labels)["queue"] for found, labels in series if found == name} == QUEUES
    assert total(series, "darkroom_backlog_measured_timestamp_seconds") > 1.7e9
    assert total(series, "darkroom_pool_size", pool="interactive") == 2
    assert total(series, "darkroom_pool_size", pool="database") >= 10
    assert total(series, "darkroom_pool_used", pool="interactive") == 0
    pools = {dict(labels)["pool"] for found, labels in series if found == "darkroom_pool_size"}
    assert pools <= MEANINGS.keys()
    of_s3 = {"s3", "s3.downloads", "s3.health"}
    assert pools & of_s3 == (of_s3 if watched.site.kind == "services" else set())
    assert {dict(labels)["app"] for found, labels in series if found == "darkroom_build_info"} == set(
        watched.ports
    )
    for app in watched.ports:
        lint(await watched.text(app))
    for _ in range(20):
        await client.get(f"/{uuid4().hex}?{uuid4().hex}")
        await client.call("PROPFIND", f"/api/{uuid4().hex}")
    assert names_of(await watched.series()) == names_of(series)


def lint(text: str) -> None:
    """Let Prometheus check the format, the names and the units."""
    program = [str(programs.need("promtool")), "check", "metrics"]
    checked = subprocess.run(program, input=text, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def names_of(series: Series) -> set[object]:
    return {key for key in series if key[0].startswith("darkroom_http")}


@EMBEDDED
async def test_a_port_that_is_taken_stops_the_start(new_site: NewSite) -> None:
    (listener,) = bound("127.0.0.1")
    with listener:
        listener.listen()
        site = await new_site()
        port = str(listener.getsockname()[1])
        site.settings |= {"METRICS_PORT": port, "DATA_DIR": f"{site.directory}/other"}
        ended = await run_command(site, "serve")
    assert ended.status == 1
    assert "metrics cannot be offered" in ended.errors
    assert "set DARKROOM_METRICS_PORT to a free port (metrics_port_taken)" in ended.errors


def test_a_process_that_nobody_watches_imports_nothing_for_it() -> None:
    modules = "apps.embedded.serve, apps.cli.main, libs.storage.objects.s3, libs.broker.rabbit"
    packages = ("opentelemetry", "prometheus_client", "sentry_sdk")
    program = f"import sys, {modules}; print([name for name in {packages} if name in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


async def test_what_does_not_go_well_is_counted_by_its_reason(watched: Watched, client: Client) -> None:
    before = await watched.series()

    async def grown(name: str, **labels: str) -> float:
        return total(await watched.series(), name, **labels) - total(before, name, **labels)

    data, name = picture(), uuid4().hex
    url = watched.photo_server.serve(f"/{name}.jpg", data)
    watched.photo_server.failing[f"/{name}.jpg"] = 1
    watched.receiver.plans[f"/{name}"] = [PlannedResponse(500)]
    wanted = {"image_url": url, "webhook_url": watched.receiver.url(f"/{name}")}
    made = await client.post("/api/images", json=wanted, headers={"Prefer": "wait=60"})
    assert made.status == 201, made
    with watched.photo_server.holding(url):
        late = await client.post("/api/images", json={"image_url": url})
        cancelled = await client.call("DELETE", f"/api/jobs/{late.json['id']}")
        assert cancelled.status == 200, cancelled
    await until_equal(1, lambda: grown("darkroom_webhook_deliveries_total", outcome="delivered"))
    assert await grown("darkroom_webhook_deliveries_total", outcome="retried") == 1
    assert (
        await grown("darkroom_jobs_total", kind="ingest", outcome="retried", error_code="url_http_error") == 1
    )
    assert await grown("darkroom_jobs_total", kind="ingest", outcome="completed") == 1
    assert await grown("darkroom_jobs_total", kind="ingest", outcome="cancelled") == 1
    assert await grown("darkroom_bytes_total", direction="fetched") == len(data)

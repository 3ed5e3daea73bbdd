"""A request and all that follows from it are one trace, whichever processes work on it."""

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import aio_pika
import pytest

from libs.contracts.topology import JOBS
from libs.runtime.tracing.export import TelemetryMissing, exported_traces
from tests.batches.csv_files import accepted, done, products
from tests.operation.conftest import Watched
from tests.orders.producer import BROKER_USER
from tests.support.addresses import fetched, signed
from tests.support.client import Client
from tests.support.collector import CollectedSpan
from tests.support.photo_server import picture
from tests.support.ports import free_port
from tests.support.shared_sites import NewSite, signed_in
from tests.support.waiting import WAIT_S, until

STEPS = [{"op": "resize", "width": 64}]
URLS = 8  # more than a host may be asked for at once: each fetch that ends releases the next job
ON_SERVICES = pytest.mark.parametrize(
    "watched", [pytest.param("services", marks=pytest.mark.services)], indirect=True
)
ON_ONE_SITE = pytest.mark.parametrize("watched", ["embedded"], indirect=True)


def traceparent() -> tuple[str, str, str]:
    """A trace and a span of another program, and the header that names them."""
    trace, span = uuid4().hex, uuid4().hex[:16]
    return trace, span, f"00-{trace}-{span}-01"


async def ended(watched: Watched, trace: str, name: str, count: int = 1) -> list[CollectedSpan]:
    """The spans of a trace with a name, once there are so many."""

    async def found() -> list[CollectedSpan]:
        spans = [span for span in watched.collector.trace(trace) if span.name == name]
        return spans if len(spans) >= count else []

    return await until(found)


def process_of(watched: Watched, app: str) -> str:
    return "serve" if watched.site.kind == "embedded" else app


def lines(watched: Watched, app: str, event: str) -> list[dict[str, Any]]:
    """The lines of an app's log with an event."""
    log = watched.site.log_of(process_of(watched, app)).read_text()
    found = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    return [line for line in found if line["event"] == event]


async def test_a_request_its_job_and_its_webhook_are_one_trace(
    watched: Watched, client: Client, photos: Path
) -> None:
    trace, outside, header = traceparent()
    hook = f"/traces/{uuid4().hex}"
    made = await client.upload(
        photos / "rocket.jpg",
        STEPS,
        headers={"traceparent": header},
        wait_s=60,
        webhook_url=watched.receiver.url(hook),
    )
    assert made.status == 201, made
    (hooked,) = await watched.receiver.received(hook)
    (post,) = await ended(watched, trace, "POST /api/images")
    (webhook,) = await ended(watched, trace, "webhook")
    (process,) = await ended(watched, trace, "process darkroom.transform")
    (publish,) = await ended(watched, trace, f"publish {JOBS}:transform")
    spans = watched.collector.trace(trace)

    assert (post.parent, post.kind, post.service) == (outside, "server", process_of(watched, "api"))
    assert post.attributes["http.route"] == "/api/images"
    assert post.attributes["http.response.status_code"] == 201
    assert (publish.parent, publish.kind) == (post.id, "producer")
    assert (process.parent, process.kind) == (publish.id, "consumer")
    assert process.service == process_of(watched, "worker")
    system = "memory" if watched.site.kind == "embedded" else "rabbitmq"
    assert process.attributes["messaging.system"] == publish.attributes["messaging.system"] == system
    assert process.attributes["messaging.message.id"] == made.json["job_id"]
    assert (webhook.parent, webhook.kind) == (process.id, "client")
    assert webhook.service == process_of(watched, "scheduler")
    assert hooked.headers["traceparent"].split("-")[1:3] == [trace, webhook.id]

    by_parent = {(span.parent, span.name) for span in spans}
    assert (process.id, "render render") in by_parent
    assert {(post.id, "objects put"), (process.id, "objects put"), (process.id, "objects get")} <= by_parent
    (render,) = [span for span in spans if span.name == "render render"]
    assert {"darkroom.step.decode.s", "darkroom.step.resize.s", "darkroom.step.encode.s"} <= set(
        render.attributes
    )
    database = "sqlite" if watched.site.kind == "embedded" else "postgresql"
    of_database = [span for span in spans if span.attributes.get("db.system.name") == database]
    assert {span.parent for span in of_database} >= {post.id, process.id, webhook.id}
    assert not any(client.username in span.attributes.get("db.query.text", "") for span in of_database)
    known = {span.id for span in spans} | {outside}
    assert [span for span in spans if span.parent not in known] == []
    assert [span for span in spans if span.failed] == []

    for app, event in (("api", "request"), ("worker", "job_completed"), ("scheduler", "webhook_delivered")):
        (line,) = [line for line in lines(watched, app, event) if line.get("trace_id") == trace]
        assert line["span_id"] in known
        assert line["request_id"] == made.headers["X-Request-ID"]


@ON_ONE_SITE  # the sweep is the same everywhere, and this broker loses its messages
async def test_a_job_whose_message_was_lost_stays_in_its_trace(watched: Watched, client: Client) -> None:
    trace, _, header = traceparent()
    url = watched.photo_server.serve(f"/{uuid4().hex}.jpg", picture())
    app = process_of(watched, "worker")
    with watched.photo_server.holding(url):
        wanted = {"image_url": url, "operations": STEPS}
        made = await client.post("/api/images", json=wanted, headers={"traceparent": header})
        assert made.status == 202, made
        (post,) = await ended(watched, trace, "POST /api/images")
        path = "/" + url.rpartition("/")[2]

        async def fetching() -> bool:
            return watched.photo_server.request_counts[path] == 1

        await until(fetching)
        (first,) = await ended(watched, trace, f"publish {JOBS}:ingest")
        await watched.site.kill(app)
    await watched.site.start(app)
    await watched.site.ready()
    assert (await client.job_done(made.json["id"]))["status"] == "completed"
    (process,) = await ended(watched, trace, "process darkroom.ingest")
    _, again = await ended(watched, trace, f"publish {JOBS}:ingest", 2)
    assert (first.parent, again.parent, process.parent) == (post.id, post.id, again.id)


async def test_each_job_of_a_batch_has_a_trace_of_its_own_with_a_link_to_the_request(
    watched: Watched, client: Client
) -> None:
    trace, outside, header = traceparent()
    urls = [watched.photo_server.serve(f"/{uuid4().hex}.jpg", picture()) for _ in range(URLS)]
    batch = await accepted(client, products([urls]), headers={"traceparent": header})
    items = (await done(client, batch["id"]))["items"]
    (post,) = await ended(watched, trace, "POST /api/batches")
    assert post.parent == outside
    await own_traces(watched, post, "ingest.bulk", URLS)

    trace, outside, header = traceparent()
    wanted = {"ids": [item["output_id"] for item in items[:2]], "operations": STEPS}
    batch = await client.post("/api/batches/transform", json=wanted, headers={"traceparent": header})
    assert batch.status == 202, batch
    await done(client, batch.json["id"])
    (post,) = await ended(watched, trace, "POST /api/batches/transform")
    await own_traces(watched, post, "transform.bulk", 2)


async def own_traces(watched: Watched, post: CollectedSpan, queue: str, count: int) -> None:
    """The jobs that a request made are published and worked on in traces that lead back to it."""

    async def linked() -> list[CollectedSpan]:
        spans = [span for span in watched.collector.spans if (post.trace, post.id) in span.links]
        return spans if len(spans) >= count else []

    published = await until(linked)
    assert {(span.name, span.kind, span.parent) for span in published} == {
        (f"publish {JOBS}:{queue}", "producer", "")
    }
    assert len({span.trace for span in published}) == len(published) == count
    for span in published:
        (process,) = await ended(watched, span.trace, f"process darkroom.{queue}")
        assert (process.parent, process.links) == (span.id, ())
    of_request = {span.name for span in watched.collector.trace(post.trace)}
    assert not any(name.startswith(("publish", "process")) for name in of_request), of_request


@ON_SERVICES
async def test_an_order_carries_its_own_trace(watched: Watched, client: Client, photos: Path) -> None:
    trace, outside, header = traceparent()
    image = (await client.upload(photos / "rocket.jpg")).json["id"]
    order = {
        "type": "transform.v1",
        "owner": client.username,
        "source": {"image_id": image},
        "operations": STEPS,
    }
    connection = await aio_pika.connect(watched.site.settings["BROKER_URL"])
    async with connection:
        channel = await connection.channel()
        exchange = await channel.get_exchange(JOBS, ensure=False)
        message = aio_pika.Message(
            json.dumps(order).encode(), headers={"traceparent": header}, user_id=BROKER_USER
        )
        await exchange.publish(message, "transform")
    accepted, process = await ended(watched, trace, "process darkroom.transform", 2)
    (publish,) = await ended(watched, trace, f"publish {JOBS}:transform")
    assert accepted.parent == outside
    assert (publish.parent, process.parent) == (accepted.id, publish.id)


@ON_ONE_SITE
async def test_an_address_of_an_image_is_a_trace_without_its_path(
    watched: Watched, client: Client, photos: Path
) -> None:
    trace, outside, header = traceparent()
    image = (await client.upload(photos / "rocket.jpg")).json["id"]
    answer = await fetched(client, signed("w_40", image), headers={"traceparent": header})
    assert answer.status == 200
    (span,) = await ended(watched, trace, "GET /t/")
    assert (span.parent, span.attributes["http.route"]) == (outside, "/t/")
    await ended(watched, trace, "render render")
    assert not any(
        image in str(one.attributes) for one in watched.collector.trace(trace) if one.id == span.id
    )


@ON_ONE_SITE
async def test_timed_work_makes_no_traces_of_its_own(watched: Watched, client: Client) -> None:
    async with asyncio.timeout(WAIT_S):
        await client.get("/health/live", headers={"traceparent": traceparent()[2]})
    roots = {span.name for span in watched.collector.spans if not span.parent}
    assert not any(name.startswith(("SELECT", "UPDATE", "objects", "render")) for name in roots), roots


def test_a_collector_without_the_packages_is_an_error_of_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "libs.runtime.tracing.opentelemetry_tracer", None)
    with (
        pytest.raises(TelemetryMissing, match=r"OTEL_EXPORTER_OTLP_ENDPOINT is set.*darkroom\[telemetry\]"),
        exported_traces("worker", "1.2.3", endpoint="http://127.0.0.1:4318"),
    ):
        pass


@pytest.mark.parametrize("new_site", ["embedded"], indirect=True)
async def test_a_collector_that_is_away_holds_up_neither_work_nor_the_end(
    new_site: NewSite, photos: Path
) -> None:
    site = await new_site(OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{free_port()}")
    async with signed_in(site) as client:
        assert (await client.upload(photos / "rocket.jpg", STEPS, wait_s=60)).status == 201
    began = time.monotonic()
    await site.stop("serve")
    assert time.monotonic() - began < 10
    assert "Traceback" not in site.logs()

"""A site that is watched: every process offers metrics, and all send traces to one collector."""

from collections.abc import AsyncIterator, Mapping

import aiohttp
import pytest
from msgspec import Struct
from prometheus_client.parser import text_string_to_metric_families

from tests.orders.producer import BROKER_USER
from tests.support.client import Client
from tests.support.collector import Collector, collecting
from tests.support.photo_server import INSIDE, OUTSIDE, PhotoServer, serving
from tests.support.ports import free_port
from tests.support.shared_sites import BOTH, signed_in
from tests.support.site import Kind, Site, running_site
from tests.support.webhook_receiver import Receiver, receiving, webhook_settings

Series = Mapping[tuple[str, frozenset[tuple[str, str]]], float]


class Watched(Struct, frozen=True):
    """A watched site, and what is around it."""

    site: Site
    ports: Mapping[str, int]
    collector: Collector
    receiver: Receiver
    photo_server: PhotoServer

    async def text(self, app: str) -> str:
        """What Prometheus gets of one process."""
        return await scraped(self.ports[app])

    async def series(self) -> Series:
        """Every series of all processes; equal ones are added."""
        return parsed(*[await self.text(app) for app in self.ports])


async def scraped(port: int) -> str:
    """What Prometheus gets of the process with this port for metrics."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{port}/metrics") as answer,
    ):
        assert answer.status == 200
        return await answer.text()


def parsed(*texts: str) -> Series:
    """The series of several processes; equal ones are added."""
    found: dict[tuple[str, frozenset[tuple[str, str]]], float] = {}
    for text in texts:
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                key = (sample.name, frozenset(sample.labels.items()))
                found[key] = found.get(key, 0.0) + sample.value
    return found


def total(series: Series, name: str, **labels: str) -> float:
    """The sum of the series of a name that have these labels, and any others."""
    return sum(value for key, value in series.items() if key[0] == name and key[1] >= set(labels.items()))


@pytest.fixture(scope="session", params=BOTH)
async def watched(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Watched]:
    kind: Kind = request.param
    apps = ("serve",) if kind == "embedded" else ("api", "worker", "scheduler")
    ports = {app: free_port() for app in apps}
    async with (
        collecting() as collector,
        receiving() as receiver,
        serving(OUTSIDE, INSIDE) as (photo_server, _),
    ):
        settings = webhook_settings(receiver) | {
            **{f"{app}.METRICS_PORT": str(port) for app, port in ports.items()},
            "FETCH_PORTS": f"{photo_server.port},{receiver.port}",
            "AMQP_TRUSTED_USERS": BROKER_USER,
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
            "OTEL_BSP_SCHEDULE_DELAY": "50",
        }
        directory = tmp_path_factory.mktemp(f"watched-{kind}")
        async with running_site(kind, directory, **settings) as site:
            yield Watched(site, ports, collector, receiver, photo_server)


@pytest.fixture
async def client(watched: Watched) -> AsyncIterator[Client]:
    """A new account on the watched site."""
    async with signed_in(watched.site) as client:
        yield client

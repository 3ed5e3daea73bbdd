"""An installation on services: API, worker and scheduler, as processes or all in one, and their backends."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from tests.chaos.own_services import OwnServices, Urls
from tests.chaos.small_disk import SmallDisk
from tests.support.photo_server import OUTSIDE, PhotoServer, serving
from tests.support.site import PROGRAM, SECRET, App, Site
from tests.support.webhook_receiver import Receiver, receiving, webhook_settings

BROKER_USER = "guest"
APPS: tuple[App, ...] = ("api", "worker", "scheduler")
ALL_IN_ONE: tuple[App, ...] = ("serve",)

SETTINGS: Mapping[str, str] = {
    "SECRET_KEY": SECRET,
    "ACCESS_TOKEN_S": "86400",  # the run is longer than the usual token lives
    "AMQP_TRUSTED_USERS": BROKER_USER,
    "JOB_LEASE_S": "5",
    "TICK_S": "1",
    "RETRY_BASE_S": "2",
    "JOB_TIMEOUT_S": "60",
    "MIN_FREE_BYTES": "8000000",  # of small disks
    "WEBHOOK_SCHEDULE_S": "0,1,2,4,8,16,32,64",
}
"""As in a deployment, but for a short lease: the job of a killed worker is free after 5 s, not 30 s."""


class Installation:
    """The processes, the direct URLs of the backends, and servers that stand for the internet."""

    def __init__(
        self,
        site: Site,
        urls: Urls,
        photo_server: PhotoServer,
        receiver: Receiver,
        services: OwnServices | None,
        scratch: SmallDisk | None,
    ) -> None:
        self.site = site
        self.urls = urls
        self.photo_server = photo_server
        self.receiver = receiver
        self._services = services
        self._scratch = scratch

    @property
    def services(self) -> OwnServices:
        assert self._services is not None, "this fault needs services of its own"
        return self._services

    @property
    def scratch(self) -> SmallDisk:
        """The disk with the temporary files of all processes."""
        assert self._scratch is not None, "this fault needs a small disk for temporary files"
        return self._scratch


@asynccontextmanager
async def running_installation(
    directory: Path,
    urls: Urls,
    *,
    services: OwnServices | None = None,
    scratch: SmallDisk | None = None,
    apps: tuple[App, ...] = APPS,
    **settings: str,
) -> AsyncGenerator[Installation]:
    """Migrate the database and start all processes; stop them in the end."""
    directory.mkdir(parents=True)
    async with serving(OUTSIDE) as [photo_server], receiving() as receiver:
        backends = {"DATABASE_URL": urls.database, "BROKER_URL": urls.broker, "OBJECTS_URL": urls.objects}
        ports = {"FETCH_PORTS": f"{photo_server.port},{receiver.port}"}
        data = {} if scratch is None else {"DATA_DIR": str(scratch.path)}
        values = {**backends, **webhook_settings(receiver), **ports, **SETTINGS, **data, **settings}
        site = Site("services", directory, values, PROGRAM)
        site.app_names = apps
        await site.run("migrate")
        try:
            await site.start_all()
            yield Installation(site, urls, photo_server, receiver, services, scratch)
        finally:
            await site.stop_all()

"""Faults. Each is a context manager: it causes the fault, yields the function that ends it, and cleans up."""

import asyncio
import signal
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from functools import partial
from typing import Literal, TypeAlias

import psutil
from msgspec import Struct

from tests.chaos.installation import ALL_IN_ONE, APPS, Installation
from tests.chaos.other_clock import with_other_clock
from tests.chaos.own_services import Server
from tests.chaos.small_disk import SmallDisk
from tests.support.fault_proxy import FaultProxy
from tests.support.site import PROGRAM, App
from tests.support.site_jobs import family_of
from tests.support.waiting import until

Mend: TypeAlias = Callable[[], Awaitable[object]]
Inject: TypeAlias = Callable[[Installation], AbstractAsyncContextManager[Mend]]
ServiceName = Literal["postgres", "rabbitmq", "s3"]

AWAY_S = 5.0
LEASE_AND_MORE_S = 8.0
BLACK_HOLE_S = 30.0
HEALED_S, LINK_HEALED_S = 15.0, 60.0  # the aims: after a fault, and after a black hole
FREE_BYTES = 4096
COMPUTES_S = 0.15  # more than an idle process spends
SETTING_OF = {"postgres": "DATABASE_URL", "rabbitmq": "BROKER_URL", "s3": "OBJECTS_URL"}


class Fault(Struct, frozen=True):
    """A fault, how long it lasts, and how soon after its end new work of every kind must be done."""

    name: str
    inject: Inject
    lasts_s: float = AWAY_S
    within_s: float = HEALED_S
    apps: tuple[App, ...] = APPS  # the processes of the installation


async def nothing_to_mend() -> None:
    """Do nothing: the fault ends by itself."""


@asynccontextmanager
async def no_fault(_: Installation) -> AsyncGenerator[Mend]:
    """Cause no fault: the baseline for all others."""
    yield nothing_to_mend


@asynccontextmanager
async def killed(names: Sequence[App], installation: Installation) -> AsyncGenerator[Mend]:
    """Kill processes by SIGKILL, and start them again, as a supervisor would."""
    site = installation.site
    if "worker" in names or "serve" in names:
        await _computing(installation)
    await asyncio.gather(*map(site.kill, names))

    async def mend() -> None:
        for name in names:
            await site.start(name)

    yield mend


@asynccontextmanager
async def frozen(name: App, installation: Installation) -> AsyncGenerator[Mend]:
    """Stop a process and all that it started by SIGSTOP."""
    family = family_of(installation.site, name)
    _signal(family, signal.SIGSTOP)

    async def mend() -> None:
        _signal(family, signal.SIGCONT)

    try:
        yield mend
    finally:
        await mend()


@asynccontextmanager
async def render_process_killed(installation: Installation) -> AsyncGenerator[Mend]:
    """Kill a busy render process, as the kernel does when memory is short."""
    (await _computing(installation)).kill()
    yield nothing_to_mend


@asynccontextmanager
async def rolling_restart(installation: Installation) -> AsyncGenerator[Mend]:
    """Replace every process: the next worker and scheduler run before the last one stops."""
    site = installation.site
    names: tuple[App, ...] = ("worker", "scheduler")
    for name in names:
        site.apps[f"last-{name}"] = site.apps.pop(name)
        await site.start(name)
        await asyncio.sleep(AWAY_S / 2)  # both work
        await site.stop(f"last-{name}")
    await site.stop("api")  # its port is free only now
    await site.start("api")
    yield nothing_to_mend


@asynccontextmanager
async def worker_with_another_clock(offset_s: int, installation: Installation) -> AsyncGenerator[Mend]:
    """Start a second worker whose clock is off by `offset_s`."""
    site = installation.site
    site.program = await with_other_clock(PROGRAM, offset_s, site.directory)
    try:
        await site.start("worker", called="worker-2")
    finally:
        site.program = PROGRAM
    yield partial(site.stop, "worker-2")


@asynccontextmanager
async def service_killed(name: ServiceName, installation: Installation) -> AsyncGenerator[Mend]:
    server = _server(name, installation)
    await server.kill()
    yield server.start


@asynccontextmanager
async def service_restarted(name: ServiceName, installation: Installation) -> AsyncGenerator[Mend]:
    """Stop a service in order, and start it again."""
    server = _server(name, installation)
    await server.stop()
    yield server.start


@asynccontextmanager
async def service_frozen(name: ServiceName, installation: Installation) -> AsyncGenerator[Mend]:
    """Stop a service by SIGSTOP: its connections stay open, and nothing answers."""
    server = _server(name, installation)
    server.freeze()

    async def mend() -> None:
        server.thaw()

    try:
        yield mend
    finally:
        server.thaw()


@asynccontextmanager
async def service_in_black_hole(name: ServiceName, installation: Installation) -> AsyncGenerator[Mend]:
    """Put a proxy before a service, and let it drop everything; remove it at the end."""
    site, setting = installation.site, SETTING_OF[name]
    direct = site.settings[setting]
    async with FaultProxy.to(direct) as proxy:
        site.settings[setting] = proxy.url
        try:
            await _restarted(installation)
            async with black_hole(proxy, installation) as mend:
                yield mend
        finally:
            site.settings[setting] = direct
            await _restarted(installation)


@asynccontextmanager
async def black_hole(proxy: FaultProxy, _: Installation) -> AsyncGenerator[Mend]:
    """Let nothing pass; connections that are open now never work again."""
    proxy.silence()
    proxy.pause()

    async def mend() -> None:
        proxy.resume()

    yield mend


@asynccontextmanager
async def memory_alarm(installation: Installation) -> AsyncGenerator[Mend]:
    """Raise an alarm, so that RabbitMQ blocks every connection that publishes."""
    control = installation.services.rabbitmqctl
    await control("set_vm_memory_high_watermark", "absolute", "1MB")
    mend = partial(control, "set_vm_memory_high_watermark", "absolute", "1GB")
    try:
        yield mend
    finally:
        await mend()


@asynccontextmanager
async def disk_full(
    of: Callable[[Installation], SmallDisk], installation: Installation
) -> AsyncGenerator[Mend]:
    """Fill a disk, again and again while the fault lasts."""
    disk = of(installation)
    filling = asyncio.create_task(_keep_full(disk))

    async def mend() -> None:
        filling.cancel()
        with suppress(asyncio.CancelledError):
            await filling
        disk.empty()

    try:
        yield mend
    finally:
        await mend()


async def _keep_full(disk: SmallDisk) -> None:
    while True:
        disk.fill(leave_bytes=FREE_BYTES)
        await asyncio.sleep(0.2)


async def _restarted(installation: Installation) -> None:
    site = installation.site
    await site.stop_all()
    await site.start_all()


async def _computing(installation: Installation) -> psutil.Process:
    """Return a render process that computes now, once there is one."""
    apps = installation.site.apps
    worker = psutil.Process(apps["worker" if "worker" in apps else "serve"].pid)
    before: dict[psutil.Process, float] = {}

    async def found() -> psutil.Process | None:
        for process in worker.children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                spent_s = process.cpu_times().user
                if spent_s - before.setdefault(process, spent_s) > COMPUTES_S:
                    return process
        return None

    process = await until(found)
    assert process is not None
    return process


def _server(name: ServiceName, installation: Installation) -> Server:
    return getattr(installation.services, name)


def _signal(processes: Sequence[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)


def _every(name: ServiceName, called: str) -> list[Fault]:
    return [
        Fault(f"{called} killed (SIGKILL)", partial(service_killed, name)),
        Fault(f"{called} restarted", partial(service_restarted, name)),
        Fault(f"{called} frozen (SIGSTOP)", partial(service_frozen, name), lasts_s=10),
        Fault(f"{called} in a black hole", partial(service_in_black_hole, name), BLACK_HOLE_S, LINK_HEALED_S),
    ]


FAULTS: tuple[Fault, ...] = (
    Fault("none", no_fault),
    *(Fault(f"{name} killed (SIGKILL)", partial(killed, [name]), lasts_s=1) for name in APPS),
    Fault("all three killed (SIGKILL)", partial(killed, APPS), lasts_s=1),
    *(Fault(f"{name} frozen (SIGSTOP)", partial(frozen, name), LEASE_AND_MORE_S) for name in APPS),
    Fault("render process killed (SIGKILL)", render_process_killed, lasts_s=1),
    Fault("rolling restart", rolling_restart, lasts_s=0),
    *(
        Fault(f"a second worker, its clock {offset_s:+d} s", partial(worker_with_another_clock, offset_s), 10)
        for offset_s in (60, -60)
    ),
    *_every("rabbitmq", "RabbitMQ"),
    *_every("postgres", "PostgreSQL"),
    *_every("s3", "S3"),
    Fault("RabbitMQ's memory alarm", memory_alarm, lasts_s=10),
    Fault("scratch full", partial(disk_full, lambda installation: installation.scratch), lasts_s=8),
    Fault("store full", partial(disk_full, lambda installation: installation.services.store), lasts_s=8),
    Fault("serve killed (SIGKILL)", partial(killed, ALL_IN_ONE), lasts_s=1, apps=ALL_IN_ONE),
    Fault(
        "serve, PostgreSQL in a black hole",
        partial(service_in_black_hole, "postgres"),
        BLACK_HOLE_S,
        LINK_HEALED_S,
        ALL_IN_ONE,
    ),
)

"""Bring a service up, whatever state it was left in, and take it down."""

import hashlib
import secrets
import shutil
import sys
import time
from pathlib import Path

from infra.local import apt, containers, network, processes, programs, record
from infra.local.record import CannotStart, Record
from infra.local.service import Service

START_S = 90.0
POLL_S = 0.05
LOG_LINES = 15


def is_up(service: Service) -> bool:
    known = record.load(service.name)
    return known is not None and _runs(known) and service.answers(known)


def get_programs(services: list[Service]) -> None:
    """See that all programs are there, by apt where that is possible."""
    lacking = [service for service in services if not programs.found(service.programs)]
    packages = [package for service in lacking for package in service.packages]
    if packages and apt.usable():
        apt.install(packages)
        lacking = [service for service in lacking if not programs.found(service.programs)]
    if lacking:
        raise CannotStart("\n".join(_what_is_missing(service) for service in lacking))


def bring_up(service: Service) -> None:
    """Start a service that is not up, empty, on the ports it had before.

    What one that died has left is thrown away: nothing made sure that it reached the disk.
    """
    known = _renewed(service)
    try:
        _start(service, known)
        _wait(service, known)
    except CannotStart as error:
        _end(service, known)
        raise CannotStart(f"{service.name}: {error}") from error


def take_down(service: Service) -> bool:
    """Stop the service and remove its data; False when there was none."""
    known = record.load(service.name)
    if known is None:
        return False
    _end(service, known)
    shutil.rmtree(known.folder, ignore_errors=True)
    record.forget(service.name)
    return True


def _renewed(service: Service) -> Record:
    old = record.load(service.name)
    take_down(service)
    ports = {name: old.ports.get(name, 0) if old else 0 for name in service.ports}
    return Record(
        folder=str(service.make_folder(record.state_folder())),
        ports={
            name: port if port and network.is_free(port) else network.free_port()
            for name, port in ports.items()
        },
        secret=old.secret if old else secrets.token_hex(16),
    )


def _start(service: Service, known: Record) -> None:
    """In a container where an engine answers, else with the programs of this machine."""
    if containers.engine_answers():
        known.container = _container_name(service)
        record.save(service.name, known)
        try:
            containers.start(known, service.container(known))
            return
        except CannotStart as error:
            if not programs.found(service.programs):
                raise
            print(f"{service.name}: {error}; using the programs of this machine", file=sys.stderr)
            containers.remove(known.container)
    known.container = ""
    record.save(service.name, known)
    try:
        service.start(known)
    finally:
        record.save(service.name, known)


def _wait(service: Service, known: Record) -> None:
    deadline = time.monotonic() + START_S
    while not service.answers(known):
        if not _runs(known):
            raise CannotStart(f"stopped while starting:\n{_last_words(known)}")
        if time.monotonic() > deadline:
            raise CannotStart(f"does not answer after {START_S:.0f} s:\n{_last_words(known)}")
        time.sleep(POLL_S)


def _runs(known: Record) -> bool:
    if known.container:
        return containers.engine_answers() and containers.runs(known.container)
    return bool(known.processes) and all(processes.is_alive(process) for process in known.processes)


def _end(service: Service, known: Record) -> None:
    service.stop(known)
    known.processes.clear()
    if known.container and containers.engine_answers():
        containers.remove(known.container)


def _container_name(service: Service) -> str:
    """One per service and state folder."""
    mark = hashlib.sha256(str(record.state_folder()).encode()).hexdigest()[:8]
    return f"darkroom-test-{service.name}-{mark}"


def _last_words(known: Record) -> str:
    if known.container:
        return containers.log(known.container)
    log = Path(known.folder) / "log"
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    return "\n".join(lines[-LOG_LINES:])


def _what_is_missing(service: Service) -> str:
    absent = ", ".join(name for name in service.programs if programs.find(name) is None)
    ways = [service.advice, "start a Docker engine", f"set {service.variable} to a server of yours"]
    if service.packages:
        ways.insert(
            1, f"run this as root on Debian or Ubuntu ({' '.join(service.packages)} comes by apt-get)"
        )
    return f"{service.name}: not found: {absent}\n  " + "\n  or ".join(ways)

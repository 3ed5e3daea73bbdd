"""Start a service, whatever state an earlier run left it in, and stop it."""

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
    """Return whether `up` started the service and it answers."""
    known = record.load(service.name)
    return known is not None and _runs(known) and service.answers(known)


def install_programs(services: list[Service]) -> None:
    """Install the missing programs of services with apt-get where possible.

    Raises:
        CannotStart: Programs are still missing.
    """
    incomplete = [service for service in services if not programs.found(service.programs)]
    packages = [package for service in incomplete for package in service.packages]
    if packages and apt.usable():
        apt.install(packages)
        incomplete = [service for service in incomplete if not programs.found(service.programs)]
    if incomplete:
        raise CannotStart("\n".join(_missing_programs(service) for service in incomplete))


def bring_up(service: Service) -> None:
    """Start a service that is not up, with no data, on the ports it had before.

    Data of a service that died are deleted: they may not have been written to disk.

    Raises:
        CannotStart: It did not start, or does not answer after `START_S` seconds.
    """
    known = _new_record(service)
    try:
        _start(service, known)
        _wait(service, known)
    except CannotStart as error:
        _end(service, known)
        raise CannotStart(f"{service.name}: {error}") from error


def take_down(service: Service) -> bool:
    """Stop the service and delete its data; return False if `up` did not start it."""
    known = record.load(service.name)
    if known is None:
        return False
    _end(service, known)
    shutil.rmtree(known.folder, ignore_errors=True)
    record.delete(service.name)
    return True


def _new_record(service: Service) -> Record:
    """Replace the record of an earlier run; keep its secret, and its ports as far as they are free."""
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
    """Start a container if a Docker engine answers, else local programs."""
    if containers.engine_answers():
        known.container = _container_name(service)
        record.save(service.name, known)
        try:
            containers.start(known, service.container(known))
            return
        except CannotStart as error:
            if not programs.found(service.programs):
                raise
            print(f"{service.name}: {error}; using local programs", file=sys.stderr)
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
            raise CannotStart(f"stopped while starting:\n{_log_end(known)}")
        if time.monotonic() > deadline:
            raise CannotStart(f"does not answer after {START_S:.0f} s:\n{_log_end(known)}")
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
    """Return a name that is unique to the service and the state folder."""
    mark = hashlib.sha256(str(record.state_folder()).encode()).hexdigest()[:8]
    return f"darkroom-test-{service.name}-{mark}"


def _log_end(known: Record) -> str:
    if known.container:
        return containers.log(known.container)
    log = Path(known.folder) / "log"
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    return "\n".join(lines[-LOG_LINES:])


def _missing_programs(service: Service) -> str:
    absent = ", ".join(name for name in service.programs if programs.find(name) is None)
    ways = [service.advice, "start a Docker engine", f"set {service.variable} to a server of yours"]
    if service.packages:
        ways.insert(
            1, f"run this as root on Debian or Ubuntu ({' '.join(service.packages)} comes by apt-get)"
        )
    return f"{service.name}: not found: {absent}\n  " + "\n  or ".join(ways)

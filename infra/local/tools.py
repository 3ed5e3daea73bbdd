"""Programs that tests use in addition to the services: a browser, clients, a RabbitMQ that they can kill."""

import sys
from pathlib import Path
from typing import NamedTuple

from infra.local import apt, programs
from infra.local.record import CannotStart


class Tool(NamedTuple):
    """A program, by its possible names, and the system package that contains it."""

    names: tuple[str, ...]
    package: str
    advice: str  # how to get it by hand

    def find(self) -> Path | None:
        return next((path for name in self.names if (path := programs.find(name)) is not None), None)


BROWSER = Tool(
    ("chromium", "chromium-browser", "google-chrome"),
    "chromium",
    "install Chromium: the tests of the admin pages need it",
)
AMQP_PUBLISH = Tool(
    ("amqp-publish",), "amqp-tools", "install amqp-publish (rabbitmq-c): the test of its example needs it"
)
RABBITMQ_NODE = Tool(
    ("rabbitmq-server",),
    "rabbitmq-server",
    "install RabbitMQ: some tests start and kill their own node",
)
PG_ISREADY = Tool(
    ("pg_isready",), "postgresql-client", "install PostgreSQL's clients: a test runs pg_isready"
)
NGINX = Tool(
    ("nginx",), "nginx-light", "install nginx: the test of its configuration in docs/delivery.md needs it"
)
PROMTOOL = Tool(
    ("promtool",), "prometheus", "install promtool (Prometheus): a test tries the alert rules with it"
)
TOOLS = (BROWSER, AMQP_PUBLISH, RABBITMQ_NODE, PG_ISREADY, NGINX, PROMTOOL)


def install_missing() -> None:
    """Install missing tools with apt-get where possible; print how to get the others.

    The services run without them.
    """
    missing = [tool.package for tool in TOOLS if tool.find() is None]
    if missing and apt.usable():
        try:
            apt.install(missing)
        except CannotStart as error:
            print(error, file=sys.stderr)
    for tool in TOOLS:
        if tool.find() is None:
            print(tool.advice, file=sys.stderr)

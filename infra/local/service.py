"""The interface of the three services."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from infra.local.record import Record


@dataclass(frozen=True)
class Container:
    """How a container engine runs a service."""

    image: str
    ports: dict[str, int]  # ports inside the container, by their names in the record
    env: dict[str, str]
    command: Sequence[str] = ()
    entrypoint: str = ""


class Service(Protocol):
    """A server that `up` can start as local programs or in a container."""

    name: str
    variable: str  # the environment variable with the server's URL
    further_variables: tuple[str, ...]  # with further URLs of the server; set together with `variable`
    programs: tuple[str, ...]
    packages: tuple[str, ...]  # of Debian and Ubuntu; empty if theirs is too old
    advice: str  # how to get the programs by hand
    ports: tuple[str, ...]  # names of its ports; clients use the first

    def make_folder(self, inside: Path) -> Path:
        """Create an empty folder for data and log; in `inside`, if possible."""
        ...

    def start(self, record: Record) -> None:
        """Start the local programs; append each to `record.processes` as soon as it runs."""
        ...

    def stop(self, record: Record) -> None:
        """Stop the processes in the order of `record.processes`."""
        ...

    def answers(self, record: Record) -> bool:
        """Return whether the server answers clients."""
        ...

    def exports(self, record: Record) -> dict[str, str]:
        """Return the URLs for the tests: `variable` and `further_variables`."""
        ...

    def container(self, record: Record) -> Container:
        """Return how to run the service in a container."""
        ...

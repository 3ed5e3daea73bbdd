"""What the three services have in common."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from infra.local.record import Record


@dataclass(frozen=True)
class Container:
    """How a container engine runs a service."""

    image: str
    ports: dict[str, int]  # the port inside, by the name the record gives it
    env: dict[str, str]
    command: Sequence[str] = ()
    entrypoint: str = ""


class Service(Protocol):
    name: str
    variable: str  # names the server's URL in the environment
    beside: tuple[str, ...]  # name further URLs of the server; whoever gives it gives these, too
    programs: tuple[str, ...]
    packages: tuple[str, ...]  # of Debian and Ubuntu; empty when they have none that will do
    advice: str  # how to get the programs by hand
    ports: tuple[str, ...]  # the first is the one for clients

    def make_folder(self, inside: Path) -> Path:
        """A new, empty folder for data and log."""
        ...

    def start(self, record: Record) -> None:
        """Start the installed programs; `record.processes` gets each as soon as it runs."""
        ...

    def stop(self, record: Record) -> None:
        """End the processes, the first of `record` first."""
        ...

    def answers(self, record: Record) -> bool:
        """Whether clients are served now."""
        ...

    def exports(self, record: Record) -> dict[str, str]:
        """Variables for the tests: `variable` and those `beside` it."""
        ...

    def container(self, record: Record) -> Container: ...

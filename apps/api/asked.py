"""What most routes work with, as one thing."""

from dataclasses import dataclass, replace
from typing import Any

from litestar import Request
from litestar.di import NamedDependency

from apps.api.live import Live
from libs.backends import Backends
from libs.settings import Settings
from libs.storage.tables import BaseUser


@dataclass(frozen=True)
class Asked:
    """One request of a known caller, and all that is needed to answer it."""

    request: Request[Any, Any, Any]
    caller: BaseUser
    backends: Backends
    live: Live
    wait_s: float = 0  # for jobs, unless the client prefers otherwise

    @property
    def settings(self) -> Settings:
        return self.backends.settings

    @property
    def at(self) -> str:
        """Where clients reach us, without a slash at the end."""
        return (self.settings.public_url or str(self.request.base_url)).rstrip("/")

    def waiting(self, wait_s: float) -> "Asked":
        """The same, but jobs are waited for."""
        return replace(self, wait_s=wait_s)


def asked(
    request: Request[Any, Any, Any],
    caller: NamedDependency[BaseUser],
    backends: NamedDependency[Backends],
    live: NamedDependency[Live],
) -> Asked:
    """The request, for a route that answers nobody without an account."""
    return Asked(request, caller, backends, live)

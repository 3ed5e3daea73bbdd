"""What most routes work with, as one thing."""

from dataclasses import dataclass, replace
from typing import Any

from litestar import Request
from litestar.di import NamedDependency

from apps.api.middleware.request_log import request_id
from apps.api.responses.event_streams import Live
from libs.backends import Backends
from libs.jobs.build import JobOptions
from libs.settings import Settings
from libs.storage.database.tables import BaseUser


@dataclass(frozen=True)
class RequestContext:
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
    def base_url(self) -> str:
        """Where clients reach us, without a slash at the end."""
        return (self.settings.public_url or str(self.request.base_url)).rstrip("/")

    def waiting(self, wait_s: float) -> "RequestContext":
        """The same, but jobs are waited for."""
        return replace(self, wait_s=wait_s)


def job_options(webhook_url: str | None = None) -> JobOptions:
    """Return the options of a job that this request asks for."""
    return JobOptions(request_id=request_id(), webhook_url=webhook_url)


def request_context(
    request: Request[Any, Any, Any],
    caller: NamedDependency[BaseUser],
    backends: NamedDependency[Backends],
    live: NamedDependency[Live],
) -> RequestContext:
    """The request, for a route that answers nobody without an account."""
    return RequestContext(request, caller, backends, live)

"""The context of a request, which most handlers take."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

from litestar import Request

from apps.api.middleware.authentication import caller
from apps.api.middleware.upload_token_access import used_token
from apps.api.responses.addresses import Addresses
from apps.api.responses.event_streams import EventStreams
from apps.http.request_log import request_id
from libs.backends import Backends
from libs.jobs.build import JobOptions
from libs.settings import Settings
from libs.storage.database.tables import BaseUser
from libs.storage.database.upload_tables import UploadToken
from libs.storage.idempotency import Reservation


@dataclass(frozen=True)
class RequestContext:
    """A request of an authenticated caller, with the objects that its handler needs."""

    request: Request[Any, Any, Any]
    caller: BaseUser
    backends: Backends
    event_streams: EventStreams
    wait_s: float = 0  # how long to wait for jobs, unless the client sends `Prefer: wait`

    @property
    def settings(self) -> Settings:
        return self.backends.settings

    @property
    def upload_token(self) -> UploadToken | None:
        """The upload token that the request was made with, or None."""
        return used_token(self.request)

    @property
    def base_url(self) -> str:
        """The public address of the server, without a trailing slash."""
        return (self.settings.public_url or str(self.request.base_url)).rstrip("/")

    @property
    def addresses(self) -> Addresses:
        return Addresses(self.base_url, self.settings.secret_key)

    def waiting(self, wait_s: float) -> "RequestContext":
        """Return a copy with another default wait for jobs."""
        return replace(self, wait_s=wait_s)


def job_options(webhook_url: str | None = None, reservation: Reservation | None = None) -> JobOptions:
    """Return the options of a job that this request asks for."""
    return JobOptions(request_id=request_id(), webhook_url=webhook_url, reservation=reservation)


def context_provider(
    backends: Backends, event_streams: EventStreams
) -> Callable[[Request[Any, Any, Any]], Awaitable[RequestContext]]:
    """Return the dependency that makes the context of a request; it requires an access token.

    It takes nothing but the request: Litestar starts a task group to resolve several dependencies together.
    """

    async def request_context(request: Request[Any, Any, Any]) -> RequestContext:
        return RequestContext(request, await caller(request, backends), backends, event_streams)

    return request_context

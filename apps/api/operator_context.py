"""The context of an operator's request."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from litestar import Request

from apps.api.context import RequestContext
from apps.api.middleware.authentication import caller
from apps.api.middleware.operator_access import OperatorRequired, SuperuserRequired
from apps.api.problems import NotAuthenticated
from apps.api.responses.event_streams import EventStreams
from apps.api.responses.site_watch import SiteWatch
from apps.http.request_log import request_id
from libs.backends import Backends
from libs.images.thumbnails import Thumbnails
from libs.storage import audit
from libs.storage.database.tables import BaseUser


@dataclass(frozen=True, kw_only=True)
class OperatorContext(RequestContext):
    """A request of an operator, with what the handlers of operators need beside."""

    site: SiteWatch
    thumbnails: Thumbnails

    async def may_go_on(self) -> bool:
        """Return whether the login has not ended meanwhile and is still that of an operator: for streams."""
        try:
            _check(await caller(self.request, self.backends))
        except (NotAuthenticated, OperatorRequired):
            return False
        return True

    def require_superuser(self) -> None:
        """Check that the operator may change accounts.

        Raises:
            SuperuserRequired: They may not.
        """
        if not self.caller.superuser:
            raise SuperuserRequired("only superusers may change accounts")

    async def note(self, action: audit.Action, subject: object, detail: str = "") -> None:
        """Add what the operator does to the audit log."""
        await audit.add(audit.account(self.caller), action, subject, detail=detail, request_id=request_id())


def operator_provider(
    backends: Backends, event_streams: EventStreams, thumbnails: Thumbnails
) -> Callable[[Request[Any, Any, Any]], Awaitable[OperatorContext]]:
    """Return the dependency that every operator's route takes; it lets nobody else in."""
    site = SiteWatch()

    async def operator(request: Request[Any, Any, Any]) -> OperatorContext:
        user = await caller(request, backends)
        _check(user)
        return OperatorContext(request, user, backends, event_streams, site=site, thumbnails=thumbnails)

    return operator


def _check(user: BaseUser) -> None:
    if not user.admin:
        raise OperatorRequired("only operators of this server can do this")

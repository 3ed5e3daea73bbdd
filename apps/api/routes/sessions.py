"""Routes for sessions, which are logins."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, delete, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from apps.api.middleware.authentication import access_claims
from apps.api.openapi.document import LOGIN
from libs.backends import Backends
from libs.contracts.views.accounts import SessionView
from libs.storage import sessions
from libs.storage.database.tables import BaseUser


class Sessions(Controller):
    """Logins of the caller that have not ended; an API key sees none."""

    path = "/accounts/me/sessions"
    tags = ("Accounts",)
    security = LOGIN

    @get(operation_id="listSessions")
    async def list_sessions(
        self,
        request: Request[Any, Any, Any],
        caller: NamedDependency[BaseUser],
        backends: NamedDependency[Backends],
    ) -> list[SessionView]:
        """List the caller's sessions, the one that was renewed last first."""
        current = UUID(access_claims(request, backends.settings)["family"])
        return [
            SessionView(**msgspec.structs.asdict(session), current=session.id == current)
            for session in await sessions.of(caller.id)
        ]

    @delete("/{session_id:uuid}", operation_id="endSession")
    async def end(self, session_id: FromPath[UUID], caller: NamedDependency[BaseUser]) -> None:
        """End a session: its tokens are invalid at once."""
        await sessions.end(caller.id, session_id)

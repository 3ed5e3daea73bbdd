"""Dead letters, items that are set aside, and the audit log."""

from uuid import UUID

from litestar import Controller, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.status_codes import HTTP_202_ACCEPTED, HTTP_204_NO_CONTENT

from apps.api.middleware.key_access import LOGIN_ONLY
from apps.api.openapi.document import LOGIN
from apps.api.operator_context import OperatorContext
from apps.api.responses.lists import Limit
from apps.api.responses.operator_lists import paged
from apps.api.responses.record_views import (
    audit_view,
    dead_letter_detail,
    dead_letter_view,
    set_aside_view,
)
from libs.contracts.views.operator_records import (
    AuditView,
    DeadLetterDetail,
    DeadLetterView,
    SetAsideView,
)
from libs.orders import dead_letters
from libs.storage import audit, set_aside

SET_ASIDE = 200  # items shown, the oldest
LETTER = "/dead-letters/{letter_id:str}"


class Recovery(Controller):
    """What did not work and waits for a person, and what operators did."""

    path = "/api/operator"
    tags = ("Operators",)
    security = LOGIN
    opt = LOGIN_ONLY

    @get("/dead-letters", operation_id="listDeadLetters")
    async def list_dead_letters(
        self, operator: NamedDependency[OperatorContext], limit: Limit = 100
    ) -> list[DeadLetterView]:
        """List messages that could not become jobs, oldest first."""
        async with dead_letters.held(operator.backends, limit=limit) as letters:
            return [dead_letter_view(letter) for letter in letters]

    @get(LETTER, operation_id="getDeadLetter")
    async def get_dead_letter(
        self, letter_id: FromPath[str], operator: NamedDependency[OperatorContext]
    ) -> DeadLetterDetail:
        """Get one dead letter with its headers and its body."""
        async with dead_letters.held(operator.backends) as letters:
            return dead_letter_detail(dead_letters.find(letters, letter_id))

    @post(f"{LETTER}/requeue", operation_id="requeueDeadLetter", status_code=HTTP_204_NO_CONTENT)
    async def requeue(self, letter_id: FromPath[str], operator: NamedDependency[OperatorContext]) -> None:
        """Submit a message again, on behalf of its sender. If it is refused again, it stays."""
        async with dead_letters.held(operator.backends) as letters:
            letter = dead_letters.find(letters, letter_id)
            await dead_letters.requeue(letter, operator.backends)
        await operator.note("dead_letter.requeue", letter_id, letter.reason)

    @delete(LETTER, operation_id="dropDeadLetter", status_code=HTTP_204_NO_CONTENT)
    async def drop(self, letter_id: FromPath[str], operator: NamedDependency[OperatorContext]) -> None:
        """Delete a message for good."""
        async with dead_letters.held(operator.backends) as letters:
            letter = dead_letters.find(letters, letter_id)
            await operator.note("dead_letter.drop", letter_id, letter.reason)
            await letter.remove()

    @get("/recovery", operation_id="listSetAside")
    async def list_set_aside(self, operator: NamedDependency[OperatorContext]) -> list[SetAsideView]:
        """List items that keep failing although the backends work, oldest first, at most 200."""
        return [set_aside_view(item) for item in await set_aside.oldest(SET_ASIDE)]

    @post("/recovery/{item_id:uuid}/retry", operation_id="retrySetAside", status_code=HTTP_202_ACCEPTED)
    async def retry(
        self, item_id: FromPath[UUID], operator: NamedDependency[OperatorContext]
    ) -> SetAsideView:
        """Let the scheduler try an item at once; it stays in the list until it succeeds."""
        item = await set_aside.retry_now(item_id)
        await operator.note("recovery.retry", item_id, item.reason)
        return set_aside_view(item)

    @get("/audit", operation_id="listAuditEntries")
    async def list_audit(
        self,
        operator: NamedDependency[OperatorContext],
        username: FromQuery[str | None] = None,
        action: FromQuery[str | None] = None,
        about: FromQuery[str | None] = None,
        after: FromQuery[UUID | None] = None,
        limit: Limit = 50,
    ) -> Response[list[AuditView]]:
        """List what operators did here and on the admin pages, newest first. It is kept for 400 days."""
        found, total = await audit.page(
            username=username, action=action, subject=about, after=after, limit=limit
        )
        return paged([audit_view(entry) for entry in found], operator, total=total, limit=limit)

"""The comparison of object store and database, as a stream."""

import asyncio
from collections.abc import AsyncGenerator

import msgspec
import structlog
from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.response import ServerSentEvent, ServerSentEventMessage

from apps.api.middleware.key_access import LOGIN_ONLY
from apps.api.middleware.operator_access import CheckUnderWay
from apps.api.openapi.document import LOGIN
from apps.api.operator_context import OperatorContext
from libs.contracts.outcome import outcome_of
from libs.contracts.views.operator_records import ConsistencyProgress
from libs.images.consistency import Examination, Finding
from libs.runtime.background import cancel_and_wait

AGE_S = 86_400.0  # as `darkroom doctor`
LONGEST_S = 1800.0
MOST_FINDINGS = 1000  # shown
EVERY_S = 1.0

log = structlog.get_logger(__name__)


class Consistency(Controller):
    """The consistency report."""

    path = "/api/operator"
    tags = ("Operators",)
    security = LOGIN
    opt = LOGIN_ONLY

    @get("/consistency", operation_id="streamConsistency", media_type="text/event-stream")
    async def report(self, operator: NamedDependency[OperatorContext]) -> ServerSentEvent:
        """Compare object store and database as `darkroom doctor` does, and stream the differences.

        Events are `finding`, at most 1,000, and `progress` every second, the last with `done`. Nothing is
        repaired. The comparison ends with the stream, and after half an hour.
        """
        if _running.locked():
            raise CheckUnderWay("the comparison runs already")
        await operator.note("consistency.check", "site")
        return ServerSentEvent(_report(operator), headers={"Cache-Control": "no-store"})


_running = asyncio.Lock()


async def _report(operator: OperatorContext) -> AsyncGenerator[ServerSentEventMessage, None]:
    async with _running:
        found: list[Finding] = []
        examination = Examination(operator.backends, age_s=AGE_S)
        task = asyncio.create_task(_examined(examination, found))
        shown = 0
        try:
            while True:
                await asyncio.wait({task}, timeout=EVERY_S)
                for finding in found[shown:MOST_FINDINGS]:
                    yield _event("finding", finding)
                shown = len(found)
                error = task.result() if task.done() else None
                yield _event("progress", _progress(examination, done=task.done(), error=error))
                if task.done() or await operator.event_streams.stopped_within(0):
                    return
                if not await operator.may_go_on():
                    return
        finally:
            await cancel_and_wait(task)


async def _examined(examination: Examination, found: list[Finding]) -> str | None:
    """Run the comparison; return why it ended early, or None."""
    try:
        async with asyncio.timeout(LONGEST_S):
            await examination.run(found.append)
    except TimeoutError:
        return f"it takes longer than {LONGEST_S / 60:.0f} minutes: use `darkroom doctor`"
    except Exception as error:
        if outcome_of(error) is None:
            log.exception("consistency_check_broke")
        return type(error).__name__ if outcome_of(error) is None else str(error)
    return None


def _progress(examination: Examination, *, done: bool, error: str | None) -> ConsistencyProgress:
    return ConsistencyProgress(
        objects=examination.objects,
        rows=examination.rows,
        findings=len(examination.findings),
        done=done,
        error=error,
    )


def _event(name: str, data: msgspec.Struct) -> ServerSentEventMessage:
    return ServerSentEventMessage(data=msgspec.json.encode(data).decode(), event=name)

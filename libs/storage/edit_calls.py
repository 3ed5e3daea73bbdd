"""Functions over calls to the image model: daily limits, usage, and that no call is made twice.

A call is marked before it is made, by one statement that only one holder of the job can win.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, ClassVar
from uuid import UUID

from msgspec import Struct

from libs.contracts.edits import EditTokens
from libs.contracts.enums import CallState, JobStatus
from libs.contracts.outcome import Outcome
from libs.storage import expiry_groups, leases
from libs.storage.database.connection import transaction
from libs.storage.database.engine import rows
from libs.storage.database.tables import EditCall, EditUsage, Image, Job, new_id, now
from libs.storage.leases import NO_ERROR, Claim

ADD = """
insert into edit_usage (id, owner, day, edits, calls, images, input_tokens, output_tokens, total_tokens)
values ({}, {}, {}, {}, {}, {}, {}, {}, {})
on conflict (owner, day) do update set edits = edit_usage.edits + excluded.edits,
  calls = edit_usage.calls + excluded.calls, images = edit_usage.images + excluded.images,
  input_tokens = edit_usage.input_tokens + excluded.input_tokens,
  output_tokens = edit_usage.output_tokens + excluded.output_tokens,
  total_tokens = edit_usage.total_tokens + excluded.total_tokens
"""
ADMIT = f"{ADD} where edit_usage.edits + excluded.edits <= {{}} returning edits"

# Only for the holder of the job, and only when no call of it may have run.
START = """
insert into edit_call (id, state, calls, attempt, started_at)
select id, {}, 1, attempts, {} from job
where id = {} and worker = {} and attempts = {} and status = 'running'
on conflict (id) do update set state = excluded.state, calls = edit_call.calls + 1,
  attempt = excluded.attempt, started_at = excluded.started_at
where edit_call.state = {}
returning calls
"""


class DailyEditsUsed(Exception):
    """The account has requested its daily limit of edited images. See the header `Retry-After`."""

    code = "edit_quota_daily"
    outcome: ClassVar[Outcome] = "refused"

    def __init__(self, per_day: int) -> None:
        super().__init__(f"an account may request {per_day} edited images a day (UTC)")
        self.retry_after_s = _until_midnight_s()


class Used(Struct, frozen=True, kw_only=True):
    """An account's use of edits."""

    edits: int = 0
    calls: int = 0
    images: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    total_tokens: int = 0


async def admit(owner: int, count: int, *, per_day: int) -> None:
    """Count `count` more requested images today, within the transaction that queues their job.

    Raises:
        DailyEditsUsed: The total would exceed `per_day`.
    """
    if count > per_day:
        raise DailyEditsUsed(per_day)
    counted = (new_id(), owner, _today(), count, 0, 0, 0, 0, 0)
    if not await rows(EditUsage.raw(ADMIT, *counted, per_day)):
        raise DailyEditsUsed(per_day)


async def start_call(claim: Claim) -> int | None:
    """Mark the job's call as made, and return the number of its calls; None when it must not be made.

    It must not be made when the job is no longer this worker's, or when an earlier call may have run.
    """
    values = (CallState.STARTED, now(), claim.job_id, claim.worker, claim.attempt, CallState.NOT_RUN)
    async with transaction():
        marked = await rows(EditCall.raw(START, *values))
        if marked:
            await _add(claim.owner, calls=1)
    return marked[0]["calls"] if marked else None


async def may_have_run(job_id: UUID) -> bool:
    """Return whether a call of the job was made and is not known to have failed before it ran."""
    return await EditCall.exists().where((EditCall.id == job_id) & (EditCall.state != CallState.NOT_RUN))


async def note_not_run(claim: Claim) -> None:
    """Note that the call did not run."""
    await _note(claim, CallState.NOT_RUN)


async def note_answer(claim: Claim, tokens: EditTokens, *, count: int) -> None:
    """Count the cost of an answer with `count` images; repeating the call counts it once."""
    async with transaction():
        if await _note(claim, CallState.ANSWERED):
            await _add(
                claim.owner,
                images=count,
                input_tokens=tokens.input_tokens,
                output_tokens=tokens.output_tokens,
                total_tokens=tokens.total_tokens,
            )


async def complete(
    claim: Claim, source: UUID | None, results: Sequence[Image], *, shares_expiry: bool, downloaded_s: float
) -> None:
    """End the job with its results, of which the first is the job's, in one transaction.

    Raises:
        LostLease: The job is no longer this worker's.
    """
    async with transaction():
        if source is not None:
            await expiry_groups.join(source, results, shares_expiry=shares_expiry, downloaded_s=downloaded_s)
        for result in results:
            await result.save()
        await leases.end(claim, {Job.status: JobStatus.COMPLETED, Job.result: results[0].id, **NO_ERROR})


async def used_today(owner: int) -> Used:
    """Return what the account used since midnight (UTC)."""
    return await _used(owner, "and day = {}", _today())


async def used_ever(owner: int) -> Used:
    """Return what the account used on all days."""
    return await _used(owner, "")


async def _used(owner: int, only: str, *values: str) -> Used:
    sums = ", ".join(f"cast(coalesce(sum({name}), 0) as bigint) as {name}" for name in Used.__struct_fields__)
    query = f"select {sums} from edit_usage where owner = {{}} {only}"  # noqa: S608 - our own names
    return Used(**(await rows(EditUsage.raw(query, owner, *values)))[0])


async def _note(claim: Claim, state: CallState) -> bool:
    noted: list[dict[str, Any]] = await (
        EditCall.update({EditCall.state: state})
        .where(
            (EditCall.id == claim.job_id)
            & (EditCall.attempt == claim.attempt)
            & (EditCall.state == CallState.STARTED)
        )
        .returning(EditCall.id)
    )
    return bool(noted)


async def _add(owner: int, **counted: int) -> None:
    used = Used(**counted)
    values = (used.edits, used.calls, used.images, used.input_tokens, used.output_tokens, used.total_tokens)
    await EditUsage.raw(ADD, new_id(), owner, _today(), *values)


def _today() -> str:
    return now().date().isoformat()


def _until_midnight_s() -> int:
    moment = now()
    tomorrow = (moment + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return int((tomorrow - moment).total_seconds()) + 1

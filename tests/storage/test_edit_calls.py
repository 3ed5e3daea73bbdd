"""What decides the races about paid calls: one statement each, on each engine."""

import asyncio

import pytest

from libs.contracts.edits import EditTokens
from libs.storage import edit_calls, leases
from libs.storage.database.engine import Engine
from libs.storage.edit_calls import DailyEditsUsed, Used
from libs.storage.job_failure import Failure
from tests.storage.rows import a_queued_job, an_owner, claimed

FAILURE = Failure("edit_unavailable", "away")


async def test_only_so_many_are_admitted_however_many_ask_at_once(database: Engine) -> None:
    owner = await an_owner()

    async def admitted() -> bool:
        try:
            await edit_calls.admit(owner.id, 2, per_day=7)
        except DailyEditsUsed:
            return False
        return True

    assert sum(await asyncio.gather(*(admitted() for _ in range(8)))) == 3
    assert (await edit_calls.used_today(owner.id)).edits == 6
    await edit_calls.admit(owner.id, 1, per_day=7)
    with pytest.raises(DailyEditsUsed):
        await edit_calls.admit((await an_owner()).id, 8, per_day=7)


async def test_one_call_is_started_however_many_try_at_once(database: Engine) -> None:
    claim = await claimed((await a_queued_job()).id)
    assert await edit_calls.may_have_run(claim.job_id) is False
    started = await asyncio.gather(*(edit_calls.start_call(claim) for _ in range(8)))
    assert sorted(started, key=str) == [1, *[None] * 7]
    assert await edit_calls.may_have_run(claim.job_id) is True


async def test_a_call_that_did_not_run_may_be_started_again_and_is_counted(database: Engine) -> None:
    claim = await claimed((await a_queued_job()).id)
    for calls in (1, 2, 3):
        assert await edit_calls.start_call(claim) == calls
        await edit_calls.note_not_run(claim)
        assert await edit_calls.may_have_run(claim.job_id) is False
        await leases.retry_later(claim, FAILURE, after_s=0)
        claim = await claimed(claim.job_id)
    assert (await edit_calls.used_ever(claim.owner)).calls == 3


async def test_who_lost_the_job_starts_no_call_and_takes_no_mark_back(database: Engine) -> None:
    lost = await claimed((await a_queued_job()).id, lease_s=-1)
    holder = await claimed(lost.job_id, worker="b")
    assert await edit_calls.start_call(lost) is None
    assert await edit_calls.start_call(holder) == 1
    await edit_calls.note_not_run(lost)
    assert await edit_calls.may_have_run(lost.job_id) is True


async def test_an_answer_is_counted_once_and_ends_all_calling(database: Engine) -> None:
    claim = await claimed((await a_queued_job()).id)
    assert await edit_calls.start_call(claim) == 1
    tokens = EditTokens(input_tokens=1, output_tokens=2, total_tokens=3)
    for _ in range(2):
        await edit_calls.note_answer(claim, tokens, count=4)
    expected = Used(calls=1, images=4, input_tokens=1, output_tokens=2, total_tokens=3)
    assert await edit_calls.used_today(claim.owner) == await edit_calls.used_ever(claim.owner) == expected
    assert await edit_calls.may_have_run(claim.job_id) is True
    assert await edit_calls.start_call(claim) is None

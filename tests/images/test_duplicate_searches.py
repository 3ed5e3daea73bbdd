"""Searches for duplicates: one runs at a time, and no more wait than a bound."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from libs.images import duplicates
from libs.images.duplicates import MAX_WAITING, MAX_WAITING_OF_ACCOUNT, Duplicates
from libs.runtime.threads import ServerBusy
from tests.storage.rows import an_owner
from tests.support.backends import opened_backends


@pytest.fixture
async def searches(tmp_path: Path) -> AsyncIterator[Duplicates]:
    async with opened_backends(tmp_path) as backends:
        searches = Duplicates(backends)
        try:
            yield searches
        finally:
            await searches.close()


async def refusals(searches: Duplicates, owners: list[int]) -> list[int]:
    """Search for each of these at once; return the places of those that are refused."""
    ends = await asyncio.gather(
        *(searches.page(owner, max_distance=4, limit=10, after=None) for owner in owners),
        return_exceptions=True,
    )
    assert [end for end in ends if end != ([], 0) and not isinstance(end, ServerBusy)] == []
    return [place for place, end in enumerate(ends) if isinstance(end, ServerBusy)]


async def test_an_account_may_have_few_searches_waiting_and_leaves_room_for_others(
    searches: Duplicates,
) -> None:
    greedy, other = [(await an_owner()).id for _ in range(2)]
    many = [greedy] * (MAX_WAITING_OF_ACCOUNT + 3)
    assert await refusals(searches, [*many, other]) == list(range(MAX_WAITING_OF_ACCOUNT, len(many)))
    assert await refusals(searches, [greedy]) == []


async def test_no_more_searches_wait_than_the_server_can_answer_soon(
    searches: Duplicates, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(duplicates, "MAX_WAITING_OF_ACCOUNT", 1)
    owners = [(await an_owner()).id for _ in range(MAX_WAITING + 2)]
    assert await refusals(searches, owners) == [MAX_WAITING, MAX_WAITING + 1]
    assert await refusals(searches, owners[-2:]) == []

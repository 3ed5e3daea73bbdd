"""What a job costs the database and the broker: docs/scaling.md computes with it."""

import asyncio
from pathlib import Path

import pytest

from benchmarks.scaling_formulas import NUMBERS
from libs.contracts.enums import Retention
from tests.storage.rows import an_owner
from tests.support.backends import NewBackends, ended, submit, working
from tests.support.query_costs import counting
from tests.support.waiting import WAIT_S

ON_SERVICES = [pytest.param("services", marks=pytest.mark.services)]
OPERATIONS = [{"op": "resize", "width": 40}]


@pytest.mark.parametrize("new_backends", ON_SERVICES, indirect=True)
async def test_a_job_costs_at_most_eight_queries_and_three_messages(
    new_backends: NewBackends, photo: Path
) -> None:
    backends = await new_backends()
    owner = await an_owner()
    async with working(backends), backends.broker.events("job.completed") as events:
        _, warm = await submit(backends, owner, photo, OPERATIONS, Retention.EPHEMERAL)
        await ended(warm.id)
        await anext(events)
        with counting(backends) as counted:
            await submit(backends, owner, photo, OPERATIONS, Retention.EPHEMERAL)
            await asyncio.wait_for(anext(events), WAIT_S)
    assert len(counted.queries) <= 8, [query.text for query in counted.queries]
    assert len(counted.messages) <= 3, counted.messages
    assert counted.commits <= NUMBERS["commits"].value
    assert len(counted.transfers) <= NUMBERS["transfers"].value, counted.transfers

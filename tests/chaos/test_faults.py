"""Whatever fails, and whenever: nothing is lost, nothing is done twice, and the work goes on."""

import pytest

from tests.chaos.conftest import Report, Stage
from tests.chaos.faults import FAULTS, Fault
from tests.chaos.invariants import left_after_stop
from tests.chaos.trial import trial

pytestmark = [pytest.mark.services, pytest.mark.chaos]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
async def test_darkroom_survives(fault: Fault, stage: Stage, report: Report) -> None:
    workload = await stage.workload(fault.apps)
    found = ["it did not end"]
    try:
        line, found = await trial(fault, workload)
        report.add(line, found)
    except BaseException as error:
        report.broken(fault.name, error)
        raise
    finally:
        if found:
            await stage.clear()
    assert not found, "\n".join(found)


async def test_nothing_is_left_when_darkroom_stops_in_the_end(stage: Stage) -> None:
    workload = await stage.workload()
    try:
        found = await left_after_stop(workload.installation)
    finally:
        await stage.clear()
    assert not found, "\n".join(found)

"""Whatever fails, and whenever: nothing is lost, nothing is done twice, and the work goes on."""

import pytest

from tests.chaos.conftest import Report, Stage
from tests.chaos.faults import FAULTS, Fault
from tests.chaos.trial import trial

pytestmark = [pytest.mark.services, pytest.mark.chaos]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
async def test_darkroom_survives(fault: Fault, stage: Stage, report: Report) -> None:
    workload = await stage.workload()
    found = ["it did not end"]
    try:
        line, found = await trial(fault, workload)
        report.add(line, found)
    finally:
        if found:
            await stage.clear()
    assert not found, "\n".join(found)

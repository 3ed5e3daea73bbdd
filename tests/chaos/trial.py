"""One fault under work: bring it about, mend it, wait until all has ended, and look at what is there."""

import asyncio
import time

from tests.chaos.faults import Fault
from tests.chaos.invariants import all_ended, violations
from tests.chaos.report import Line
from tests.chaos.workload import ROUND_S, Workload
from tests.support.waiting import WAIT_S

NOTHING_LOST = "nothing lost"
GRACE_S = 30.0  # what comes later than it should is still measured


async def trial(fault: Fault, workload: Workload) -> tuple[Line, list[str]]:
    """Return the line of the report, and everything that does not hold."""
    installation = workload.installation
    first = len(workload.submissions)
    async with workload.running():
        await asyncio.sleep(2 * ROUND_S)  # work is under way
        began = time.monotonic()
        async with fault.inject(installation) as mend:
            if fault.lasts_s:
                began = time.monotonic()  # some are prepared for a while
            await asyncio.sleep(fault.lasts_s)
            await mend()
            mended = time.monotonic()
            recovered_s = await workload.until_recovered(mended, within_s=fault.within_s + GRACE_S)
    submissions = workload.submissions[first:]
    await all_ended(installation, submissions, within_s=WAIT_S)
    arrivals = workload.arrivals()
    last = max((arrivals.get(one.webhook_url, mended) for one in submissions), default=mended)
    found = await violations(workload, submissions)
    if recovered_s > fault.within_s:
        found.append(f"new work was done {recovered_s:.1f} s after the end, not within {fault.within_s:g} s")
    line = Line(
        fault=fault.name,
        lasted_s=mended - began,
        submissions=submissions,
        outcome=NOTHING_LOST if not found else f"{len(found)} faults found",
        recovered_s=recovered_s,
        all_done_s=last - mended,
    )
    return line, found

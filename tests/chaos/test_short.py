"""The two faults that say most, on the services of all tests: what `make test` has of `make test-chaos`."""

from functools import partial
from pathlib import Path

import pytest

from tests.chaos.faults import Fault, black_hole, killed
from tests.chaos.installation import running_installation
from tests.chaos.own_services import Urls
from tests.chaos.trial import trial
from tests.chaos.workload import open_workload
from tests.support.fault_proxy import FaultProxy
from tests.support.services import own_bucket, own_database, own_vhost
from tests.support.waiting import WAIT_S

SHORT_HOLE_S = 6.0  # longer than a lease; what was open stays dead for ever


@pytest.mark.services
async def test_nothing_is_lost_to_a_killed_worker_and_a_black_hole_before_the_database(
    tmp_path: Path,
) -> None:
    async with (
        own_database() as database,
        own_vhost() as broker,
        FaultProxy.to(database) as proxy,
        running_installation(
            tmp_path / "site", Urls(database, broker, own_bucket()), DATABASE_URL=proxy.url
        ) as installation,
        open_workload(installation, most_unfinished=16) as workload,
    ):
        for fault in (
            Fault("worker killed", partial(killed, ["worker"]), lasts_s=0.5, within_s=WAIT_S),
            Fault("database in a black hole", partial(black_hole, proxy), SHORT_HOLE_S, WAIT_S),
        ):
            _, found = await trial(fault, workload)
            assert not found, "\n".join(found)

"""What waits is measured by age: what nobody could do yet, or what is set aside already, does not count."""

from datetime import timedelta

import pytest

from apps.scheduler.measure import measure
from libs.broker import BrokerMessage, DeadLetter
from libs.contracts.enums import JobStatus, Priority
from libs.contracts.topology import Route
from libs.storage import set_aside
from libs.storage.database.tables import now
from tests.storage.rows import a_job, an_image, an_owner
from tests.support.backends import NewBackends
from tests.support.counting import Counted
from tests.support.waiting import until_equal


async def test_queues_expiry_recovery_items_and_dead_letters_are_measured(
    new_backends: NewBackends, counted: Counted
) -> None:
    backends = await new_backends()
    owner, moment = await an_owner(), now()

    def ago(seconds: float) -> dict[str, object]:
        return {"created_at": moment - timedelta(seconds=seconds)}

    used = await an_image(owner, expires_at=moment - timedelta(seconds=500))
    await a_job(owner, used, **ago(90))
    await a_job(owner, used, **ago(400), not_before=moment - timedelta(seconds=60))
    await a_job(owner, used, **ago(400), not_before=moment + timedelta(seconds=60))
    await a_job(owner, used, **ago(400), status=JobStatus.RUNNING)
    await a_job(owner, used, **ago(400), priority=Priority.BULK, held=True)
    await a_job(owner, used, **ago(30), priority=Priority.BULK)
    await an_image(owner, expires_at=moment - timedelta(seconds=40))
    stuck = await an_image(owner, expires_at=moment - timedelta(seconds=300))
    await set_aside.put("image", {stuck.id: "the store keeps the file"})

    async def refuse(_: BrokerMessage) -> None:
        raise DeadLetter("no job")

    assert await backends.broker.dead_letter_count() == 0
    async with backends.broker.consume(Route.EDIT, refuse, concurrency=1):
        await backends.broker.publish(Route.EDIT, b"no job", message_id="1")
        await until_equal(1, backends.broker.dead_letter_count)

    assert await measure(backends) == 0
    queued, oldest = "darkroom_jobs_queued", "darkroom_jobs_oldest_queued_seconds"
    assert {route.value: counted(queued, queue=route.value) for route in Route} == {
        "transform": 2,
        "transform.bulk": 1,
        "ingest": 0,
        "ingest.bulk": 0,
        "describe": 0,
        "edit": 0,
    }
    late_s = (now() - moment).total_seconds()
    assert counted(oldest, queue="transform") == pytest.approx(90, abs=late_s + 0.1)
    assert counted(oldest, queue="transform.bulk") == pytest.approx(30, abs=late_s + 0.1)
    assert counted(oldest, queue="edit") == 0
    assert counted("darkroom_expiry_lag_seconds") == pytest.approx(40, abs=late_s + 0.1)
    assert counted("darkroom_recovery_items", kind="image") == 1
    assert counted("darkroom_recovery_items", kind="job") == 0
    assert counted("darkroom_dead_letters") == 1
    assert counted("darkroom_backlog_measured_timestamp_seconds") > 1.7e9

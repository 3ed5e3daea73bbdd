"""The dispatcher's search for due deliveries: its time is limited, and the next one follows."""

from typing import Any, cast

import asyncpg  # pyright: ignore[reportMissingTypeStubs]
import pytest
from structlog.testing import capture_logs

from libs.contracts.enums import DeliveryStatus
from libs.storage import webhook_outbox
from libs.storage.database.tables import WebhookDelivery
from libs.webhooks import dispatch
from libs.webhooks.dispatch import dispatching_webhooks
from tests.storage.rows import an_owner
from tests.support.backends import NewBackends
from tests.support.waiting import until

NOBODY = "http://127.0.0.1:9/"  # the guard refuses it: an attempt that fails is an attempt


@pytest.mark.services
@pytest.mark.parametrize("new_backends", ["services"], indirect=True)
async def test_a_search_that_hangs_is_given_up_and_the_next_one_sends(
    new_backends: NewBackends, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatch, "SEARCH_S", 0.5)
    backends = await new_backends(TICK_S="0.1")
    owner = (await an_owner()).id
    row = WebhookDelivery(
        owner=owner,
        url=NOBODY,
        target=webhook_outbox.target_of(owner, NOBODY),
        event="webhook.test",
        body="{}",
    )
    await row.save()
    connection = cast("Any", await asyncpg.connect(backends.settings.database_url))
    try:
        with capture_logs() as lines:

            async def given_up() -> list[Any]:
                return [line for line in lines if line["event"] == "step_timed_out"]

            await connection.execute("begin; lock table webhook_delivery in share mode")
            async with dispatching_webhooks(backends):
                [first, *_] = await until(given_up)
                assert (first["step"], first["after_s"]) == ("webhook_dispatch", 0.5)
                await connection.execute("rollback")
                await until(lambda: attempted(row))
    finally:
        await connection.close()


async def attempted(row: WebhookDelivery) -> bool:
    found = await WebhookDelivery.objects().where(WebhookDelivery.id == row.id).first()
    assert found is not None
    return found.attempts > 0 and found.status != DeliveryStatus.SENDING

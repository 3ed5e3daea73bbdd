"""Edits by prompt, ordered over the broker; the model is a stand-in."""

from pathlib import Path

import pytest

from libs.contracts.enums import JobKind, Retention
from libs.contracts.topology import Route
from libs.storage.database.tables import BaseUser
from tests.edits.conftest import NewEditBackends, new_edit_backends
from tests.edits.openai_server import SIZE
from tests.orders.producer import SMALL, Producer, data_url, image_of, producer_for
from tests.storage.rows import an_owner, job_row
from tests.support.backends import submit, working

__all__ = ["new_edit_backends"]


@pytest.mark.parametrize("kind", ["image_id", "url", "none"])
async def test_an_edit_is_answered_with_its_result(
    new_edit_backends: NewEditBackends, photo: Path, kind: str
) -> None:
    edit_backends = await new_edit_backends()
    owner = await an_owner()
    order = {
        "type": "edit.v1",
        "owner": owner.username,
        "edit": {"prompt": "a red balloon"},
    }
    async with producer_for(edit_backends.backends) as producer, working(edit_backends.backends):
        if kind == "image_id":
            image, _ = await submit(edit_backends.backends, owner, photo, None, Retention.KEEP)
            order["source"] = {"image_id": str(image.id)}
        elif kind == "url":
            order["source"] = {"url": data_url(photo)}
        reply = await producer.answered(order, route=Route.EDIT, message_id="balloon")
        result = await image_of(reply)
        job = await job_row(reply["job_id"])
        again = await producer.answered(order, route=Route.EDIT, message_id="balloon")
    assert (reply["message_id"], job.kind, result.owner) == ("balloon", JobKind.EDIT, owner.id)
    assert (result.width, result.height) == SIZE
    assert again["image_id"] == reply["image_id"]
    assert len(edit_backends.openai.calls) == 1


async def test_edits_over_the_day_s_number_are_refused(new_edit_backends: NewEditBackends) -> None:
    edit_backends = await new_edit_backends(EDITS_PER_DAY="1")
    owner = await an_owner()
    order = {
        "type": "edit.v1",
        "owner": owner.username,
        "edit": {"prompt": "a red balloon"},
        "operations": SMALL,
    }
    async with producer_for(edit_backends.backends) as producer, working(edit_backends.backends):
        assert (await image_of(await producer.answered(order, route=Route.EDIT))).width == 64
        assert await producer.refused(order, route=Route.EDIT) == "edit_quota_daily"
        assert await producer.refused(order | {"edit": {}}, route=Route.EDIT) == "bad_message"
    assert len(edit_backends.openai.calls) == 1


async def test_without_a_model_edits_are_refused(producer: Producer, owner: BaseUser) -> None:
    order = {"type": "edit.v1", "owner": owner.username, "edit": {"prompt": "a red balloon"}}
    assert await producer.refused(order, route=Route.EDIT) == "edits_not_configured"

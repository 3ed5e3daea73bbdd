"""An object that cannot be deleted holds up nothing, and operators see it."""

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from libs.contracts.enums import ImageStatus, JobStatus
from libs.images import expiry
from libs.jobs.replies import send_due_replies
from libs.storage import set_aside, site_overview
from libs.storage.database.tables import AcceptedOrder, BaseUser, Image, Job, Reply, SetAside, now
from libs.storage.objects import ObjectsNotDeleted
from tests.storage.rows import a_job, an_image, an_owner, image_row
from tests.support.backends import opened_backends
from tests.support.file_faults import immutable
from tests.support.services import own_vhost


async def stored_image(directory: Path, owner: Any, **values: Any) -> tuple[Image, Path]:
    image = await an_image(owner, **values)
    path = directory / "data" / "objects" / image.object_key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"file")
    return image, path


async def test_an_image_whose_object_stays_is_set_aside_and_the_others_expire(tmp_path: Path) -> None:
    async with opened_backends(tmp_path) as backends:
        owner = await an_owner()
        stuck, path = await stored_image(tmp_path, owner, expires_at=now())
        others = [await stored_image(tmp_path, owner, expires_at=now()) for _ in range(3)]
        async with immutable(path):
            assert await expiry.expire(backends) == len(others)
            assert [other.exists() for _, other in others] == [False] * len(others)
            [item] = await set_aside.oldest(10)
            assert (item.id, item.kind, item.attempts) == (stuck.id, "image", 1)
            assert item.reason == "Operation not permitted"
            assert await expiry.expire(backends) == 0  # it waits for its pause
            overview = await site_overview.read()
            assert (overview.counts.set_aside, overview.set_aside) == (1, [item])
            await SetAside.update({SetAside.retry_at: now()}).where(SetAside.id == stuck.id)
            assert await expiry.expire(backends) == 0
            [again] = await set_aside.oldest(10)
            assert again.attempts == 2
            assert again.retry_at - now() > item.retry_at - item.created_at
        await SetAside.update({SetAside.retry_at: now()}).where(SetAside.id == stuck.id)
        assert await expiry.expire(backends) == 1
        assert await set_aside.oldest(10) == []


async def test_its_owner_who_deletes_it_gets_an_error_with_a_code(tmp_path: Path) -> None:
    async with opened_backends(tmp_path) as backends:
        owner = await an_owner()
        image, path = await stored_image(tmp_path, owner)
        async with immutable(path):
            with pytest.raises(ObjectsNotDeleted) as raised:
                await expiry.delete(image, owner, backends)
            assert raised.value.code == "object_not_deleted"
            assert (await image_row(image.id)).status == ImageStatus.DELETING
            assert [item.id for item in await set_aside.oldest(10)] == [image.id]


async def an_order(owner: BaseUser, job: Job, reply_to: str) -> UUID:
    """Store an order whose job has ended, and whose sender waits for the reply."""
    order = AcceptedOrder(owner=owner.id, job=job.id, outcome=job.id)
    await order.save()
    await Reply(order=order.id, reply_to=reply_to).save()
    return order.id


@pytest.mark.services
async def test_an_order_whose_reply_cannot_be_sent_is_set_aside_and_others_get_theirs(tmp_path: Path) -> None:
    async with own_vhost() as url, opened_backends(tmp_path, BROKER_URL=url) as backends:
        owner = await an_owner()
        job = await a_job(owner, await an_image(owner), status=JobStatus.FAILED, error_code="x", error="y")
        stuck = await an_order(owner, job, "x" * 300)  # longer than the name of a queue
        await an_order(owner, job, "nobody")
        assert await send_due_replies(backends) == 1
        [item] = await set_aside.oldest(10)
        assert (item.id, item.kind, item.attempts) == (stuck, "reply", 1)
        assert await Reply.count() == 1
        assert await send_due_replies(backends) == 0  # it waits for its pause

"""AMQP orders of every type and source, and the replies to them."""

import asyncio
import json
from pathlib import Path
from uuid import uuid4

import pytest
from PIL import Image as Pillow

from libs.auth.links import verify_link
from libs.contracts.commands import IngestImage, decode
from libs.contracts.enums import JobStatus, Priority, Retention
from libs.contracts.topology import DEAD, Route
from libs.imaging.geometry import Focus
from libs.imaging.operations import Resize
from libs.storage import images, presets
from libs.storage.database.tables import BaseUser, Image, Job, Reply
from libs.storage.presets import PresetContent
from tests.orders.producer import SMALL, Producer, data_url, image_of, ingest, transform
from tests.storage.rows import an_owner, job_row
from tests.support.backends import submit
from tests.support.waiting import WAIT_S, until


async def test_an_order_over_a_stored_image_is_answered_with_its_result(
    producer: Producer, owner: BaseUser, photo: Path
) -> None:
    source, _ = await submit(producer.backends, owner, photo, None, Retention.KEEP)
    reply = await producer.answered(transform(owner.username, {"image_id": str(source.id)}), message_id="one")
    result = await image_of(reply)
    assert (result.parent, result.owner, result.width, result.retention) == (
        source.id,
        owner.id,
        64,
        Retention.EPHEMERAL,
    )
    assert (reply["type"], reply["owner"], reply["message_id"]) == ("job.completed", owner.username, "one")
    assert (await job_row(reply["job_id"])).result == result.id
    token = reply["link"].rpartition("/d/")[2]
    assert verify_link(producer.backends.settings.secret_key, token).image_id == result.id


async def test_an_order_may_keep_the_focal_point_of_a_stored_image_in_view(
    producer: Producer, owner: BaseUser, photo: Path
) -> None:
    source, _ = await submit(producer.backends, owner, photo, None, Retention.KEEP)
    focus = Focus(0.1, 0.9)
    await images.change(source, filename=None, retention=None, focus=focus, undownloaded_s=60)
    made: list[str] = []
    for gravity in ("focus", {"x": focus.x, "y": focus.y}, "center"):
        crop = {"op": "crop", "aspect": "1:2", "gravity": gravity}
        order = transform(owner.username, {"image_id": str(source.id)}, operations=[crop])
        made.append((await image_of(await producer.answered(order))).md5)
    assert made[0] == made[1] != made[2]


async def test_an_order_names_a_preset_which_runs_first(
    producer: Producer, owner: BaseUser, photo: Path
) -> None:
    content = PresetContent(
        operations=(Resize(width=50),), public=False, cache=True, formats=(), fallback=None
    )
    await presets.put(owner.id, "fifty", content)
    source = {"url": data_url(photo)}
    alone = transform(owner.username, source, operations=None, preset="fifty")
    assert (await image_of(await producer.answered(alone))).width == 50
    both = transform(
        owner.username, source, operations=[{"op": "crop", "width": 20, "height": 10}], preset="fifty"
    )
    assert (await image_of(await producer.answered(both))).width == 20
    fetched = await producer.answered(ingest(owner.username, source, preset="fifty"))
    assert (await image_of(fetched)).width == 50


@pytest.mark.parametrize("kind", ["url", "object"])
async def test_an_order_over_bytes_from_elsewhere_is_answered_with_its_result(
    producer: Producer, owner: BaseUser, photo: Path, kind: str
) -> None:
    key = f"inbox/{owner.username}/trip/rocket.jpg"
    await producer.drop(key, photo)
    source = {"url": data_url(photo)} if kind == "url" else {"object": key}
    reply = await producer.answered(transform(owner.username, source), message_id="one")
    result = await image_of(reply)
    assert (result.width, result.retention, reply["message_id"]) == (64, Retention.EPHEMERAL, "one")
    async with producer.backends.objects.as_file(result.object_key) as path:
        with Pillow.open(path) as picture:
            assert picture.size[0] == 64
    assert [stored.key async for stored in producer.backends.objects.scan("inbox/")] == [key]


async def test_the_bytes_of_an_order_leave_its_row_once_its_job_has_completed(
    producer: Producer, owner: BaseUser, photo: Path
) -> None:
    reply = await producer.answered(ingest(owner.username, {"url": data_url(photo)}))
    image = await image_of(reply)

    async def emptied() -> bool:
        return len((await job_row(reply["job_id"])).command) < 1000

    await until(emptied)
    job = await job_row(reply["job_id"])
    command = decode(job.command)
    assert isinstance(command, IngestImage)
    assert (command.source.url, command.target, job.result) == ("data:,", image.id, image.id)


@pytest.mark.parametrize("key", ["inbox/{owner}/rocket.jpg", "inbox/rocket.jpg"])
async def test_a_file_in_the_inbox_is_kept_by_an_order_that_names_it(
    producer: Producer, owner: BaseUser, photo: Path, key: str
) -> None:
    key = key.format(owner=owner.username)
    await producer.drop(key, photo)
    reply = await producer.answered(ingest(owner.username, {"object": key}), route=Route.INGEST)
    image = await image_of(reply)
    assert (image.filename, image.retention, image.width) == ("rocket.jpg", Retention.KEEP, 640)
    assert image.phash is not None
    assert image.source_url is None


async def test_what_an_order_asks_of_the_image_is_done(
    producer: Producer, owner: BaseUser, photo: Path
) -> None:
    fields = {"filename": "moon.png", "retention": "keep", "operations": SMALL}
    first = await image_of(
        await producer.answered(ingest(owner.username, {"url": data_url(photo)}, **fields))
    )
    assert (first.width, first.retention, first.filename) == (64, Retention.KEEP, "moon.jpg")
    plain = ingest(owner.username, {"url": data_url(photo)}, on_duplicate="return")
    again = await image_of(await producer.answered(plain))
    assert again.id == first.parent


async def test_the_event_of_an_order_names_it_as_its_sender_does(
    producer: Producer, owner: BaseUser, photo: Path
) -> None:
    async with producer.backends.broker.events("job.*") as events:
        order = transform(owner.username, {"url": data_url(photo)}, job_id="mine")
        await producer.send(order, reply=False, message_id="of no interest")
        bodies = [json.loads((await asyncio.wait_for(anext(events), WAIT_S)).body) for _ in range(2)]
    assert [(one["type"], one["message_id"]) for one in bodies] == [
        ("job.completed", None),  # the fetch, which the transform follows on
        ("job.completed", "mine"),
    ]


async def test_bulk_orders_do_not_delay_interactive_ones(
    producer: Producer, owner: BaseUser, photo: Path
) -> None:
    source, _ = await submit(producer.backends, owner, photo, None, Retention.KEEP)
    orders = [
        transform(owner.username, {kind: what})
        for kind, what in (("image_id", str(source.id)), ("url", data_url(photo)))
    ]
    for route, priority in ((Route.TRANSFORM_BULK, Priority.BULK), (Route.TRANSFORM, Priority.INTERACTIVE)):
        for order in orders:
            reply = await producer.answered(order, route=route)
            assert (await job_row(reply["job_id"])).priority == priority


async def test_the_webhook_of_an_order_is_kept_with_its_job(
    producer: Producer, owner: BaseUser, photo: Path
) -> None:
    source, _ = await submit(producer.backends, owner, photo, None, Retention.KEEP)
    hook = "https://example.org/hook"
    reply = await producer.answered(transform(owner.username, {"image_id": str(source.id)}, webhook_url=hook))
    assert (await job_row(reply["job_id"])).webhook_url == hook


async def test_an_order_that_fails_is_answered_with_the_reason(producer: Producer, owner: BaseUser) -> None:
    gone = f"inbox/{owner.username}/gone.jpg"
    text = "data:text/plain,hello"
    for source, code in (({"object": gone}, "object_not_found"), ({"url": text}, "url_not_an_image")):
        reply = await producer.answered(transform(owner.username, source), message_id=code)
        assert (reply["type"], reply["status"]) == ("job.failed", "failed")
        assert (reply["error_code"], reply["message_id"]) == (code, code)
    assert not await Image.exists().where(Image.owner == owner.id)


async def test_a_file_in_the_inbox_is_bounded_like_an_upload(
    producer: Producer, owner: BaseUser, tmp_path: Path
) -> None:
    large = tmp_path / "large.jpg"
    with large.open("wb") as file:
        file.truncate(producer.backends.settings.max_upload_bytes + 1)
    await producer.drop("inbox/large.jpg", large)
    reply = await producer.answered(ingest(owner.username, {"object": "inbox/large.jpg"}))
    assert (reply["status"], reply["error_code"]) == ("failed", "file_too_large")


async def test_an_order_sent_many_times_runs_once_and_answers_each_time(
    producer: Producer, owner: BaseUser, photo: Path
) -> None:
    order = transform(owner.username, {"url": data_url(photo)})
    name, marks = uuid4().hex, [str(n) for n in range(8)]
    await asyncio.gather(*(producer.send(order, message_id=name, correlation_id=mark) for mark in marks))
    replies = [await producer.reply() for _ in marks]
    assert sorted(reply["correlation_id"] for reply in replies) == marks
    assert len({reply["image_id"] for reply in replies}) == 1
    later = await producer.answered(order | {"job_id": name}, message_id="another")
    assert later["image_id"] == replies[0]["image_id"]
    assert await Job.count().where(Job.owner == owner.id) == 2  # the fetch and the transform
    async with asyncio.timeout(WAIT_S):
        while await Reply.count():  # the last one is forgotten a moment after it is sent
            await asyncio.sleep(0.02)


async def test_two_owners_may_use_the_same_name(producer: Producer, owner: BaseUser, photo: Path) -> None:
    other = await an_owner()
    replies = [
        await producer.answered(ingest(one.username, {"url": data_url(photo)}), message_id="1")
        for one in (owner, other)
    ]
    assert [reply["owner"] for reply in replies] == [owner.username, other.username]
    assert len({reply["image_id"] for reply in replies}) == 2


async def test_orders_without_a_name_are_orders_of_their_own(
    producer: Producer, owner: BaseUser, photo: Path
) -> None:
    order = ingest(owner.username, {"url": data_url(photo)})
    assert (await producer.answered(order))["job_id"] != (await producer.answered(order))["job_id"]


async def test_a_repeated_order_whose_result_is_gone_is_answered_without_it(
    producer: Producer, owner: BaseUser, photo: Path
) -> None:
    order = ingest(owner.username, {"url": data_url(photo)})
    first = await producer.answered(order, message_id="1")
    await Image.delete().where(Image.id == first["image_id"])
    again = await producer.answered(order, message_id="1")
    assert (again["job_id"], again["status"]) == (first["job_id"], "completed")
    assert (again["image_id"], again["link"]) == (None, None)


async def test_no_reply_goes_to_a_queue_of_ours(producer: Producer, owner: BaseUser, photo: Path) -> None:
    order = ingest(owner.username, {"url": data_url(photo)})
    own_queue, producer.reply_to = producer.reply_to, DEAD
    await producer.send(order, message_id="1")
    producer.reply_to = own_queue
    assert (await producer.answered(order, message_id="1"))["status"] == "completed"
    await producer.send(b"no order", reply=False)
    assert (await producer.broker_client.next_dead()).body == b"no order"


async def test_a_job_of_an_order_is_like_any_other(producer: Producer, owner: BaseUser, photo: Path) -> None:
    source, _ = await submit(producer.backends, owner, photo, None, Retention.KEEP)
    reply = await producer.answered(transform(owner.username, {"image_id": str(source.id)}))
    job = await job_row(reply["job_id"])
    assert (job.status, job.owner, job.image) == (JobStatus.COMPLETED, owner.id, source.id)
    assert decode(job.command).job_id == job.id

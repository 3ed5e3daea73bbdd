"""Orders that are refused: dead-lettered with a reason, which the sender gets as a reply."""

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

from libs.contracts.enums import Retention
from libs.contracts.topology import MAX_BODY_BYTES, Route
from libs.storage.database.tables import AcceptedOrder, BaseUser, Job
from tests.orders.producer import BROKER_USER, SMALL, Producer, data_url, ingest, producer_for, transform
from tests.storage.rows import a_job, an_image, an_owner
from tests.support.backends import NewBackends, submit, working

BROKEN_POSTGRES = "alter table submission rename column name to named"
BROKEN_SQLITE = """create trigger broken before insert on submission
begin select raise(abort, 'no submission'); end"""
NO_JSON = "bad_message: the order is not JSON: unexpected character at byte 1"
ME = "OWNER"  # stands for the owner's name
BAD: list[tuple[bytes | dict[str, Any], str]] = [
    (b"no json", "bad_message"),
    (b"", "bad_message"),
    (b"\xff\xfe", "bad_message"),
    (b'{"type": "ingest.v1", "unknown": ' + b"[" * 100_000, "bad_message"),
    ({"type": "transform.v9", "owner": ME}, "bad_message"),
    ({"owner": ME, "source": {"url": "https://example.org/"}, "operations": []}, "bad_message"),
    (transform(ME, {}), "bad_message"),
    (transform(ME, {"url": "https://example.org/", "image_id": str(uuid4())}), "bad_message"),
    (transform(ME, {"urls": "https://example.org/"}), "bad_message"),
    (transform(ME, {"url": "https://example.org/"}, operations=[{"op": "explode"}]), "bad_message"),
    (transform(ME, {"url": "https://example.org/"}, operations=SMALL * 21), "too_many_operations"),
    (transform(ME, {"url": "https://example.org/"}, operations=None), "bad_message"),
    (transform(ME, {"url": "https://example.org/"}, preset="none"), "preset_not_found"),
    (ingest(ME, {"url": "https://example.org/"}, preset="none"), "preset_not_found"),
    (transform(ME, {"url": "http://127.0.0.1/"}), "url_forbidden"),
    (transform(ME, {"url": "file:///etc/passwd"}), "url_forbidden"),
    (ingest(ME, {"image_id": str(uuid4())}), "bad_message"),
    (transform(ME, {"image_id": str(uuid4())}), "image_not_found"),
    (transform(ME, {"object": "inbox/../OWNER/originals/a.jpg"}), "forbidden_key"),
    (transform(ME, {"object": "inbox/OWNER/../other/a.jpg"}), "forbidden_key"),
    (transform(ME, {"object": "inbox//a.jpg"}), "forbidden_key"),
    (transform(ME, {"object": "inbox/other/a.jpg"}), "forbidden_key"),
    (transform(ME, {"object": "OWNER/originals/a.jpg"}), "forbidden_key"),
    (transform(ME, {"object": "/etc/passwd"}), "forbidden_key"),
    (transform(ME, {"object": "inbox"}), "forbidden_key"),
    (transform("nobody", {"url": "https://example.org/"}), "unknown_owner"),
    (ingest(ME, {"url": "https://example.org/"}, webhook_url="http://10.0.0.1/"), "url_forbidden"),
]


async def test_every_faulty_order_is_dead_lettered_and_refused_and_the_next_order_works(
    producer: Producer, owner: BaseUser, photo: Path
) -> None:
    for body, code in BAD:
        if not isinstance(body, bytes):
            body = json.loads(json.dumps(body).replace(ME, owner.username))
        assert (await producer.refused(body), body) == (code, body)
    assert await Job.count() == await AcceptedOrder.count() == 0
    assert (await producer.answered(ingest(owner.username, {"url": data_url(photo)})))[
        "status"
    ] == "completed"


async def test_a_message_of_eleven_megabytes_is_put_aside_unread(producer: Producer, owner: BaseUser) -> None:
    order = json.dumps(ingest(owner.username, {"url": "https://example.org/"})).encode()
    assert await producer.refused(order + b" " * 11_000_000) == "message_too_large"
    assert MAX_BODY_BYTES < 11_000_000


async def test_a_fault_without_a_reply_address_is_put_aside_all_the_same(
    producer: Producer, owner: BaseUser, photo: Path
) -> None:
    await producer.send(b"no json", reply=False)
    assert (await producer.broker_client.next_dead()).headers["x-error"] == NO_JSON
    assert (await producer.answered(ingest(owner.username, {"url": data_url(photo)})))[
        "status"
    ] == "completed"


async def test_an_image_of_another_account_is_not_found(
    producer: Producer, owner: BaseUser, photo: Path
) -> None:
    other = await an_owner()
    theirs, _ = await submit(producer.backends, other, photo, None, Retention.KEEP)
    assert (
        await producer.refused(transform(owner.username, {"image_id": str(theirs.id)})) == "image_not_found"
    )


async def test_who_has_too_many_jobs_waiting_gets_no_more(new_backends: NewBackends, photo: Path) -> None:
    backends = await new_backends(QUOTA_JOBS="1")
    async with producer_for(backends) as producer, working(backends):
        owner = await an_owner()
        waiting = await a_job(owner, await an_image(owner))
        order = ingest(owner.username, {"url": data_url(photo)})
        assert await producer.refused(order, message_id="1") == "too_many_jobs"
        await Job.delete().where(Job.id == waiting.id)
        assert (await producer.answered(order, message_id="1"))["status"] == "completed"


async def test_a_sender_without_a_name_is_refused(producer: Producer, owner: BaseUser, photo: Path) -> None:
    order = ingest(owner.username, {"url": data_url(photo)})
    assert await producer.refused(order, user_id=None) == "unidentified_sender"


async def test_a_sender_gets_a_reply_after_an_internal_error_too(
    producer: Producer, owner: BaseUser, photo: Path
) -> None:
    embedded = producer.backends.settings.embedded
    await AcceptedOrder.raw(BROKEN_SQLITE if embedded else BROKEN_POSTGRES)
    order = ingest(owner.username, {"url": data_url(photo)})
    reply = await producer.answered(order)
    assert (reply["type"], reply["error_code"]) == ("order.refused", "internal_error")
    assert "submission" not in reply["error"]
    assert (await producer.broker_client.next_dead()).body == json.dumps(order).encode()


async def test_a_sender_acts_for_the_account_of_its_own_name_only(
    new_backends: NewBackends, photo: Path
) -> None:
    backends = await new_backends(AMQP_TRUSTED_USERS="somebody-else")
    async with producer_for(backends) as producer, working(backends):
        own = await an_owner(BROKER_USER)
        other = await an_owner()
        order = ingest(other.username, {"url": data_url(photo)})
        assert await producer.refused(order) == "sender_not_allowed"
        assert await producer.refused(order | {"owner": "nobody"}) == "sender_not_allowed"
        assert (await producer.answered(order | {"owner": own.username}))["status"] == "completed"


async def test_an_account_that_is_closed_gets_nothing(
    producer: Producer, owner: BaseUser, photo: Path
) -> None:
    await BaseUser.update({BaseUser.active: False}).where(BaseUser.id == owner.id)
    assert await producer.refused(ingest(owner.username, {"url": data_url(photo)})) == "unknown_owner"


async def test_a_note_that_wakes_a_worker_can_do_nothing_but_wake_it(
    producer: Producer, owner: BaseUser, photo: Path
) -> None:
    image, job = await submit(producer.backends, owner, photo, SMALL)
    forged: dict[str, Any] = {
        "type": "wake.v1",
        "owner": "mallory",
        "source": {"image_id": str(image.id)},
        "operations": [],
    }
    for job_id in (str(job.id), str(uuid4())):
        await producer.send(forged | {"job_id": job_id}, user_id=None, reply=False)
    reply = await producer.answered(ingest(owner.username, {"url": data_url(photo)}), route=Route.TRANSFORM)
    assert reply["status"] == "completed"
    assert await Job.count().where(Job.image == image.id) == 1

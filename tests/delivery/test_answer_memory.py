"""What a process that delivers remembers of its answers, for a second."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from apps.delivery.answer_memory import MAX_ANSWERS, MAX_BODY, MAX_BYTES, AnswerMemory
from apps.delivery.response import Answer
from libs.storage.objects import open_objects
from tests.support.addresses import fetched, signed
from tests.support.client import Client
from tests.support.shared_sites import ON_ONE_SITE
from tests.support.site_contents import object_keys
from tests.support.site_jobs import objects_url
from tests.support.waiting import until

LARGE = "w_900:convert,format_png"  # more bytes than are remembered


def answer(version: int, body: bytes | None, object_key: str | None = "a.png") -> Answer:
    return Answer(
        headers=[],
        etag=f'"{version}"',
        modified_at=datetime.now(UTC),
        size_bytes=len(body or b""),
        body=body,
        object_key=object_key,
        filename="a.png",
    )


def test_bytes_beyond_the_room_are_forgotten_and_their_answers_are_read_from_the_store() -> None:
    memory, body = AnswerMemory(), bytes(MAX_BODY)
    count = MAX_BYTES // MAX_BODY
    for version in range(count + 2):
        memory.put(version, answer(version, body))
    remembered = [memory.fresh(version) for version in range(count + 2)]
    assert [found and found.body for found in remembered] == [None, None, *[body] * count]
    assert [found and found.object_key for found in remembered] == ["a.png"] * (count + 2)


def test_one_version_has_its_bytes_once_whoever_asks() -> None:
    memory, body = AnswerMemory(), bytes(MAX_BODY)
    for key in range(2 * MAX_BYTES // MAX_BODY):
        memory.put(key, answer(1, body))
    memory.put("other", answer(2, b"other"))
    assert memory.body('"1"') == body
    assert memory.body('"2"') == b"other"


def test_an_answer_without_bytes_and_without_an_object_is_not_fresh() -> None:
    memory = AnswerMemory()
    memory.put("large", answer(1, bytes(MAX_BODY + 1), object_key=None))
    memory.put("small", answer(2, b"small", object_key=None))
    assert memory.fresh("large") is None
    found = memory.fresh("small")
    assert found is not None
    assert found.body == b"small"


def test_no_more_answers_are_remembered_than_there_is_room_for() -> None:
    memory = AnswerMemory()
    for key in range(MAX_ANSWERS + 1):
        memory.put(key, answer(1, b"same"))
    assert memory.fresh(0) is None
    assert memory.fresh(1) is not None


@ON_ONE_SITE
async def test_a_large_file_that_has_gone_within_the_second_is_rendered_again(
    client: Client, photos: Path
) -> None:
    image = (await client.upload(photos / "coffee.png")).json["id"]
    address = signed(LARGE, image)
    first = await fetched(client, address)
    assert len(first.body) > MAX_BODY

    async def stored() -> Any:
        return await object_keys(client.site, f".renditions/{image}/")

    [key] = await until(stored)
    again = await fetched(client, address)
    assert (again.body, again.headers["Cache-Status"]) == (first.body, "darkroom; hit")
    store = open_objects(objects_url(client.site), Path(client.site.settings["DATA_DIR"]) / "tmp")
    await store.delete([key])
    await store.close()
    last = await fetched(client, address)
    assert (last.status, last.body) == (200, first.body)
    assert last.headers["Cache-Status"] == "darkroom; fwd=miss; stored"

"""What an operator sees of the objects at the console of the store."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

import pytest
from aiohttp import ClientSession
from miniopy_async.api import Minio

from libs.contracts.enums import Retention
from libs.storage.database.tables import BaseUser, Image
from tests.orders.producer import Producer, image_of, ingest, transform
from tests.support.backends import submit

DAY = r"\d{4}/\d\d/\d\d"


async def shown(producer: Producer, image: Image) -> tuple[str, dict[str, str]]:
    """Return the content type and metadata of an object from the server."""
    parts = urlsplit(producer.backends.settings.objects_url)
    assert parts.username is not None
    assert parts.password is not None
    endpoint = parts.netloc.rpartition("@")[2]
    client = Minio(endpoint, parts.username, parts.password, secure=False, region="us-east-1")
    async with ClientSession() as session:
        client.set_session(session)
        found = await client.stat_object(parts.path.strip("/"), image.object_key)
    headers = {name.lower(): value for name, value in cast("Mapping[str, str]", found.metadata).items()}
    labels = {name: headers.get(f"x-amz-meta-{name}", "") for name in ("owner", "image-id", "md5", "job-id")}
    return found.content_type or "", {name: value for name, value in labels.items() if value}


async def test_keys_say_whose_what_and_when(producer: Producer, owner: BaseUser, photo: Path) -> None:
    source, _ = await submit(producer.backends, owner, photo, None, Retention.KEEP)
    reply = await producer.answered(transform(owner.username, {"image_id": str(source.id)}))
    result = await image_of(reply)
    for image, folder in ((source, "originals"), (result, "results")):
        expected = rf"{owner.username}/{folder}/{DAY}/{image.id}-rocket\.jpg"
        assert re.fullmatch(expected, image.object_key), image.object_key


@pytest.mark.services
@pytest.mark.parametrize("new_backends", ["services"], indirect=True)
async def test_objects_carry_their_type_and_whose_and_what_they_are(
    producer: Producer, owner: BaseUser, photo: Path
) -> None:
    source, _ = await submit(producer.backends, owner, photo, None, Retention.KEEP)
    order = transform(
        owner.username, {"image_id": str(source.id)}, operations=[{"op": "convert", "format": "webp"}]
    )
    reply = await producer.answered(order)
    result = await image_of(reply)
    labels = {"owner": owner.username}
    assert await shown(producer, source) == (
        "image/jpeg",
        labels | {"image-id": str(source.id), "md5": source.md5},
    )
    assert await shown(producer, result) == (
        "image/webp",
        labels | {"image-id": str(result.id), "md5": result.md5, "job-id": reply["job_id"]},
    )
    await producer.drop("inbox/rocket.jpg", photo)
    reply = await producer.answered(ingest(owner.username, {"object": "inbox/rocket.jpg"}))
    taken = await image_of(reply)
    assert await shown(producer, taken) == (
        "image/jpeg",
        labels | {"image-id": str(taken.id), "md5": taken.md5, "job-id": reply["job_id"]},
    )

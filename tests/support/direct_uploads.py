"""Open a direct upload, store its file as its answer says, and make an image of it."""

import hashlib
from typing import Any

from yarl import URL

from tests.support.client import Answer, Client


def md5_of(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


async def opened(client: Client, data: bytes, *, token: str | None = None, **fields: Any) -> dict[str, Any]:
    """`POST /api/uploads` for a file; `fields` replace what is announced."""
    announced = {"filename": "direct.png", "size_bytes": len(data), "content_type": "image/png", **fields}
    answer = await client.post("/api/uploads", json=announced, token=token)
    assert answer.status == 201, answer
    return answer.json


async def stored(client: Client, upload: dict[str, Any], data: bytes, **headers: str) -> Answer:
    """Send the file to the address of its upload, as its answer says."""
    address: Any = URL(upload["url"], encoded=True)  # a presigned address has to be used as it is
    async with client.session.put(address, data=data, headers={**upload["headers"], **headers}) as answer:
        return Answer(answer.status, answer.headers.copy(), await answer.read())


async def claimed(client: Client, upload: dict[str, Any], **fields: Any) -> Answer:
    """`POST /api/images` with the upload; `token` and `headers` are those of the request."""
    options = {name: fields.pop(name) for name in ("token", "headers") if name in fields}
    return await client.post("/api/images", json={"upload": upload["id"], **fields}, **options)

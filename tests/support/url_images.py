"""Asking for images by URL."""

import hashlib
import json
from io import BytesIO
from typing import Any

from tests.support.client import Answer, Client


async def create(client: Client, url: str, *, wait_s: int | None = 60, **fields: Any) -> Answer:
    """`POST /api/images` with a URL."""
    headers = {} if wait_s is None else {"Prefer": f"wait={wait_s}"}
    body = BytesIO(json.dumps({"image_url": url, **fields}).encode())  # may be long
    return await client.post(
        "/api/images", data=body, headers={"Content-Type": "application/json", **headers}
    )


async def created(client: Client, url: str, **fields: Any) -> dict[str, Any]:
    """The finished record."""
    answer = await create(client, url, **fields)
    assert answer.status == 201, answer
    return answer.json


async def record(client: Client, image_id: str) -> dict[str, Any]:
    answer = await client.get(f"/api/images/{image_id}")
    assert answer.status == 200, answer
    return answer.json


async def original(client: Client, image_id: str) -> bytes:
    answer = await client.get(f"/api/images/{image_id}/download?version=original")
    assert answer.status == 200, answer
    return answer.body


def md5_of(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()

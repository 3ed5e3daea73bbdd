"""Addresses of images by URL, signed by a computation that is not Darkroom's."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

from yarl import URL

from tests.support.client import Answer, Client
from tests.support.site import DELIVERY_SECRET
from tests.support.waiting import until

GRAY = [{"op": "resize", "width": 64}, {"op": "grayscale"}]


def signed(steps: str, source: str, *, key: str = "k1", secret: str = DELIVERY_SECRET) -> str:
    """Return the path of an address; `source` is an image's id, or `url.` and a URL in base64url."""
    path = f"/{steps}/{source}"
    digest = hmac.new(secret.encode(), path.encode(), hashlib.sha256).digest()
    return f"/t/{key}.{base64.urlsafe_b64encode(digest).decode().rstrip('=')}{path}"


def remote(url: str) -> str:
    """Return a URL as an address has it."""
    return "url." + base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")


async def fetched(
    client: Client, path: str, *, method: str = "GET", headers: Mapping[str, str] | None = None, url: str = ""
) -> Answer:
    """Request a path as it is, without a token."""
    sent = {"Accept": "*/*", **(headers or {})}
    address: Any = URL((url or client.site.url) + path, encoded=True)
    async with client.session.request(method, address, headers=sent, allow_redirects=False) as answer:
        return Answer(answer.status, answer.headers.copy(), await answer.read())


async def new_key(client: Client, name: str = "shop") -> dict[str, Any]:
    """Create a delivery key of the account."""
    answer = await client.post("/accounts/me/delivery-keys", json={"name": name})
    assert answer.status == 201, answer
    return answer.json


def signed_by(key: dict[str, Any], steps: str, source: str) -> str:
    """Return the path of an address that an account's key signs."""
    return signed(steps, source, key=key["key"], secret=key["secret"])


async def put_preset(client: Client, name: str, **content: Any) -> dict[str, Any]:
    """Create or replace a preset."""
    answer = await client.call("PUT", f"/api/presets/{name}", json=content)
    assert answer.status in (200, 201), answer
    return answer.json


async def fetched_as(client: Client, path: str, status: int) -> Answer:
    """Request a path until its status is this: a process may not notice a change for a second."""
    answers: list[Answer] = []

    async def found() -> bool:
        answers.append(await fetched(client, path))
        return answers[-1].status == status

    await until(found)
    return answers[-1]

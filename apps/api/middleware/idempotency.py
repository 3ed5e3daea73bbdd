"""`Idempotency-Key`: a repeated request gets the response to the first."""

import hashlib
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, cast

import msgspec
from litestar import Request, Response

from apps.api.context import RequestContext
from libs.storage import idempotency

R = TypeVar("R", bound=Response[Any])

MAX_KEY_CHARS = 255
REPLAYED = "Idempotency-Replayed"


def fingerprint(request: Request[Any, Any, Any], *parts: object) -> str:
    """Hash what identifies a request: method, URL and the parts of its content."""
    return hashlib.sha256(repr((request.method, str(request.url), parts)).encode()).hexdigest()


async def once(context: RequestContext, request_hash: str, answer: Callable[[], Awaitable[R]]) -> R:
    """Return `answer()`, or its stored response if the caller repeats a key with the same request.

    Raises:
        KeyInUse: The first request is still running.
        KeyReused: The key was used with another request.
    """
    key = context.request.headers.get("idempotency-key")
    if key is None:
        return await answer()
    if not 0 < len(key) <= MAX_KEY_CHARS or not key.isprintable():
        raise idempotency.BadKey("an Idempotency-Key has 1 to 255 printable characters")
    earlier = await idempotency.begin(context.caller.id, key, request_hash)
    if earlier is not None:
        headers = msgspec.json.decode(earlier.headers or "{}", type=dict[str, str])
        content = msgspec.Raw((earlier.response or "").encode())
        replayed = Response(content, status_code=earlier.status_code, headers={**headers, REPLAYED: "true"})
        return cast("R", replayed)
    try:
        response = await answer()
    except BaseException:
        await idempotency.abandon(context.caller.id, key)
        raise
    headers = {name: str(value) for name, value in response.headers.items()}
    await idempotency.finish(
        context.caller.id,
        key,
        status_code=response.status_code or 200,
        headers=msgspec.json.encode(headers).decode(),
        response=msgspec.json.encode(response.content).decode(),
    )
    return response

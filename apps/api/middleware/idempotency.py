"""`Idempotency-Key`: a repeated request finds what the first one made, and is answered with it."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn, TypeVar, cast
from uuid import UUID

import msgspec
import structlog
from litestar import Request, Response
from litestar.status_codes import HTTP_202_ACCEPTED

from apps.api.context import RequestContext
from libs.runtime.background import supervised_loops
from libs.storage import idempotency
from libs.storage.database.errors import DatabaseUnavailable
from libs.storage.idempotency import RESERVED_S, Effect, KeyReused, Reservation, StoredResponse

M = TypeVar("M")
R = TypeVar("R", bound=Response[Any])

MAX_KEY_CHARS = 255
REPLAYED = "Idempotency-Replayed"

log = structlog.get_logger(__name__)


def fingerprint(request: Request[Any, Any, Any], *parts: object) -> str:
    """Hash what identifies a request: method, URL and the parts of its content."""
    return hashlib.sha256(repr((request.method, str(request.url), parts)).encode()).hexdigest()


async def once(
    context: RequestContext,
    request_hash: str,
    *,
    make: Callable[[Reservation | None], Awaitable[M]],
    find: Callable[[Effect], Awaitable[M]],
    respond: Callable[[M], Awaitable[R]],
) -> R:
    """Make something and answer with it; for a repeated key, find what was made and answer with that.

    Args:
        context: The request.
        request_hash: Its `fingerprint`.
        make: Makes it, and binds the key to it in the same transaction. It must not wait for a job.
        find: Finds what the key was bound to.
        respond: Builds the response, and may wait for a job.

    Raises:
        KeyInUse: The first request has not made anything yet.
        KeyReused: The key was used with another request.
    """
    key = context.request.headers.get("idempotency-key")
    if key is None:
        return await respond(await make(None))
    if not 0 < len(key) <= MAX_KEY_CHARS or not key.isprintable():
        raise idempotency.BadKey("an Idempotency-Key has 1 to 255 printable characters")
    earlier = await idempotency.begin(context.caller.id, _own_key(key, context), request_hash)
    if isinstance(earlier, StoredResponse):
        return cast("R", _replayed(earlier))
    if isinstance(earlier, Effect):
        response = await respond(await find(earlier))
        response.headers[REPLAYED] = "true"
        return response
    response = await respond(await _made(earlier, make))
    if response.status_code != HTTP_202_ACCEPTED:  # what is not done yet is looked at again
        await _store(response, earlier)
    return response


def _own_key(key: str, context: RequestContext) -> str:
    """Return a key as it is stored: strangers with upload tokens must not meet those of the account."""
    if context.upload_token is None:
        return key
    return f"{context.upload_token.id} {hashlib.sha256(key.encode()).hexdigest()}"


def required(made: UUID | None) -> UUID:
    """Return an id that every request of this kind binds its key to."""
    if made is None:
        raise KeyReused("this Idempotency-Key was used for another request")
    return made


async def _made(reservation: Reservation, make: Callable[[Reservation | None], Awaitable[M]]) -> M:
    async with supervised_loops({"keep_reservation": _keep(reservation)}):
        try:
            return await make(reservation)
        except BaseException:
            await idempotency.abandon(reservation)  # unless something was made, which nobody may know yet
            raise


async def _keep(reservation: Reservation) -> NoReturn:
    while True:
        await asyncio.sleep(RESERVED_S / 3)
        try:
            await idempotency.extend(reservation)
        except DatabaseUnavailable as error:
            log.warning("reservation_not_renewed", error=str(error))


async def _store(response: Response[Any], reservation: Reservation) -> None:
    headers = {name: str(value) for name, value in response.headers.items()}
    await idempotency.finish(
        reservation,
        status_code=response.status_code or 200,
        headers=msgspec.json.encode(headers).decode(),
        response=msgspec.json.encode(response.content).decode(),
    )


def _replayed(earlier: StoredResponse) -> Response[msgspec.Raw]:
    headers = msgspec.json.decode(earlier.headers, type=dict[str, str])
    content = msgspec.Raw(earlier.body.encode())
    return Response(content, status_code=earlier.status_code, headers={**headers, REPLAYED: "true"})

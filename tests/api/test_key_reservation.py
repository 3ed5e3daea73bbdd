"""A request that takes long keeps its Idempotency-Key until it has made something."""

from typing import Any, NoReturn

import pytest
from litestar import Response
from litestar.status_codes import HTTP_202_ACCEPTED
from litestar.testing import RequestFactory

from apps.api.context import RequestContext
from apps.api.middleware import idempotency as middleware
from apps.api.middleware.idempotency import once
from apps.api.responses.event_streams import EventStreams
from libs.backends import Backends
from libs.storage.database.tables import IdempotencyKey
from libs.storage.idempotency import Effect, Reservation
from tests.storage.rows import an_owner
from tests.support.backends import NewBackends
from tests.support.waiting import until

EMBEDDED = pytest.mark.parametrize("new_backends", ["embedded"], indirect=True)


async def request_with_key(backends: Backends) -> RequestContext:
    request = RequestFactory().post("/", headers={"Idempotency-Key": "k"})
    return RequestContext(request, await an_owner(), backends, EventStreams(per_account=1))


async def respond(made: str) -> Response[Any]:
    return Response(made, status_code=HTTP_202_ACCEPTED)


async def nothing_found(_: Effect) -> NoReturn:
    raise AssertionError("no earlier request made anything")


@EMBEDDED
async def test_the_reservation_is_renewed_for_as_long_as_the_request_works(
    new_backends: NewBackends, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(middleware, "RESERVED_S", 0.03)

    async def make(_: Reservation | None) -> str:
        first = await IdempotencyKey.select(IdempotencyKey.expires_at)

        async def renewed() -> bool:
            return await IdempotencyKey.select(IdempotencyKey.expires_at) != first

        await until(renewed)
        await until(renewed)
        return "made"

    context = await request_with_key(await new_backends())
    assert (await once(context, "f", make=make, find=nothing_found, respond=respond)).content == "made"

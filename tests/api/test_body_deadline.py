"""The minimum speed of a request's body, as an application behind it sees it."""

import asyncio
from typing import Any, cast

import pytest
from litestar.types import ASGIApp, Message, Scope

from apps.api.middleware.body_deadline import with_body_deadline
from tests.support.skipping_loop import run_without_waiting

MIN_BYTES_PER_S, GRACE_S = 1000, 10.0
Piece = tuple[float, int]  # a pause in seconds, and the bytes that come after it

SCOPE: dict[str, Any] = {
    "type": "http",
    "method": "POST",
    "path": "/",
    "raw_path": b"/",
    "query_string": b"",
    "headers": [(b"transfer-encoding", b"chunked")],
}


def sent_body(*pieces: Piece, answers_first: bool = False) -> tuple[int, int, str]:
    """Send a body; return the status, how many bytes the application saw, and its last message's type."""
    return run_without_waiting(_sent(list(pieces), answers_first))


async def _sent(pieces: list[Piece], answers_first: bool) -> tuple[int, int, str]:
    statuses: list[int] = []
    seen: list[Any] = []

    async def receive() -> Any:
        pause_s, size = pieces.pop(0)
        await asyncio.sleep(pause_s)
        return {"type": "http.request", "body": b"x" * size, "more_body": bool(pieces)}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    async def application(scope: Scope, receive: Any, send: Any) -> None:
        if answers_first:
            await send({"type": "http.response.start", "status": 200, "headers": []})
        while True:
            seen.append(await receive())
            if not seen[-1].get("more_body"):
                break
        if not answers_first:
            await send({"type": "http.response.start", "status": 200, "headers": []})

    limited = with_body_deadline(cast(ASGIApp, application), min_bytes_per_s=MIN_BYTES_PER_S, grace_s=GRACE_S)
    await limited(cast(Scope, SCOPE), receive, cast(Any, send))
    [status] = statuses
    return status, sum(len(message.get("body", b"")) for message in seen), seen[-1]["type"]


def test_speed_makes_up_for_pauses() -> None:
    fast = (6.0, 6000)
    assert sent_body(*[fast] * 10) == (200, 60_000, "http.request")


def test_pauses_that_no_speed_makes_up_for_add_up() -> None:
    slow = (6.0, 2000)  # loses four seconds each time
    assert sent_body(*[slow] * 10) == (408, 2000, "http.disconnect")


def test_speed_is_not_saved_up_for_a_pause_beyond_the_grace() -> None:
    assert sent_body((0.0, 1_000_000), (9.0, 1)) == (200, 1_000_001, "http.request")
    assert sent_body((0.0, 1_000_000), (11.0, 1)) == (408, 1_000_000, "http.disconnect")


@pytest.mark.parametrize("answers_first", [False, True])
def test_to_the_application_a_late_client_has_disconnected(answers_first: bool) -> None:
    status, seen, last = sent_body((0.0, 10), (60.0, 10), (0.0, 10), answers_first=answers_first)
    assert (status, seen, last) == (200 if answers_first else 408, 10, "http.disconnect")

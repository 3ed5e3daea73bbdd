"""Errors of the log reach Sentry with their ids, and without what users entrusted to the program."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from libs.runtime.error_reports import report_error, reported_errors
from tests.support.ports import bound

Envelopes = tuple[str, list[list[Any]]]


@pytest.fixture
async def envelopes() -> AsyncIterator[Envelopes]:
    """The DSN of a stand-in for Sentry, and what came there: the lines of each envelope."""
    found: list[list[Any]] = []

    async def take(request: web.Request) -> web.Response:
        body = await request.read()
        packed = request.headers.get("Content-Encoding") == "gzip" and body[:2] == b"\x1f\x8b"
        text = (gzip.decompress(body) if packed else body).decode()
        found.append([json.loads(line) for line in text.splitlines()])
        return web.json_response({})

    (listener,) = bound("127.0.0.1")
    app = web.Application()
    app.router.add_post("/api/1/envelope/", take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.SockSite(runner, listener).start()
    yield f"http://key@127.0.0.1:{listener.getsockname()[1]}/1", found
    await runner.cleanup()


def break_and_log(dsn: str) -> None:
    password = "correct horse battery"
    with reported_errors("worker", "1.2.3", dsn=dsn):
        try:
            raise ZeroDivisionError(f"no part of {len(password)}")
        except ZeroDivisionError:
            line = {"event": "job_broke", "exc_info": True, "job_id": "7", "trace_id": "ab"}
            assert report_error(None, "error", {**line, "level": "error"}) == {**line, "level": "error"}
        report_error(None, "warning", {"event": "job_retries", "level": "warning"})
        report_error(None, "error", {"event": "command_unreadable", "level": "error"})
    report_error(None, "error", {"event": "too late", "level": "error"})


async def test_errors_are_reported_and_warnings_are_not(envelopes: Envelopes) -> None:
    dsn, found = envelopes
    await asyncio.to_thread(break_and_log, dsn)
    events = [envelope[2] for envelope in found if envelope[1]["type"] == "event"]
    broke, unreadable = events
    (raised,) = broke["exception"]["values"]
    assert (raised["type"], raised["value"]) == ("ZeroDivisionError", "no part of 21")
    assert broke["tags"] == {"app": "worker", "level": "error", "job_id": "7", "trace_id": "ab"}
    assert broke["transaction"] == "job_broke"
    assert broke["release"] == "darkroom@1.2.3"
    assert "correct horse" not in json.dumps([frame.get("vars") for frame in raised["stacktrace"]["frames"]])
    assert unreadable["message"] == "command_unreadable"

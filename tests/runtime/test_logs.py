"""What a log line looks like, on a terminal and elsewhere, and what it never shows."""

import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from apps.scheduler.sweep import sweep
from libs.contracts.enums import JobStatus
from libs.storage.database.tables import now
from tests.storage.rows import a_queued_job
from tests.support.backends import opened_backends
from tests.support.site import Site
from tests.support.terminal import on_terminal

LOST = {"status": JobStatus.RUNNING, "attempts": 5, "lease_until": now() - timedelta(seconds=1)}
PASSWORD = "correct horse battery"
FAILS = """
import logging, sys
import structlog
from libs.runtime.logs import configure_logs

def log_in(password):
    headers = {"Authorization": f"Bearer {password}"}
    raise LookupError("nobody is called so")

configure_logs(sys.argv[1])
for log in structlog.get_logger("ours"), logging.getLogger("a library's"):
    try:
        log_in(sys.argv[2])
    except LookupError:
        log.exception("login_broke")
"""

GOES_ON = """
import os
import structlog
from libs.runtime.logs import configure_logs

configure_logs("json")
structlog.get_logger("ours").info("stored", what={1, 2})
os._exit(0)
"""


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """One that is not started, whose logs are as they are by default."""
    return Site("embedded", tmp_path, {"LOG_FORMAT": ""})


@pytest.mark.parametrize("form", ["console", "json"])
def test_a_traceback_shows_where_it_broke_and_no_variable(form: str) -> None:
    command = [sys.executable, "-c", FAILS, form, PASSWORD]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    assert "Bearer" not in output
    assert PASSWORD not in output
    for words in ("login_broke", "in log_in", "LookupError: nobody is called so"):
        assert output.count(words) == 2


def test_a_full_disk_loses_the_line_and_not_the_work() -> None:
    with Path("/dev/full").open("wb") as full:
        subprocess.run([sys.executable, "-c", GOES_ON], stderr=full, check=True)


def test_a_value_that_json_does_not_have_loses_neither_the_line_nor_the_work() -> None:
    program = """
import structlog
from libs.runtime.logs import configure_logs
configure_logs("json")
structlog.get_logger("test").info("named", name="a\\udcff.jpg", data=b"\\xff", size=2**70, sizes={(1, 2): 3})
structlog.get_logger("test").info("after")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    first, second = map(json.loads, done.stderr.splitlines())
    assert (first["event"], first["name"], first["size"]) == ("named", "a\udcff.jpg", 2**70)
    assert second["event"] == "after"


async def test_on_a_terminal_a_traceback_shows_no_variable_either(tmp_path: Path) -> None:
    site = Site("embedded", tmp_path, {}, (sys.executable, "-c", FAILS))
    async with on_terminal(site, "auto", PASSWORD) as terminal:
        await terminal.until(r"(?s)(nobody is called so.*){2}")
        assert await terminal.ended() == 0
    assert "Bearer" not in terminal.shown
    assert PASSWORD not in terminal.shown


async def test_by_default_a_terminal_shows_text_to_read(site: Site) -> None:
    async with on_terminal(site, "migrate") as terminal:
        await terminal.until("info.*migrated")
        assert await terminal.ended() == 0
    assert "{" not in terminal.shown


async def test_by_default_a_file_gets_an_object_a_line(site: Site) -> None:
    process = await site.start("migrate")
    assert await process.wait() == 0
    lines = [json.loads(line) for line in site.log_of("migrate").read_text().splitlines()]
    assert (lines[-1]["event"], lines[-1]["level"]) == ("migrated", "info")


async def test_each_line_of_the_sweep_has_the_ids_of_its_job_and_request(tmp_path: Path) -> None:
    async with opened_backends(tmp_path) as backends:
        ids = {
            str((await a_queued_job(publish_at=now(), request_id=name, **values)).id): name
            for name, values in (
                ("given-up", LOST),
                ("unreadable", {**LOST, "command": "{}"}),
                ("unpublished", {}),
            )
        }
        await backends.broker.close()
        with capture_logs([merge_contextvars]) as lines:
            assert await sweep(backends) == len(ids)
    assert {"job_given_up", "job_set_aside", "publish_failed"} <= {line["event"] for line in lines}
    for line in lines:
        assert line["request_id"] == ids[line["job_id"]]

"""Chromium, one for all tests of a process: open a context of your own."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, async_playwright

from infra.local import tools

PLAIN_HOST = "darkroom.test"
"""This machine by a name of which no browser says that plain HTTP to it is secure."""
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    f"--host-resolver-rules=MAP {PLAIN_HOST} 127.0.0.1",
]


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    path = tools.BROWSER.find()
    assert path, tools.BROWSER.advice
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        await browser.close()

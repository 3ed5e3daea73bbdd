"""The console in a browser, and the account that looks at it."""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, ViewportSize, expect

from tests.support.client import PASSWORD, Client
from tests.support.waiting import WAIT_S, until

PATIENCE_MS = 1000 * WAIT_S
WIDTHS = (390, 1024, 1600)
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
LOADED = """[...document.images].every((image) => image.complete || image.loading === "lazy")
  && document.querySelector(".tile canvas:not(.loaded)") === null"""
EXPECTED = (
    "Failed to load resource",  # Chromium reports each answer of 400 and above
    "The Cross-Origin-Opener-Policy header has been ignored",  # at the address without HTTPS
)

ON_BOTH = pytest.mark.parametrize("console_site", ["embedded", "services"], indirect=True)
"""For the main path of each view."""


@dataclass
class Console:
    """A page of the console, signed in."""

    page: Page
    context: BrowserContext
    client: Client
    complaints: list[str] = field(default_factory=list[str])
    """Errors of scripts and breaches of the content security policy, in any page of the context."""

    @property
    def url(self) -> str:
        return f"{self.client.site.url}/console"

    async def open(self, path: str) -> Page:
        """Go to an address below /console."""
        await self.page.goto(self.url + path)
        return self.page

    async def photographed(self, name: str) -> None:
        """Take pictures at each width in both schemes, if `CONSOLE_PICTURES` names a folder."""
        folder = os.environ.get("CONSOLE_PICTURES")
        if not folder:
            return
        for width in WIDTHS:
            await self.page.set_viewport_size({"width": width, "height": 844 if width < 500 else 900})
            for scheme in SCHEMES:
                await self.page.emulate_media(color_scheme=scheme)
                await until(lambda: self.page.evaluate(LOADED))  # the network of a stream never idles
                taken = Path(folder) / f"{name}-{width}-{scheme}.png"
                await self.page.screenshot(path=taken, animations="disabled")


@asynccontextmanager
async def opened(
    chromium: Browser, client: Client, *, size: ViewportSize | None = None
) -> AsyncGenerator[Console]:
    """Open the console in a context of its own, and sign in by its form."""
    context = await chromium.new_context(viewport=size or {"width": 1280, "height": 860})
    context.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    try:
        console = Console(await context.new_page(), context, client)
        context.on("weberror", lambda error: console.complaints.append(str(error.error)))
        context.on("console", lambda message: _note(console, message))
        await console.open("/library")
        await sign_in(console.page, client.username)
        yield console
    finally:
        await context.close()


async def sign_in(page: Page, username: str, password: str = PASSWORD) -> None:
    """Fill in the form, and wait for the frame."""
    await page.get_by_label("Username").fill(username)
    await page.get_by_label("Password").fill(password)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("navigation", name="Console")).to_be_visible()


async def uploaded(console: Console, photo: Path | bytes, **fields: Any) -> dict[str, Any]:
    """Upload an image of the console's account."""
    answer = await console.client.upload(photo, **fields)
    assert answer.status == 201, answer
    return answer.json


def _note(console: Console, message: ConsoleMessage) -> None:
    if message.type == "error" and not message.text.startswith(EXPECTED):
        console.complaints.append(message.text)

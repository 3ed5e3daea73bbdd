"""A page of Chromium of which nobody records the network.

A debugger that records it, as Playwright always does, has the page keep up to 200 MB of answers for it. Here,
the protocol of the browser only evaluates scripts, so the memory of the page is that which people see.
"""

import asyncio
import json
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import psutil

from infra.local import tools
from tests.support.browser import FLAGS
from tests.support.client import PASSWORD, Client
from tests.support.waiting import until

WINDOW = "--window-size=1280,860"
SIGN_IN = """(name, password) => {
  const fields = [...document.querySelectorAll("form input")];
  [name, password].forEach((value, nth) => {
    fields[nth].value = value;
    fields[nth].dispatchEvent(new Event("input", { bubbles: true }));
  });
  fields[0].form.requestSubmit();
}"""


class UnwatchedPage:
    """The page; scripts are evaluated in it one after another."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, browser: psutil.Process) -> None:
        self._socket, self._browser = socket, browser
        self._sent = 0

    async def evaluate(self, script: str) -> Any:
        """Return what a script returns, or resolves to."""
        found = await self.send("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    async def send(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a command of the protocol; return its result."""
        self._sent += 1
        await self._socket.send_json({"id": self._sent, "method": method, "params": params})
        while (answer := await self._socket.receive_json()).get("id") != self._sent:
            pass
        return answer["result"]

    async def has(self, selector: str) -> None:
        """Wait until the page has an element."""
        await until(lambda: self.evaluate(f"document.querySelector({json.dumps(selector)}) !== null"))

    async def alive(self, kind: str) -> int:
        """Return how many objects of a class are left once garbage is collected."""
        prototype = await self.send("Runtime.evaluate", expression=f"{kind}.prototype")
        identity = prototype["result"]["objectId"]
        found = await self.send("Runtime.queryObjects", prototypeObjectId=identity)
        counted = await self.send(
            "Runtime.callFunctionOn",
            objectId=found["objects"]["objectId"],
            functionDeclaration="function() { return this.length; }",
            returnByValue=True,
        )
        return counted["result"]["value"]

    def memory_bytes(self) -> int:
        """Return the private memory of the largest page process of the browser."""
        processes = self._browser.children(recursive=True)
        return max(one.memory_full_info().uss for one in processes if "--type=renderer" in one.cmdline())


@asynccontextmanager
async def unwatched_library(client: Client) -> AsyncGenerator[UnwatchedPage]:
    """Open the library of an account in a browser of its own."""
    path = tools.BROWSER.find()
    assert path, tools.BROWSER.advice
    with tempfile.TemporaryDirectory() as profile:
        flags = (*FLAGS, "--headless", "--enable-precise-memory-info", WINDOW, "--remote-debugging-port=0")
        process = await asyncio.create_subprocess_exec(
            path, *flags, f"--user-data-dir={profile}", "about:blank",
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        try:
            port_file = Path(profile) / "DevToolsActivePort"

            async def port() -> str:
                return port_file.read_text().partition("\n")[0] if port_file.exists() else ""

            address = f"http://127.0.0.1:{await until(port)}/json"
            async with aiohttp.ClientSession() as session:
                async with session.get(address) as answer:
                    targets = await answer.json()
                url = next(one["webSocketDebuggerUrl"] for one in targets if one["type"] == "page")
                async with session.ws_connect(url, max_msg_size=0) as socket:
                    page = UnwatchedPage(socket, psutil.Process(process.pid))
                    await page.send("Page.navigate", url=f"{client.site.url}/console/library")
                    await page.has("form input[type=password]")
                    await page.evaluate(f"({SIGN_IN})({client.username!r}, {PASSWORD!r})")
                    await page.has(".tile canvas.loaded")
                    yield page
        finally:
            processes = psutil.Process(process.pid).children(recursive=True)
            process.terminate()
            await process.wait()
            await asyncio.to_thread(psutil.wait_procs, processes)  # which write into the profile till then

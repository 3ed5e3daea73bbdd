"""Requests sent by the real `curl`, as documents of other services show them."""

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory

from multidict import CIMultiDict

from tests.support.client import Answer
from tests.support.site import Site
from tests.support.waiting import WAIT_S


class Curl:
    """`curl` with the one thing that clients add when they move in: a bearer token."""

    def __init__(self, site: Site, token: str | None) -> None:
        self.site = site
        self.token = token

    async def __call__(self, path: str, *arguments: str | Path) -> Answer:
        """`curl PATH ARGUMENTS`; the address may be whole, as a link is."""
        url = path if path.startswith("http") else self.site.url + path
        token = ["-H", f"Authorization: Bearer {self.token}"] if self.token else []
        with TemporaryDirectory() as directory:
            head, body = Path(directory, "head"), Path(directory, "body")
            said = ["-sS", "--max-time", f"{WAIT_S:g}", "-D", str(head), "-o", str(body)]
            process = await asyncio.create_subprocess_exec(
                "curl", *said, *token, *map(str, arguments), url, stderr=asyncio.subprocess.PIPE
            )
            _, errors = await process.communicate()
            assert process.returncode == 0, errors.decode()
            return _answer(head.read_text(), body.read_bytes() if body.exists() else b"")


def _answer(head: str, body: bytes) -> Answer:
    """The last head counts: others are of redirects, or say `100 Continue`."""
    lines = head.strip().split("\n\n")[-1].splitlines()
    fields = [line.partition(": ") for line in lines[1:]]
    headers = CIMultiDict((name, value) for name, _, value in fields)
    return Answer(int(lines[0].split()[1]), headers, body)

"""A client of the HTTP API."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import Any
from uuid import uuid4

import aiohttp
from msgspec import Struct

from tests.support.site import Site
from tests.support.waiting import WAIT_S, until

PASSWORD = "correct horse battery"
DONE = ("completed", "failed", "cancelled")
REUSED_S = 1.0
"""How long an idle connection is used again: less than the five seconds for which the server keeps it. If it
closed one while the loop of the test is busy, that would break the next request."""


class Answer(Struct, frozen=True):
    """A whole response."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The stable code of a problem."""
        assert self.headers["Content-Type"].startswith("application/problem+json"), self
        return self.json["code"]


class Client:
    """One account's view of a site."""

    def __init__(self, site: Site, *, connector: aiohttp.BaseConnector | None = None) -> None:
        self.site = site
        self.token: str | None = None
        self.refresh_token = ""
        self.username = f"user-{uuid4().hex[:12]}"
        connector = connector or aiohttp.TCPConnector(keepalive_timeout=REUSED_S)
        self.session = aiohttp.ClientSession(connector=connector, auto_decompress=True)

    @property
    def email(self) -> str:
        return f"{self.username}@example.org"

    async def __aenter__(self) -> "Client":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.session.close()

    async def call(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        token: str | None = None,
        **options: Any,
    ) -> Answer:
        url = path if path.startswith("http") else self.site.url + path
        sent = dict(headers or {})
        bearer = token if token is not None else self.token
        if bearer:
            sent.setdefault("Authorization", f"Bearer {bearer}")
        async with self.session.request(method, url, headers=sent, **options) as answer:
            return Answer(answer.status, answer.headers.copy(), await answer.read())

    async def get(self, path: str, **options: Any) -> Answer:
        return await self.call("GET", path, **options)

    async def post(self, path: str, **options: Any) -> Answer:
        return await self.call("POST", path, **options)

    async def register(self) -> Answer:
        return await self.post(
            "/accounts/register",
            json={"username": self.username, "email": self.email, "password": PASSWORD},
        )

    async def login(self) -> Answer:
        answer = await self.post("/accounts/login", json={"username": self.username, "password": PASSWORD})
        self.token, self.refresh_token = answer.json["access_token"], answer.json["refresh_token"]
        return answer

    async def upload(
        self,
        file: Path | bytes,
        operations: Sequence[Mapping[str, Any]] | str | None = None,
        *,
        filename: str | None = None,
        headers: Mapping[str, str] | None = None,
        wait_s: int | None = None,
        **fields: str,
    ) -> Answer:
        """`POST /api/images`; `operations` as text goes out as it is."""
        form = aiohttp.FormData()
        data = file.read_bytes() if isinstance(file, Path) else file
        form.add_field(
            "image",
            BytesIO(data),
            filename=filename or (file.name if isinstance(file, Path) else "photo.jpg"),
        )
        if operations is not None:
            form.add_field(
                "operations", operations if isinstance(operations, str) else json.dumps(operations)
            )
        for name, value in fields.items():
            form.add_field(name, value)
        sent = dict(headers or {})
        if wait_s is not None:
            sent["Prefer"] = f"wait={wait_s}"
        return await self.post("/api/images", data=form, headers=sent)

    async def job_done(self, job_id: str) -> dict[str, Any]:
        """Return the job once its event stream says that it has ended."""
        async with (
            asyncio.timeout(WAIT_S),
            self.session.get(
                f"{self.site.url}/api/jobs/{job_id}/events", headers={"Authorization": f"Bearer {self.token}"}
            ) as stream,
        ):
            assert stream.status == 200, await stream.text()
            async for line in stream.content:
                if line.startswith(b"data:"):
                    job = json.loads(line[5:])
                    if job["status"] in DONE:
                        return job
        raise AssertionError(f"the stream of job {job_id} ended before the job")

    async def until_hashed(self, image_id: str) -> str:
        """Wait until the image has a perceptual hash, and return it."""

        async def phash() -> str:
            return (await self.get(f"/api/images/{image_id}")).json["phash"] or ""

        return await until(phash)

    async def until_gone(self, image_id: str) -> None:
        """Wait until the image is not found."""

        async def gone() -> bool:
            return (await self.get(f"/api/images/{image_id}")).status == 404

        await until(gone)

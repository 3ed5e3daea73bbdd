"""A proxy that lets pages of other origins use an S3 server: the one of the tests answers no preflight.

It allows what docs/browsers.md tells operators to allow, and nothing else.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import web
from yarl import URL

ALLOWED = {
    "Access-Control-Allow-Methods": "GET, HEAD, PUT",
    "Access-Control-Allow-Headers": "Content-Type, Content-MD5, Range",
    "Access-Control-Expose-Headers": "ETag, Content-Range, Content-Disposition",
}
HOP = {"transfer-encoding", "connection", "content-length"}


@asynccontextmanager
async def cors_proxy(target: str, origin: str) -> AsyncGenerator[str]:
    """Forward requests to `target`, and give the address. The Host header stays: the signature covers it."""
    allowed = {**ALLOWED, "Access-Control-Allow-Origin": origin}
    async with aiohttp.ClientSession(auto_decompress=False) as session:

        async def forward(request: web.Request) -> web.Response:
            if request.method == "OPTIONS":
                return web.Response(status=200, headers=allowed)
            url = URL(target + request.raw_path, encoded=True)
            body = await request.read()
            sent = {name: value for name, value in request.headers.items() if name.lower() not in HOP}
            if request.method == "PUT":
                sent["Content-Length"] = str(len(body))
            async with session.request(
                request.method, url, headers=sent, data=body or None, allow_redirects=False
            ) as answer:
                headers = {name: value for name, value in answer.headers.items() if name.lower() not in HOP}
                content = await answer.read()
                return web.Response(status=answer.status, headers={**headers, **allowed}, body=content)

        app = web.Application(client_max_size=50_000_000)
        app.router.add_route("*", "/{path:.*}", forward)
        runner = web.AppRunner(app)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            yield "http://{}:{}".format(*runner.addresses[0][:2])
        finally:
            await runner.cleanup()

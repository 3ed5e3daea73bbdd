"""A web server of another origin, with a page and a photo."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web


@asynccontextmanager
async def other_origin(photo: Path, text: str) -> AsyncGenerator[str]:
    """Serve the page and a photo at an origin of their own, and give it."""

    async def page(_: web.Request) -> web.Response:
        return web.Response(text=text, content_type="text/html")

    async def file(_: web.Request) -> web.FileResponse:
        return web.FileResponse(photo)

    app = web.Application()
    app.router.add_get("/", page)
    app.router.add_get("/photo.jpg", file)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()

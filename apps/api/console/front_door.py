"""The page at the root address: what this is, whether it works, and where to go."""

from typing import Any

from litestar import MediaType, Request, Response, get
from litestar.di import NamedDependency
from msgspec import Struct

from apps.api.console.pages import PAGE_HEADERS
from apps.api.console.static_files import NOSNIFF, StaticFiles
from libs import __version__
from libs.backends import Backends
from libs.contracts.views.health import Health

PARTS = ("database", "objects", "broker", "disk")


class FrontDoor(Struct, frozen=True, kw_only=True):
    """What a program gets at the root address."""

    name: str
    version: str
    health: str
    console: str
    schema: str


@get("/", include_in_schema=False)
async def front_door(
    request: Request[Any, Any, Any],
    backends: NamedDependency[Backends],
    console_files: NamedDependency[StaticFiles],
) -> Response[Any]:
    """Answer a browser with a page, and a program with JSON."""
    health = await backends.health()
    if request.accept.best_match([MediaType.JSON, MediaType.HTML], MediaType.JSON) == MediaType.HTML:
        page = _page(console_files, health, backends.settings.registration)
        headers = {**NOSNIFF, **PAGE_HEADERS, "Cache-Control": "no-store", "Vary": "Accept"}
        return Response(page, media_type=MediaType.HTML, headers=headers)
    found = FrontDoor(
        name="Darkroom",
        version=__version__,
        health=health.status,
        console="/console/",
        schema="/schema",
    )
    return Response(found, headers={"Vary": "Accept", "Cache-Control": "no-store"})


def _page(files: StaticFiles, health: Health, registration: str) -> str:
    failing = [part for part in PARTS if getattr(health, part) != "ok"]
    return files.page(
        "front.html",
        version=__version__,
        health=health.status,
        state=f"{', '.join(failing)} not reached" if failing else "all parts answer",
        registration=registration,
    )

"""A site that may fetch from one address of this machine, and a server of photos there."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from tests.support.photo_server import ALLOWED, INSIDE, OUTSIDE, PhotoServer, serving
from tests.support.site import Kind, Site, running_site


class FetchingSite:
    """The site, the server it may ask, and the one on the same port that it may not."""

    def __init__(self, site: Site, outer: PhotoServer, inner: PhotoServer) -> None:
        self.site = site
        self.outer = outer
        self.inner = inner


@asynccontextmanager
async def open_fetching_site(
    kind: Kind, directory: Path, program: Sequence[str] | None = None, **settings: str
) -> AsyncGenerator[FetchingSite]:
    async with serving(OUTSIDE, INSIDE) as (outer, inner):
        opened = {"FETCH_PORTS": str(outer.port), "FETCH_ALLOW_NETWORKS": ALLOWED}
        async with running_site(kind, directory, program, **opened, **settings) as site:
            yield FetchingSite(site, outer, inner)
        assert not inner.request_counts

"""The configurations of docs/reverse-proxy.md: nginx, Caddy and Traefik in front of a site."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.support.client import Client
from tests.support.documents import blocks
from tests.support.ports import free_port
from tests.support.proxies import running_caddy, running_nginx, running_traefik
from tests.support.shared_sites import signed_in
from tests.support.site import Site, running_site

pytestmark = pytest.mark.services  # `make services` brings nginx

PAGE = "docs/reverse-proxy.md"
HOST = "images.example.org"


@pytest.fixture(scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    directory = tmp_path_factory.mktemp("proxied")
    settings = {
        "TRUSTED_PROXIES": "127.0.0.1",
        "MAX_UPLOAD_BYTES": "200000000",
    }  # more than the proxies allow
    async with running_site("embedded", directory / "site", **settings) as site:
        yield site


@asynccontextmanager
async def proxied(name: str, site: Site, folder: Path) -> AsyncGenerator[str]:
    """Run a proxy with the configuration of the page, without TLS; give its address."""
    language = {"nginx": "nginx", "caddy": "caddy", "traefik": "yaml"}[name]
    (text,) = (block.text for block in blocks(PAGE) if block.info == language)
    url = f"http://127.0.0.1:{free_port()}"
    changes = {
        "nginx": {"listen 443 ssl;": f"listen {url[7:]};"},
        "caddy": {f"{HOST} {{": f"http://{HOST}:{url[17:]} {{"},
        "traefik": {
            "      tls: {certResolver: letsencrypt}\n": "",
            "middlewares: [size, protocol]": "middlewares: [protocol]",  # as the page says of event streams
        },
    }[name]
    for written, ours in {**changes, "127.0.0.1:8000": site.url[7:]}.items():
        assert written in text
        text = text.replace(written, ours)
    run = {"nginx": running_nginx, "caddy": running_caddy, "traefik": running_traefik}[name]
    async with run(text, folder, url) as address:
        yield address


@pytest.mark.parametrize("name", ["nginx", "caddy", "traefik"])
async def test_a_site_works_behind_the_proxy_of_the_page(
    site: Site, name: str, photo: Path, tmp_path: Path
) -> None:
    async with proxied(name, site, tmp_path) as url, signed_in(site) as client:
        behind = Behind(client, url)
        uploaded = await behind.post("/api/images", photo)
        assert uploaded["url"].startswith(f"https://{HOST}/api/"), uploaded
        events = await behind.first_event(uploaded["job_id"])
        assert events.startswith((b"event: ", b"id: ")), events
        if name != "traefik":
            assert await behind.status_of_body(75_000_000) == 413


class Behind:
    """A client that reaches its site by a proxy, under the site's public name."""

    def __init__(self, client: Client, url: str) -> None:
        self.client = client
        self.url = url
        self.headers = {"Authorization": f"Bearer {client.token}", "Host": HOST}

    async def post(self, path: str, photo: Path) -> Any:
        form = aiohttp.FormData()
        form.add_field("image", photo.read_bytes(), filename="photo.jpg")
        form.add_field("operations", '[{"op": "resize", "width": 50}]')
        async with self.client.session.post(self.url + path, data=form, headers=self.headers) as answer:
            assert answer.status == 202, await answer.text()
            return await answer.json()

    async def first_event(self, job_id: str) -> bytes:
        at = f"{self.url}/api/jobs/{job_id}/events"
        async with self.client.session.get(at, headers=self.headers) as stream:
            assert stream.status == 200
            return await stream.content.readline()

    async def status_of_body(self, size_bytes: int) -> int:
        headers = self.headers | {"Content-Type": "multipart/form-data; boundary=x", "Expect": "100-continue"}
        head = b'--x\r\nContent-Disposition: form-data; name="image"; filename="a.jpg"\r\n\r\n'
        at = f"{self.url}/api/images"
        async with self.client.session.post(
            at, data=BytesIO(head + bytes(size_bytes)), headers=headers
        ) as answer:
            return answer.status

"""What a site holds: its object store, its scratch directories, its secret."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import jwt
from msgspec import Struct

from libs.storage.objects import open_objects
from tests.support.client import Answer, Client
from tests.support.site import SECRET, Site
from tests.support.waiting import until_equal

INTERNALS = (
    "Traceback",
    'File "',
    "apps.",
    "libs.",
    "piccolo",
    "asyncpg",
    "sqlite",
    "litestar",
    ".py",
    "PIL",
)


class Kept(Struct, frozen=True):
    """All that an account has, but for its jobs: one that failed stays, to be read."""

    images: str  # how many, as the header says it
    objects: frozenset[str]


async def object_keys(site: Site, prefix: str = "") -> frozenset[str]:
    """The keys in the site's object store."""
    url = site.settings.get("OBJECTS_URL", f"file://{site.settings['DATA_DIR']}/objects")
    with TemporaryDirectory() as scratch:
        store = open_objects(url, Path(scratch))
        try:
            return frozenset([stored.key async for stored in store.scan(prefix)])
        finally:
            await store.close()


async def object_bytes(site: Site, image_id: str) -> bytes:
    """The stored object of an image."""
    [key] = [key for key in await object_keys(site) if image_id in key]
    url = site.settings.get("OBJECTS_URL", f"file://{site.settings['DATA_DIR']}/objects")
    with TemporaryDirectory() as scratch:
        store = open_objects(url, Path(scratch))
        try:
            async with store.as_file(key) as path:
                return path.read_bytes()
        finally:
            await store.close()


async def kept_by(client: Client) -> Kept:
    """What the client's account has now."""
    images = await client.get("/api/images?limit=1")
    assert images.status == 200
    return Kept(images.headers["X-Total-Count"], await object_keys(client.site, f"{client.username}/"))


async def jobs_of(client: Client) -> str:
    """How many jobs the client's account has, ended ones too."""
    jobs = await client.get("/api/jobs?limit=1")
    assert jobs.status == 200
    return jobs.headers["X-Total-Count"]


@asynccontextmanager
async def nothing_kept(client: Client) -> AsyncGenerator[None]:
    """Whatever happens inside leaves no image, job, object or temporary file, and the site answers on."""
    before = await kept_by(client), await jobs_of(client)
    yield
    assert (await kept_by(client), await jobs_of(client)) == before
    await scratch_is_empty(client.site)


async def next_one_works(client: Client, data: bytes) -> None:
    """A good upload goes through; it is ephemeral, so that no job follows and nothing is left to wait for."""
    answer = await client.upload(data, retention="ephemeral")
    assert answer.status == 201, answer


async def kept_again(client: Client, before: Kept) -> None:
    """Wait until the account has what it had before, and nothing is half done."""
    await until_equal(before, lambda: kept_by(client))
    await scratch_is_empty(client.site)


async def scratch_is_empty(site: Site) -> None:
    """Wait until no process of the site has a temporary file."""

    async def files() -> list[Path]:
        return scratch_files(site)

    await until_equal([], files)


def scratch_files(site: Site) -> list[Path]:
    """The temporary files of all processes."""
    found = Path(site.settings["DATA_DIR"], "tmp").glob("*/*")
    return [path for path in found if path.name != ".lock"]


def secret_of(site: Site) -> str:
    """What the site signs its tokens with."""
    if site.kind == "services":
        return SECRET
    return Path(site.settings["DATA_DIR"], "secret.key").read_text().strip()


def signed_again(site: Site, token: str, **changes: Any) -> str:
    """The token with other claims, signed as the site itself would."""
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return jwt.encode({**claims, **changes}, secret_of(site), algorithm="HS256")


def refused(answer: Answer, status: int, code: str) -> str:
    """Check a problem's status and code, and that it names no internals; return its detail."""
    assert (answer.status, answer.code) == (status, code), answer
    problem = answer.json
    assert problem["status"] == status
    assert problem["title"]
    assert problem["request_id"] == answer.headers["X-Request-ID"]
    assert not [word for word in INTERNALS if word in answer.body.decode()], answer
    return problem["detail"]


def assert_untrusted(answer: Answer) -> None:
    """Check that a browser runs nothing in the file."""
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"

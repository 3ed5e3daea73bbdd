"""Record what an older commit of Darkroom leaves behind, for `test_upgrade.py`.

    eval "$(infra/local/services env)"; python -m tests.upgrades.record COMMIT

runs that commit with the packages of this one, embedded and on the services, uses it, and stops it while jobs
are queued. What was in its database and its object store, and what its clients know, becomes an archive each
in `recorded/`. Tokens and links are valid for ten years.
"""

import asyncio
import sqlite3
import subprocess
import sys
import tarfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, closing
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
from PIL import Image

from benchmarks.request_cpu import ROOT, checkout
from infra.local import programs
from libs.storage.objects import open_objects
from tests.batches.csv_files import accepted, done, products
from tests.support.client import PASSWORD, Client
from tests.support.photo_server import ALLOWED, OUTSIDE, PhotoServer, picture, serving
from tests.support.site import QUICK, Kind, Site, running_site
from tests.upgrades.known import ARCHIVES, FILES, KNOWN, OBJECTS, ROWS, Known, Stored

TEN_YEARS_S = "315360000"  # the longest lifetime that can be set
SLOW = [{"op": "blur", "sigma": 100}] * 6
SMALL = [{"op": "resize", "width": 64}, {"op": "convert", "format": "webp"}]
QUEUED = 3
KEPT = ("darkroom.sqlite", "secret.key", "objects")  # of an embedded data directory


def photograph(side: int) -> bytes:
    """Return a photo that is small as a file."""
    file = BytesIO()
    Image.linear_gradient("L").convert("RGB").resize((side, side)).save(file, "jpeg", quality=30)
    return file.getvalue()


@asynccontextmanager
async def old_site(tree: Path, kind: Kind, directory: Path, images: PhotoServer) -> AsyncGenerator[Site]:
    """Run a site of the code in `tree`."""
    known = "".join(path.read_text() for path in (tree / "libs").glob("settings*"))
    later = [f"--unset=DARKROOM_{name}" for name in QUICK if f"    {name.lower()}:" not in known]
    program = ("env", *later, f"PYTHONPATH={tree}", sys.executable, "-m", "apps.cli")
    settings = {
        "ACCESS_TOKEN_S": TEN_YEARS_S,
        "REFRESH_TOKEN_S": TEN_YEARS_S,
        "LINK_S": TEN_YEARS_S,
        "WORKER_CONCURRENCY": "1",
        "FETCH_PORTS": f"{images.port},443",
        "FETCH_ALLOW_NETWORKS": ALLOWED,
    }
    async with running_site(kind, directory, program=program, **settings) as site:
        yield site


async def use(site: Site, client: Client, images: PhotoServer) -> Known:
    """Make an account with images, a batch and a webhook, and jobs that have not ended."""
    client.username = "ada"
    assert (await client.register()).status == 201
    await client.login()
    wanted = {"name": "upgrade", "scopes": ["account", "images:read"]}
    key = await client.post("/accounts/me/keys", json=wanted)
    assert key.status == 201, key
    hook = await client.post("/api/webhooks", json={"url": "https://example.org/hook"})
    assert hook.status == 201, hook
    made = await client.upload(photograph(200), SMALL, filename="a cat.jpg", wait_s=60, retention="keep")
    assert made.status == 201, made
    urls = [images.serve(f"/{name}.jpg", picture()) for name in ("chair", "table")]
    batch = await done(client, (await accepted(client, products([urls])))["id"])
    stored: list[Stored] = []
    for image in (await client.get("/api/images")).json:
        if image["retention"] != "keep":
            continue
        body = (await client.get(f"/api/images/{image['id']}/download")).body
        link = await client.post(f"/api/images/{image['id']}/link", json={})
        stored.append(Stored(image["id"], image["filename"], body, link.json["url"].replace(site.url, "")))
    if site.kind == "services":
        await site.stop("worker")
    else:  # the one worker is busy with the first of these
        await client.upload(photograph(2500), SLOW, retention="keep")
    queued = [
        await client.upload(photograph(100 + number), SMALL, retention="keep") for number in range(QUEUED)
    ]
    ids = [answer.json["job_id"] for answer in queued]
    await site.kill("serve" if site.kind == "embedded" else "api")
    assert client.token is not None
    return Known(
        secret=site.settings.get("SECRET_KEY", ""),
        password=PASSWORD,
        access_token=client.token,
        refresh_token=client.refresh_token,
        api_key=key.json["key"],
        webhook=hook.json["url"],
        images=stored,
        batch=batch["id"],
        queued=ids,
    )


async def record(tree: Path, kind: Kind, directory: Path) -> None:
    """Write the archive of one kind of site."""
    async with serving(OUTSIDE) as (images,), old_site(tree, kind, directory / "site", images) as site:
        async with Client(site) as client:
            known = await use(site, client, images)
        content = directory / "content"
        content.mkdir()
        (content / KNOWN).write_bytes(msgspec.json.encode(known))
        if kind == "embedded":
            data = Path(site.settings["DATA_DIR"])
            with closing(
                sqlite3.connect(data / "darkroom.sqlite")
            ) as database:  # takes in what is in the log
                database.execute("vacuum")
            for name in KEPT:
                (data / name).rename(content / name)
        else:
            await record_services(site, content)
    with tarfile.open(ARCHIVES / f"{kind}.tar.xz", "w:xz") as archive:
        for path in sorted(content.iterdir()):
            archive.add(path, path.name)


async def record_services(site: Site, content: Path) -> None:
    """Write the rows as SQL, and every object as a file."""
    dump = [
        programs.need("pg_dump"),
        "--inserts",
        "--no-owner",
        "--no-privileges",
        site.settings["DATABASE_URL"],
    ]
    done = await asyncio.to_thread(subprocess.run, dump, check=True, capture_output=True)
    (content / ROWS).write_bytes(done.stdout)
    (content / FILES).mkdir()
    store = open_objects(site.settings["OBJECTS_URL"], content)
    keys = [stored.key async for stored in store.scan("")]
    for number, key in enumerate(keys):
        async with store.as_file(key) as file:
            (content / FILES / str(number)).write_bytes(file.read_bytes())
    await store.close()
    (content / OBJECTS).write_bytes(msgspec.json.encode(keys))


async def main(commit: str) -> None:
    """Record both kinds."""
    ARCHIVES.mkdir(exist_ok=True)
    with checkout(commit) as tree, TemporaryDirectory(dir=ROOT / "tests") as directory:
        for kind in ("embedded", "services"):
            (Path(directory) / kind).mkdir()
            await record(tree, kind, Path(directory) / kind)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))

"""Clients that openapi-typescript with openapi-fetch, and hey-api, generate do what people do."""

import json
import shutil
from pathlib import Path
from uuid import uuid4

import pytest
from msgspec import Struct

from tests.clients.generating import run, saved_description
from tests.support.client import Client
from tests.support.shared_sites import ON_ONE_SITE, SharedSite

pytestmark = ON_ONE_SITE

SOURCES = Path(__file__).parent / "typescript"


class Project(Struct, frozen=True):
    """A compiled project, and what the generators said."""

    directory: Path
    output: str


@pytest.fixture(scope="module")
async def packages(request: pytest.FixtureRequest) -> Path:
    """The generators and the compiler, installed once for each lock file."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("node and npm are not installed")
    folder = request.config.cache.mkdir("typescript-clients")  # pyright: ignore[reportOptionalMemberAccess]
    installed = folder / "package-lock.json"
    wanted = (SOURCES / "package-lock.json").read_bytes()
    if not installed.exists() or installed.read_bytes() != wanted:
        shutil.rmtree(folder)
        folder.mkdir()
        shutil.copy(SOURCES / "package.json", folder)
        (folder / "npm-shrinkwrap.json").write_bytes(wanted)
        try:
            await run("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", cwd=folder)
        except AssertionError as error:
            pytest.skip(f"npm cannot install the packages: {error}")
        installed.write_bytes(wanted)
    return folder / "node_modules"


@pytest.fixture(scope="module")
async def project(
    packages: Path, shared_site: SharedSite, tmp_path_factory: pytest.TempPathFactory
) -> Project:
    """The clients, generated and compiled in strict mode."""
    directory = tmp_path_factory.mktemp("typescript")
    shutil.copytree(SOURCES, directory, dirs_exist_ok=True)
    (directory / "node_modules").symlink_to(packages)
    await saved_description(shared_site.site, directory)
    said = await run("node", "generate.mjs", cwd=directory)
    said += await run("node_modules/.bin/openapi-ts", cwd=directory)
    await run("node_modules/.bin/tsc", "--project", ".", cwd=directory)
    return Project(directory, said)


async def api_key(client: Client) -> str:
    scopes = ["images:read", "images:write", "jobs", "batches", "webhooks"]
    answer = await client.post("/accounts/me/keys", json={"name": "typescript", "scopes": scopes})
    return answer.json["key"]


async def test_clients_are_generated_without_a_warning(project: Project) -> None:
    assert "Done!" in project.output
    assert not [word for word in ("warn", "error", "missing", "⚠") if word in project.output.lower()]


@pytest.mark.parametrize("program", ["openapi-fetch", "hey-api"])
async def test_it_does_what_people_do(
    project: Project, shared_site: SharedSite, client: Client, photo: Path, program: str
) -> None:
    path = f"/{uuid4()}"
    situation = {
        "url": shared_site.site.url,
        "key": await api_key(client),
        "photo": str(photo),
        "photoUrl": shared_site.photo_server.serve(f"{path}.jpg", photo.read_bytes()),
        "hookUrl": shared_site.receiver.url(path),
    }
    said = await run("node", f"built/{program}.js", json.dumps(situation), cwd=project.directory)
    assert said.split() == ["done"]
    [event] = await shared_site.receiver.received(path)
    assert event.content["type"] == "batch.completed"

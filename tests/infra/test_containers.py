"""The container image and the Compose file, tested without a container engine."""

import asyncio
import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import pytest
import yaml

from apps.cli.main import main
from infra import make_secrets
from infra.local import programs
from infra.rabbitmq import render
from libs.settings import load_settings, setting_names
from libs.storage.objects import open_objects
from tests.support.ports import free_port
from tests.support.shared_sites import signed_in
from tests.support.site import running_site

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "infra/Dockerfile"
COMPOSE = ROOT / "docker-compose.yml"
APPS = {"api", "worker", "scheduler", "migrate", "operator"}
BUILD_S = 1800  # most of it is fetching packages
WRITABLE = "/tmp"  # noqa: S108 - the image's one folder to write to


def compose(environment: dict[str, str] | None = None) -> dict[str, Any]:
    """The file as Compose reads it, variables filled in."""
    text = COMPOSE.read_text()
    if environment is not None:
        text = re.sub(
            r"\$\{(\w+)(?::([-?])([^}]*))?\}",
            lambda found: environment.get(found[1]) or (found[3] if found[2] == "-" else ""),
            text,
        )
    return yaml.safe_load(text)


def services() -> dict[str, dict[str, Any]]:
    return compose()["services"]


def command_of(words: list[str]) -> list[str]:
    return words[1:] if words[:1] == ["CMD"] else words


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What `make secrets` writes."""
    folder = tmp_path_factory.mktemp("secrets")
    make_secrets.write(folder)
    lines = (folder / ".env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines)


def test_every_setting_they_name_exists() -> None:
    for path in (COMPOSE, DOCKERFILE):
        named = set(re.findall(r"DARKROOM_[A-Z0-9_]+", path.read_text())) - {"DARKROOM_"}
        assert named <= set(setting_names()), path
        assert named


def test_every_command_they_run_exists() -> None:
    ran = {name: service["command"][0] for name, service in services().items() if name in APPS}
    assert ran == {"api": "api", "worker": "worker", "scheduler": "scheduler", "migrate": "migrate",
                   "operator": "check"}  # fmt: skip
    assert set(ran.values()) <= set(main.commands)
    checks = re.findall(r'CMD \["darkroom", "(\w+)"\]', DOCKERFILE.read_text())
    assert checks == ["check"]
    assert set(checks) <= set(main.commands)
    assert 'ENTRYPOINT ["darkroom"]' in DOCKERFILE.read_text()


@pytest.mark.services
def test_every_health_check_runs_a_program_that_exists() -> None:
    ours = {"postgres": "pg_isready", "rabbitmq": "rabbitmq-diagnostics"}
    for name, service in services().items():
        words = command_of(cast("list[str]", service.get("healthcheck", {}).get("test", [])))
        if name in ours:
            assert words[0] == ours[name]
            assert programs.find(words[0]), words
        elif name == "api":
            compile(words[2], "healthcheck", "exec")
    port = str(free_port())
    epmd = subprocess.Popen([programs.need("epmd"), "-port", port, "-address", "127.0.0.1"])
    try:
        node = subprocess.run(
            [programs.need("rabbitmq-diagnostics"), "help", "check_running"],
            env={**os.environ, "ERL_EPMD_PORT": port},  # or it starts one that outlives it
            capture_output=True,
            text=True,
        )
    finally:
        epmd.kill()
        epmd.wait()
    assert "check_running" in node.stdout


def test_every_mounted_file_exists_or_is_generated() -> None:
    for service in services().values():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("./") and not source.startswith("./.secrets/"):
                assert (ROOT / source).exists(), source
    assert (ROOT / ".gitignore").read_text().count(".secrets/") == 1


def test_no_secret_has_a_default(secrets: dict[str, str]) -> None:
    variables = {name: how for name, how in re.findall(r"\$\{(\w+)(?::([-?]))?", COMPOSE.read_text())}
    assert {name for name, how in variables.items() if how == "?"} == (
        set(make_secrets.names()) - {"RABBITMQ_PRODUCER_PASSWORD", "RABBITMQ_CONSUMER_PASSWORD"}
    )
    assert {name for name, how in variables.items() if how != "?"} == {
        "API_PORT",
        "DELIVERY_PORT",
        "GRAFANA_PORT",
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "PROMETHEUS_PORT",
        "SENTRY_DSN",
        "FILES_URL",
        "STORE_HOST",
        "DARKROOM_PUBLIC_URL",
        "DARKROOM_CORS_ORIGINS",
    }
    values = [secrets[name] for name in make_secrets.names() if name not in make_secrets.NAMES]
    assert len(set(values)) == len(values)
    assert min(map(len, values)) >= 32


def test_existing_secrets_stay(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("# mine\nPOSTGRES_PASSWORD=chosen")
    make_secrets.write(tmp_path)
    first = (tmp_path / ".env").read_text()
    assert first.startswith("# mine\nPOSTGRES_PASSWORD=chosen\n")
    make_secrets.write(tmp_path)
    assert (tmp_path / ".env").read_text() == first
    other = tmp_path / "other"
    other.mkdir()
    make_secrets.write(other)
    assert stat.S_IMODE((other / ".env").stat().st_mode) == 0o600
    assert all(user in (other / ".secrets/definitions.json").read_text() for user in render.users())


def test_an_installation_with_minio_keeps_it(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("MINIO_DARKROOM_SECRET=from before\n")
    make_secrets.write(tmp_path)
    lines = (tmp_path / ".env").read_text().splitlines()
    environment = dict(line.split("=", 1) for line in lines)
    assert environment["COMPOSE_PROFILES"] == "minio"
    given = compose(environment)["services"]["api"]["environment"]["DARKROOM_OBJECTS_URL"]
    assert given.endswith("@minio:9000/darkroom?secure=false&public_url=http://localhost:9000")


def test_every_app_can_read_its_settings(secrets: dict[str, str], tmp_path: Path) -> None:
    for name, service in compose(secrets)["services"].items():
        if name not in APPS:
            continue
        given = {**service["environment"], "DARKROOM_DATA_DIR": str(tmp_path)}
        if name == "migrate":
            given["DARKROOM_BROKER_URL"] = "memory://"
        settings = load_settings(given)
        assert open_objects(settings.objects_url, tmp_path)
        assert settings.database_url.startswith("postgres://darkroom:")
        if name in render.users():
            assert settings.broker_url.startswith(f"amqp://{name}:{secrets[make_secrets.variable_of(name)]}@")


def test_the_apps_run_unprivileged_and_write_to_one_folder() -> None:
    for name in APPS:
        service = services()[name]
        assert (service["read_only"], service["init"], service["volumes"]) == (True, True, [WRITABLE])
        assert service["cap_drop"] == ["ALL"]
    assert re.search(r"^USER 10001$", DOCKERFILE.read_text(), re.MULTILINE)


def test_nothing_starts_before_what_it_needs() -> None:
    needs = {name: service.get("depends_on", {}) for name, service in services().items()}
    for app in ("api", "worker", "scheduler"):
        conditions = {other: need["condition"] for other, need in needs[app].items()}
        assert conditions == {
            "migrate": "service_completed_successfully",
            "store-setup": "service_completed_successfully",
            "minio-setup": "service_completed_successfully",
            "rabbitmq": "service_healthy",
        }
    assert needs["migrate"]["postgres"]["condition"] == "service_healthy"
    for store in ("store", "minio"):
        assert needs[f"{store}-setup"][store]["condition"] == "service_healthy"
    for name in ("postgres", "rabbitmq", "store", "minio"):
        image = services()[name]["image"]
        assert "healthcheck" in services()[name]
        assert ":" in image
        assert not image.endswith(":latest")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the image holds, made by the script that the Dockerfile runs, in a folder of its own."""
    folder = tmp_path_factory.mktemp("image") / "darkroom"
    steps = re.findall(r"^RUN (infra/\w+) (\S+)$", DOCKERFILE.read_text(), re.MULTILINE)
    assert steps == [("infra/build", "/opt/darkroom"), ("infra/sbom", "/opt/darkroom")]
    assert "COPY --from=build /opt/darkroom /opt/darkroom" in DOCKERFILE.read_text()
    # Compiling all packages takes longer than the few modules that these tests import.
    environment = {**os.environ, "PYTHON": sys.executable, "PYTHONPATH": "", "PIP_COMPILE": "0"}
    for step, _ in steps:
        subprocess.run([ROOT / step, folder], env=environment, check=True)
    return folder


@pytest.mark.services  # not that it needs them: it takes minutes
@pytest.mark.timeout(BUILD_S)
async def test_the_steps_of_the_image_make_a_darkroom_that_works(built: Path, tmp_path: Path) -> None:
    environment = {"PATH": os.defpath, "DARKROOM_DATA_DIR": str(tmp_path / "data")}

    async def run(program: str, *arguments: str) -> str:
        process = await asyncio.create_subprocess_exec(
            built / "bin" / program, *arguments, env=environment, cwd="/",
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, errors = await process.communicate()
        assert process.returncode == 0, errors.decode()
        return out.decode()

    await run("darkroom", "migrate")
    assert (await run("darkroom", "check")).count(" ok") == 4
    for command in ("api", "worker", "scheduler"):
        assert "Usage: darkroom" in await run("darkroom", command, "--help")
    await run("python", "-m", "pip", "check")
    listed = json.loads((built / "sbom.cdx.json").read_text())
    assert {"pillow", "litestar", "piccolo"} <= {component["name"] for component in listed["components"]}
    assert (await run("python", "-c", "import apps; print(apps.__file__)")).startswith(str(built))


@pytest.mark.services
@pytest.mark.timeout(BUILD_S)
async def test_the_program_of_the_image_renders(built: Path, photos: Path, tmp_path: Path) -> None:
    program = (str(built / "bin/darkroom"),)
    async with running_site("services", tmp_path / "site", program) as site, signed_in(site) as client:
        made = await client.upload(photos / "retina.jpg", [{"op": "resize", "width": 100}], wait_s=60)
    assert (made.status, made.json["status"]) == (201, "completed"), site.logs()

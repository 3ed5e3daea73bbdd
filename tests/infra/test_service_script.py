"""The script that brings the services of the tests, run for real beside the set that may be up already."""

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, cast

import aio_pika
import aiohttp
import asyncpg  # pyright: ignore[reportMissingTypeStubs]
import psutil
import pytest
from msgspec import Struct

from infra.local import network, processes
from infra.local.containers import engine_answers
from libs.storage.objects import open_objects
from tests.support.services import service_url

pytestmark = pytest.mark.services

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "infra/local/services"
NAMES = ("postgres", "rabbitmq", "s3")
WAYS = ("programs", "containers") if engine_answers() else ("programs",)
NO_ENGINE = {"DOCKER_HOST": "unix:///nonexistent"}
VARIABLES = {
    "DARKROOM_TEST_DATABASE_URL": "postgres://",
    "DARKROOM_TEST_BROKER_URL": "amqp://",
    "DARKROOM_TEST_RABBITMQ_MANAGEMENT_URL": "http://",
    "DARKROOM_TEST_OBJECTS_URL": "s3://",
}


def environment(folder: Path, way: str = "programs", **changes: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("DARKROOM_")}
    engine = NO_ENGINE if way == "programs" else {}
    return inherited | {"DARKROOM_SERVICES_DIR": str(folder)} | engine | changes


def services(command: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(SCRIPT), command], env=env, capture_output=True, text=True)


def succeed(command: str, env: dict[str, str]) -> str:
    done = services(command, env)
    assert done.returncode == 0, done.stderr
    return done.stdout


def variables(env: dict[str, str]) -> dict[str, str]:
    lines = map(shlex.split, succeed("env", env).splitlines())
    return dict(assignment.split("=", 1) for _, assignment in lines)


def record(folder: Path, name: str) -> dict[str, Any]:
    return json.loads((folder / f"{name}.json").read_text())


def pids(folder: Path, name: str) -> list[int]:
    """The server first."""
    return [process["pid"] for process in record(folder, name)["processes"]]


def ports(folder: Path) -> list[int]:
    return [port for name in NAMES for port in record(folder, name)["ports"].values()]


def docker(*arguments: str) -> list[str]:
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=True).stdout.split()


def servers(folder: Path) -> set[str]:
    """What runs: ids of processes, or of containers."""
    names = [record(folder, name)["container"] for name in NAMES]
    if all(names):
        return set(docker("inspect", "--format", "{{.Id}}", *names))
    return {str(pid) for name in NAMES for pid in pids(folder, name)}


def kill_all(folder: Path) -> None:
    names = [record(folder, name)["container"] for name in NAMES]
    if all(names):
        docker("kill", *names)
        return
    for name in NAMES:
        os.kill(pids(folder, name)[0], signal.SIGKILL)


def volumes_of(folder: Path) -> list[str]:
    names = filter(None, (record(folder, name)["container"] for name in NAMES))
    form = "{{range .Mounts}}{{println .Name}}{{end}}"
    return [volume for name in names for volume in docker("inspect", "--format", form, name)]


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def processes_of(folder: Path) -> list[int]:
    """All that were started in the folder, whatever they call themselves and whoever their parent is."""
    found: list[int] = []
    for process in psutil.process_iter(["cmdline", "cwd", "status"]):
        info = process.info
        text = " ".join([info["cwd"] or "", *(info["cmdline"] or [])])
        if str(folder) in text and info["status"] != psutil.STATUS_ZOMBIE:
            found.append(process.pid)
    return found


@contextmanager
def services_folder() -> Generator[Path]:
    """Make a folder in /var/tmp, where PostgreSQL's own user can go too."""
    folder = Path(tempfile.mkdtemp(prefix="darkroom-test-services-", dir="/var/tmp"))
    folder.chmod(0o755)
    try:
        yield folder
        for way in WAYS:
            succeed("down", environment(folder, way))
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def folder() -> Iterator[Path]:
    with services_folder() as folder:
        yield folder


async def all_serve(urls: dict[str, str], scratch: Path) -> None:
    database = cast(Any, await asyncpg.connect(urls["DARKROOM_TEST_DATABASE_URL"]))
    assert await database.fetchval("select 1") == 1
    assert await database.fetchval("show max_connections") == "300"
    await database.close()
    async with await aio_pika.connect(urls["DARKROOM_TEST_BROKER_URL"]) as connection:
        assert not (await connection.channel()).is_closed
    management = urls["DARKROOM_TEST_RABBITMQ_MANAGEMENT_URL"]
    async with aiohttp.ClientSession() as session, session.get(f"{management}/api/vhosts") as response:
        assert [vhost["name"] for vhost in await response.json()] == ["/"]
    objects = open_objects(urls["DARKROOM_TEST_OBJECTS_URL"], scratch)
    source = scratch / "source"
    source.write_bytes(b"pixels")
    await objects.put("a", source, content_type="image/png", metadata={})
    async with objects.read("a") as chunks:
        assert [chunk async for chunk in chunks] == [b"pixels"]
    await objects.close()


@pytest.mark.parametrize("way", WAYS)
async def test_services_start_are_replaced_when_killed_and_leave_nothing_behind(
    way: str, folder: Path, tmp_path: Path
) -> None:
    env = environment(folder, way)
    assert services("status", env).returncode == 1
    assert services("env", env).returncode == 1

    first = succeed("up", env)
    assert [line.split()[:2] for line in first.splitlines()] == [[name, "up"] for name in NAMES]
    assert [bool(record(folder, name)["container"]) for name in NAMES] == [way == "containers"] * 3
    assert succeed("status", env) == first
    urls = variables(env)
    assert {name: urls[name].partition("//")[0] + "//" for name in urls} == VARIABLES
    await all_serve(urls, tmp_path)

    before = servers(folder)
    assert succeed("up", env | urls) == first, "the script's own URLs, once exported, change nothing"
    assert servers(folder) == before

    kill_all(folder)
    assert services("status", env).returncode == 1
    succeed("up", env)
    assert not before & servers(folder)
    assert variables(env) == urls, "a replaced service has the same URL"
    await all_serve(urls, tmp_path)

    containers = [record(folder, name)["container"] for name in NAMES]
    volumes = volumes_of(folder)
    assert bool(volumes) == (way == "containers")
    taken = ports(folder)
    succeed("down", env)
    assert processes_of(folder) == []
    listening = [port for port in taken if network.accepts(network.HOST, port)]
    assert listening == [], "a daemon hides its folder, not its port"
    assert names_in(folder) == ["lock"]
    if way == "containers":
        assert not set(docker("ps", "--all", "--format", "{{.Names}}")) & set(containers)
        assert not set(docker("volume", "ls", "--quiet")) & set(volumes)
    assert succeed("down", env) == ""


class RunningSet(Struct, frozen=True):
    """A set of services that several tests use, and what two commands said that started it at once."""

    folder: Path
    exit_codes: list[int]
    outputs: list[str]


@pytest.fixture(scope="module")
def running_set() -> Iterator[RunningSet]:
    """A set that is up; each test leaves it so."""
    with services_folder() as folder:
        command = [sys.executable, str(SCRIPT), "up"]
        both = [
            subprocess.Popen(
                command, env=environment(folder), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            )
            for _ in range(2)
        ]
        outputs = [one.communicate()[0] for one in both]
        yield RunningSet(folder, [one.returncode for one in both], outputs)


def test_two_concurrent_runs_start_one_set_of_services(running_set: RunningSet) -> None:
    assert running_set.exit_codes == [0, 0]
    assert running_set.outputs[0] == running_set.outputs[1]


def test_an_epmd_that_died_is_replaced(running_set: RunningSet) -> None:
    folder = running_set.folder
    node, epmd = pids(folder, "rabbitmq")
    os.kill(epmd, signal.SIGKILL)
    succeed("up", environment(folder))
    assert len({node, epmd, *pids(folder, "rabbitmq")}) == 4


async def test_a_server_that_is_given_is_used_and_left_running(
    running_set: RunningSet, folder: Path, tmp_path: Path
) -> None:
    given = variables(environment(running_set.folder))
    env = environment(folder) | given
    assert [line.split()[1:4] for line in succeed("up", env).splitlines()] == [["up", "given", "by"]] * 3
    assert variables(env) == given
    assert names_in(folder) == ["lock"]
    before = servers(running_set.folder)
    assert succeed("down", env) == ""
    assert servers(running_set.folder) == before
    await all_serve(given, tmp_path)


def test_a_state_folder_that_postgres_cannot_enter_works(folder: Path) -> None:
    private = folder / "private"
    private.mkdir(mode=0o700)
    others = {name: os.environ[name] for name in VARIABLES if "DATABASE" not in name}
    env = environment(private, **others)
    succeed("up", env)
    data = Path(json.loads((private / "postgres.json").read_text())["folder"])
    succeed("down", env)
    assert not data.exists()
    assert processes_of(data) == processes_of(private) == []


def test_a_broker_that_is_given_without_its_management_is_refused(folder: Path) -> None:
    done = services("up", environment(folder, DARKROOM_TEST_BROKER_URL=service_url("BROKER")))
    assert done.returncode == 1
    message = "DARKROOM_TEST_BROKER_URL is set, but DARKROOM_TEST_RABBITMQ_MANAGEMENT_URL is not"
    assert done.stderr.startswith(message)
    assert names_in(folder) == ["lock"]


def test_a_given_server_that_does_not_answer_is_reported_without_its_secret(folder: Path) -> None:
    url = "s3://key:s3cret@127.0.0.1:9/bucket?secure=false"
    done = services("up", environment(folder, DARKROOM_TEST_OBJECTS_URL=url))
    assert done.returncode == 1
    assert "DARKROOM_TEST_OBJECTS_URL is set, but nothing answers at 127.0.0.1:9" in done.stderr
    assert "s3cret" not in done.stdout + done.stderr
    assert processes_of(folder) == []


def test_missing_programs_are_named_with_the_way_to_get_them(folder: Path, tmp_path: Path) -> None:
    done = services("up", environment(folder, DARKROOM_SERVICES_PATH=str(tmp_path)))
    assert done.returncode == 1
    assert "postgres: not found: initdb, postgres" in done.stderr
    assert "rabbitmq: not found: rabbitmq-server, erl, epmd" in done.stderr
    assert "s3: not found: rclone" in done.stderr
    assert "make install" in done.stderr
    assert names_in(folder) == ["lock"]


GUARDS = (Path("/etc/postgresql-common/createcluster.d/darkroom.conf"), Path("/usr/sbin/policy-rc.d"))
APT_GET = """\
#!/bin/sh
echo "$*" >>calls
ls {guards} >>calls
case "$*" in *update) touch lists ;; *) [ -e lists ] ;; esac
"""


def guards() -> list[bytes | bool]:
    """What keeps packages from starting services, and whether there are folders for it."""
    paths = [path for guard in GUARDS for path in (guard, guard.parent, guard.parent.parent)]
    return [path.read_bytes() if path.is_file() else path.exists() for path in paths]


@pytest.mark.parametrize(
    ("given", "packages"),
    [
        ((), "postgresql rabbitmq-server"),
        (tuple(VARIABLES), "chromium amqp-tools rabbitmq-server postgresql-client"),
    ],
)
def test_missing_packages_are_installed_without_starting_their_services(
    folder: Path, tmp_path: Path, given: tuple[str, ...], packages: str
) -> None:
    """The stand-in has no package lists until `update`, and then installs nothing. Only root calls it."""
    apt_get = tmp_path / "apt-get"
    apt_get.write_text(APT_GET.format(guards=" ".join(map(str, GUARDS))))
    apt_get.chmod(0o755)
    before = guards()
    env = environment(
        folder, DARKROOM_SERVICES_PATH=str(tmp_path), **{name: os.environ[name] for name in given}
    )
    subprocess.run([sys.executable, str(SCRIPT), "up"], env=env, cwd=tmp_path)
    assert guards() == before
    always, during = "-o DPkg::Lock::Timeout=300 -qq", list(map(str, GUARDS))
    install = f"{always} install --yes --no-install-recommends {packages}"
    expected = [*(install, *during), *(f"{always} update", *during), *(install, *during)]
    calls = tmp_path / "calls"
    assert (calls.read_text().splitlines() if calls.exists() else []) == (
        expected if os.geteuid() == 0 else []
    )


def test_a_recorded_process_id_that_now_is_another_process_is_left_alone(folder: Path) -> None:
    with subprocess.Popen(["sleep", "60"]) as bystander:
        record = {
            "folder": str(folder / "s3"),
            "ports": {"s3": 1},
            "processes": [{"pid": bystander.pid, "started": "0"}],
        }
        (folder / "s3.json").write_text(json.dumps(record))
        succeed("down", environment(folder))
        assert bystander.poll() is None
        bystander.kill()


LEADERLESS = """
import ctypes, socket, sys, threading
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print("listens", flush=True)
threading.Thread(target=server.accept).start()
ctypes.CDLL(None).pthread_exit(None)
"""


def test_a_process_that_is_a_zombie_but_for_one_thread_is_stopped_with_its_port() -> None:
    port = network.free_port()
    command = [sys.executable, "-c", LEADERLESS, str(port)]
    with ExitStack() as stack:
        zombie = stack.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE))
        stack.callback(zombie.kill)
        assert zombie.stdout is not None
        assert zombie.stdout.readline() == b"listens\n"
        while psutil.Process(zombie.pid).status() != psutil.STATUS_ZOMBIE:
            time.sleep(0.01)
        process = processes.Process(zombie.pid, processes.started_at(zombie.pid) or "")
        assert processes.is_alive(process)
        assert not network.is_free(port)
        processes.stop(process, signal.SIGKILL)
        assert not processes.is_alive(process)
        assert network.is_free(port)


@pytest.mark.parametrize("arguments", [[], ["start"], ["up", "down"]])
def test_a_wrong_command_shows_the_usage(folder: Path, arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), *arguments], env=environment(folder), capture_output=True, text=True
    )
    assert done.returncode == 2
    assert done.stderr.startswith("usage: infra/local/services up | down | status | env")


@pytest.mark.skipif(os.geteuid() != 0, reason="run by anyone but root, all the other tests show it")
def test_an_ordinary_user_can_run_it(folder: Path) -> None:
    """A copy of the script, started by `nobody`, with an interpreter that `nobody` may run."""
    python = shutil.which("python3", path="/usr/bin:/usr/local/bin")
    if (
        python is None
        or subprocess.run([python, "-c", "import sys; sys.exit(sys.version_info < (3, 11))"]).returncode
    ):
        pytest.skip("this machine has no system-wide Python 3.11")
    shutil.copytree(SCRIPT.parent, folder / "infra/local")
    shutil.copy(Path(sys.executable).parent / "rclone", folder / "infra/local/rclone")
    state = folder / "state"
    state.mkdir()
    shutil.chown(state, "nobody")
    env = environment(state, PATH=f"{folder}/infra/local:/usr/bin:/bin", HOME="/nonexistent")
    run = [python, str(folder / "infra/local/services")]
    up = subprocess.run(
        [*run, "up"], env=env, user="nobody", group="nogroup", extra_groups=[], capture_output=True
    )
    owners = {psutil.Process(pid).username() for pid in processes_of(state)}
    down = subprocess.run([*run, "down"], env=env, user="nobody", group="nogroup", extra_groups=[])
    assert (up.returncode, down.returncode) == (0, 0), up.stderr
    assert owners == {"nobody"}
    assert processes_of(state) == []

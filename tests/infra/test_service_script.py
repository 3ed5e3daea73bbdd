"""The script that brings the services of the tests, run for real beside the set that may be up already."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, cast

import aio_pika
import aiohttp
import asyncpg  # pyright: ignore[reportMissingTypeStubs]
import psutil
import pytest
from msgspec import Struct

from infra.local import network, processes
from libs.storage.objects import open_objects
from tests.infra.services_folder import (
    NAMES,
    SCRIPT,
    VARIABLES,
    WAYS,
    docker,
    environment,
    names_in,
    pids,
    processes_of,
    record,
    servers,
    services,
    services_folder,
    succeed,
    variables,
)

pytestmark = pytest.mark.services


def ports(folder: Path) -> list[int]:
    return [port for name in NAMES for port in record(folder, name)["ports"].values()]


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


async def all_serve(urls: dict[str, str], scratch: Path) -> None:
    database = cast(Any, await asyncpg.connect(urls["DARKROOM_TEST_DATABASE_URL"]))
    assert await database.fetchval("select 1") == 1
    assert await database.fetchval("show max_connections") == "600"
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

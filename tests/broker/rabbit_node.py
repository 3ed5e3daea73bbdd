"""A RabbitMQ node that tests may kill."""

import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import mkdtemp

from aio_pika import connect

from libs.broker.rabbit import RabbitBroker
from tests.support.ports import free_ports
from tests.support.waiting import WAIT_S

HOST = "127.0.0.1"
ANSWERS = "answers"


class RabbitNode:
    """Keeps its data in `folder` from one start to the next. Its epmd runs until `remove`.

    With `definitions` it has those users only.
    """

    def __init__(self, folder: Path, definitions: str | None = None) -> None:
        self._folder = folder
        self._port, distribution, epmd = free_ports(3)
        self.url = f"amqp://guest:guest@{HOST}:{self._port}/"
        self._env = _environment(folder, distribution, epmd)
        settings = f"listeners.tcp.1 = {HOST}:{self._port}\ndisk_free_limit.absolute = 50MB\n"
        if definitions is not None:
            (folder / "definitions.json").write_text(definitions)
            settings += f"load_definitions = {folder}/definitions.json\n"
        (folder / "rabbitmq.conf").write_text(settings)
        (folder / "enabled_plugins").write_text("[].\n")
        self._server: subprocess.Popen[bytes] | None = None
        self._epmd = self._run([str(_find("epmd")), "-port", str(epmd), "-address", HOST])

    def url_of(self, user: str, password: str) -> str:
        return f"amqp://{user}:{password}@{HOST}:{self._port}/"

    async def start(self) -> None:
        """Start the node and wait until it speaks AMQP; do nothing when it runs."""
        if self._server is None:
            self._server = self._run([str(_find("rabbitmq-server"))])
        async with asyncio.timeout(WAIT_S):
            while not await self._answers():
                assert self._server.poll() is None, (self._folder / "log").read_text()
                await asyncio.sleep(0.1)

    async def kill(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.kill()
            await asyncio.to_thread(server.wait)

    async def stop(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.terminate()
            await asyncio.to_thread(server.wait)

    async def control(self, *arguments: str) -> None:
        """Run `rabbitmqctl` with these arguments."""
        done = self._run([str(_find("rabbitmqctl")), *arguments])
        assert await asyncio.to_thread(done.wait) == 0, (self._folder / "log").read_text()

    async def remove(self) -> None:
        await self.kill()
        self._epmd.kill()
        await asyncio.to_thread(self._epmd.wait)
        shutil.rmtree(self._folder)

    def _run(self, command: list[str]) -> subprocess.Popen[bytes]:
        with (self._folder / "log").open("ab") as log:
            return subprocess.Popen(
                command,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    async def _answers(self) -> bool:
        try:
            reader, writer = await asyncio.open_connection(HOST, self._port)
        except OSError:
            return False
        try:
            writer.write(b"AMQP\0\0\x09\x01")
            return bool(await reader.read(1))
        except OSError:
            return False
        finally:
            writer.transport.abort()


@asynccontextmanager
async def prepared_node() -> AsyncGenerator[RabbitNode]:
    """A node with the topology and the durable queue `ANSWERS`, stopped in order once.

    RabbitMQ writes the list of its queues some seconds late: a quorum queue that is declared right
    before a kill never gets a leader again, another one is gone.
    """
    node = RabbitNode(Path(mkdtemp(prefix="darkroom-crash-")))
    await node.start()
    broker = await RabbitBroker.connect(node.url)
    await broker.close()
    async with await connect(node.url) as connection:
        await (await connection.channel()).declare_queue(ANSWERS, durable=True)
    await node.stop()
    try:
        yield node
    finally:
        await node.remove()


def _environment(folder: Path, distribution: int, epmd: int) -> dict[str, str]:
    return {
        "PATH": os.pathsep.join((os.environ.get("PATH", ""), os.defpath)),
        "LC_ALL": "C.UTF-8",
        "HOME": str(folder),  # where Erlang looks for the cookie
        "ERL_EPMD_PORT": str(epmd),
        "ERL_EPMD_ADDRESS": HOST,
        "RABBITMQ_NODENAME": "darkroom-crash@localhost",
        "RABBITMQ_DIST_PORT": str(distribution),
        "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
        "RABBITMQ_LOG_BASE": str(folder / "logs"),
        "RABBITMQ_PID_FILE": str(folder / "pid"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq"),
        "RABBITMQ_GENERATED_CONFIG_DIR": str(folder / "generated"),
        "RABBITMQ_CONF_ENV_FILE": os.devnull,
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        "RUNNING_UNDER_SYSTEMD": "true",  # the script then becomes the node instead of minding it
    }


def _find(program: str) -> Path:
    """Debian's /usr/sbin/rabbitmq-server changes the user and loses the environment: avoid it."""
    places = [
        *Path("/usr/lib/rabbitmq/lib").glob("rabbitmq_server-*/sbin"),
        *Path("/opt").glob("rabbitmq*/sbin"),
    ]
    found = shutil.which(program, path=os.pathsep.join(map(str, places))) or shutil.which(program)
    assert found, f"{program} is not installed"
    return Path(found)

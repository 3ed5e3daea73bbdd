"""A RabbitMQ node with its own epmd (Erlang's port mapper) and its own cookie."""

import os
import secrets
import signal
import tempfile
from pathlib import Path

from infra.local import network, processes, programs
from infra.local.record import Record
from infra.local.service import Container

MANAGEMENT = "DARKROOM_TEST_RABBITMQ_MANAGEMENT_URL"
CONFIG = """\
listeners.tcp.1 = 127.0.0.1:{amqp}
management.tcp.ip = 127.0.0.1
management.tcp.port = {management}
disk_free_limit.absolute = 100MB
vm_memory_high_watermark.absolute = 1GB
log.console = true
log.file = false
"""


class RabbitMQ:
    """The RabbitMQ service."""

    name = "rabbitmq"
    variable = "DARKROOM_TEST_BROKER_URL"
    further_variables: tuple[str, ...] = (MANAGEMENT,)
    programs: tuple[str, ...] = ("rabbitmq-server", "erl", "epmd")
    packages: tuple[str, ...] = ("rabbitmq-server",)
    advice = "install RabbitMQ 3.10 or newer"
    ports: tuple[str, ...] = ("amqp", "management", "distribution", "epmd")

    def make_folder(self, inside: Path) -> Path:
        return Path(tempfile.mkdtemp(prefix="darkroom-rabbitmq-", dir=inside))

    def start(self, record: Record) -> None:
        folder = Path(record.folder)
        _configure(folder, record.ports)
        env = _env(folder, record.ports)
        log = folder / "log"
        epmd = [str(programs.need("epmd")), "-port", str(record.ports["epmd"]), "-address", network.HOST]
        mapper = processes.start(epmd, folder=folder, env=env, log=log)
        record.processes[:] = [mapper]
        server = str(programs.need("rabbitmq-server"))
        record.processes.insert(0, processes.start([server], folder=folder, env=env, log=log))

    def stop(self, record: Record) -> None:
        """Kill the processes: an orderly stop takes six seconds, and no data are kept."""
        for process in record.processes:
            processes.stop(process, signal.SIGKILL)

    def answers(self, record: Record) -> bool:
        ports = record.ports
        return network.speaks_amqp(ports["amqp"]) and network.speaks_http(ports["management"])

    def exports(self, record: Record) -> dict[str, str]:
        ports = record.ports
        return {
            self.variable: f"amqp://guest:guest@{network.HOST}:{ports['amqp']}/",
            MANAGEMENT: f"http://guest:guest@{network.HOST}:{ports['management']}",
        }

    def container(self, record: Record) -> Container:
        return Container(
            image="rabbitmq:3.13-management-alpine", ports={"amqp": 5672, "management": 15672}, env={}
        )


def _configure(folder: Path, ports: dict[str, int]) -> None:
    cookie = folder / ".erlang.cookie"
    cookie.touch(mode=0o600)
    cookie.write_text(secrets.token_hex(16))
    cookie.chmod(0o400)  # Erlang requires it
    (folder / "rabbitmq.conf").write_text(CONFIG.format(**ports))
    (folder / "enabled_plugins").write_text("[rabbitmq_management].\n")


def _env(folder: Path, ports: dict[str, int]) -> dict[str, str]:
    erl = programs.need("erl").parent
    return {
        "PATH": os.pathsep.join((str(erl), os.environ.get("PATH", ""), os.defpath)),
        "LC_ALL": "C.UTF-8",
        "HOME": str(folder),  # Erlang reads the cookie here
        "ERL_EPMD_PORT": str(ports["epmd"]),
        "ERL_EPMD_ADDRESS": network.HOST,
        "RABBITMQ_NODENAME": "darkroom-test@localhost",
        "RABBITMQ_DIST_PORT": str(ports["distribution"]),
        "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
        "RABBITMQ_LOG_BASE": str(folder / "logs"),
        "RABBITMQ_PID_FILE": str(folder / "pid"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq"),
        "RABBITMQ_ADVANCED_CONFIG_FILE": str(folder / "advanced"),
        "RABBITMQ_GENERATED_CONFIG_DIR": str(folder / "generated"),
        "RABBITMQ_CONF_ENV_FILE": os.devnull,
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        "RUNNING_UNDER_SYSTEMD": "true",  # makes the script replace itself with the node
    }

"""Programs and servers that the services' script needs and does not find."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.infra.services_folder import SCRIPT, VARIABLES, environment, names_in, processes_of, services
from tests.support.services import service_url

pytestmark = pytest.mark.services

GUARDS = (Path("/etc/postgresql-common/createcluster.d/darkroom.conf"), Path("/usr/sbin/policy-rc.d"))
APT_GET = """\
#!/bin/sh
echo "$*" >>calls
ls {guards} >>calls
case "$*" in *update) touch lists ;; *) [ -e lists ] ;; esac
"""


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


def guards() -> list[bytes | bool]:
    """What keeps packages from starting services, and whether there are folders for it."""
    paths = [path for guard in GUARDS for path in (guard, guard.parent, guard.parent.parent)]
    return [path.read_bytes() if path.is_file() else path.exists() for path in paths]


@pytest.mark.parametrize(
    ("given", "packages"),
    [
        ((), "postgresql rabbitmq-server"),
        (tuple(VARIABLES), "chromium amqp-tools rabbitmq-server postgresql-client nginx-light prometheus"),
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

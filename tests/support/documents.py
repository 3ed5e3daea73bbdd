"""The command blocks of the documents, and a shell that runs them as a reader pastes them."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from tests.support.waiting import WAIT_S

ROOT = Path(__file__).parents[2]
PAGES = {
    str(path.relative_to(ROOT)): path.read_text()
    for path in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md")))
}

NOT_RUN = {
    "needs=make": "starts the server or the tests themselves: test_make_run.py runs `make run`",
    "needs=services": "starts the three processes apart: every site of the kind `services` does",
    "needs=docker": "no container engine is at hand where the tests run",
    "needs=cluster": "no Kubernetes is at hand: test_kubernetes.py renders and validates all",
    "needs=minio": "a file is stored by hand in the console: test_amqp_examples.py runs the same script",
}
"""The marks of command blocks that are not run, with the reason."""

ON_MACHINES = ("on=web", "on=work")
"""The marks of command blocks for one machine of several: test_three_machines.py runs them."""

LOCAL_ADDRESS = "http://127.0.0.1:8000"  # of `make run`
NO_COMMANDS = {
    *("text", "json", "csv", "http", "python", "nginx", "caddy", "yaml", "js", "php", "go", "ruby", "bash"),
    "mermaid",
}

BLOCK = re.compile(r"^(?P<indent> *)```(?P<info>[^\n]*)\n(?P<text>.*?)^ *```$", re.MULTILINE | re.DOTALL)

CURL = """
curl() {
  case "$*" in
    */accounts/register*) command curl "$@" ;;  # 409 when an earlier page has registered the account
    *) command curl --fail-with-body "$@" ;;
  esac
}
"""
"""An answer of 400 or more ends the script."""


class Block(Struct, frozen=True):
    """A fenced block: the words behind the fence, and its lines without their indent."""

    info: str
    text: str

    @property
    def is_run(self) -> bool:
        return self.info == "sh"


def blocks(page: str) -> list[Block]:
    """Every fenced block of a page, in order."""
    found: list[Block] = []
    for block in BLOCK.finditer(PAGES[page]):
        lines = [line.removeprefix(block["indent"]) for line in block["text"].splitlines()]
        found.append(Block(block["info"], "\n".join(lines)))
    return found


def script(page: str, variables: Mapping[str, str]) -> str:
    """All commands of a page that can run here; `variables` replace the literals that the page sets."""
    text = "\n".join(block.text for block in blocks(page) if block.is_run)
    for name, value in variables.items():
        text = re.sub(rf"(?<![\w$]){name}=(?![$'\"(])\S+", lambda _, at=f"{name}={value}": at, text)
    return text


async def run_as_pasted(commands: str, directory: Path, environment: Mapping[str, str]) -> str:
    """Run commands in a folder that looks like the root of the repository; return what they print."""
    for name, target in ((".venv", Path(sys.prefix)), ("docs", ROOT / "docs")):
        (directory / name).symlink_to(target)
    path = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    process = await asyncio.create_subprocess_exec(
        "bash", "-euo", "pipefail", "-c", CURL + commands,
        cwd=directory, env={**environment, "PATH": path}, start_new_session=True,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        out, errors = await asyncio.wait_for(process.communicate(), WAIT_S)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == 0, f"{errors.decode()}\n{out.decode()}"
    return out.decode()

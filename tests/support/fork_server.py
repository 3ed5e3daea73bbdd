"""A program that has imported Darkroom and forks: a process of a site starts without a second of imports.

A connection to its Unix socket takes one request, a JSON line. The response is a line with the process id and
a line with the return code at its end, as `subprocess` gives it. The program ends with its input.
"""

import gc
import importlib
import json
import os
import runpy
import selectors
import signal
import socket
import sys
from types import FrameType
from typing import TypedDict

MODULE = "apps.cli"
PRELOADED = (
    "apps.cli.main",
    "apps.embedded.serve",
    "apps.api.server",
    "apps.worker.consumer",
    "apps.scheduler.scheduler",
    "litestar.plugins.pydantic",  # which an application imports when it is made
    "libs.edits.openai_images",  # which a worker imports for its first edit
    "openai.resources.images",
)
MAX_FILES = 1024


class Request(TypedDict):
    """What to run: `darkroom` with these arguments."""

    arguments: list[str]
    environment: dict[str, str]
    directory: str
    log: str  # a file to append its output to
    errors: str  # a file to append its standard error to; may be the same
    typed: str  # a file that is its standard input


def main(path: str, ready: int) -> None:
    """Close the file descriptor `ready` when requests are taken; run one in each forked process."""
    for module in PRELOADED:
        importlib.import_module(module)
    gc.freeze()  # a collection in a forked process does not copy these pages
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(64)
        os.close(ready)
        request = _serve(listener)
    if request is not None:
        _become(request)
        runpy.run_module(MODULE, run_name="__main__", alter_sys=True)


def _serve(listener: socket.socket) -> Request | None:
    """Return a request in the process that runs it, and None in this one at its end."""
    children: dict[int, socket.socket] = {}
    ended, wake_up = os.pipe()
    os.set_blocking(wake_up, False)
    os.set_blocking(ended, False)
    signal.signal(signal.SIGCHLD, _wake_up)
    signal.set_wakeup_fd(wake_up)
    with selectors.DefaultSelector() as selector:
        for source in (listener, ended, sys.stdin.fileno()):
            selector.register(source, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fd == sys.stdin.fileno():
                    return None
                if key.fd == ended:
                    os.read(ended, 4096)
                    _report_ended(children)
                    continue
                connection, _ = listener.accept()
                request: Request = json.loads(connection.makefile().readline())
                pid = os.fork()
                if pid == 0:
                    signal.set_wakeup_fd(-1)
                    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                    return request
                children[pid] = connection
                connection.sendall(b"%d\n" % pid)


def _wake_up(number: int, frame: FrameType | None) -> None:
    """Let Python write to the wake-up pipe, which it does for handled signals."""


def _report_ended(children: dict[int, socket.socket]) -> None:
    while children:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        with children.pop(pid) as connection:
            _send(connection, b"%d\n" % os.waitstatus_to_exitcode(status))


def _send(connection: socket.socket, data: bytes) -> None:
    try:
        connection.sendall(data)
    except OSError:
        return  # whoever asked has ended


def _become(request: Request) -> None:
    """Take over the request's environment, as a process of its own that has opened nothing else."""
    os.setsid()
    os.dup2(os.open(request["typed"], os.O_RDONLY), 0)
    for stream, path in ((1, request["log"]), (2, request["errors"])):
        os.dup2(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644), stream)
    os.closerange(3, MAX_FILES)
    os.chdir(request["directory"])
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.argv[1:] = request["arguments"]


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))

"""Structured logs: one line an event, with the ids of its request and job."""

import json
import logging
import sys
from contextlib import suppress
from typing import Literal

import msgspec
import structlog
from structlog.types import EventDict, Processor

from libs.runtime.error_reports import report_error
from libs.runtime.tracing import add_trace_id

NOISY = ("aiormq", "aio_pika", "aiosqlite", "asyncio", "PIL", "uvicorn.access")


def configure_logs(form: Literal["auto", "json", "console"]) -> None:
    """Write all logs to standard error; `auto` is readable text on a terminal and JSON elsewhere.

    Darkroom's own events do not pass through the standard library's `logging`, which takes twice as long.
    """
    readable = form == "console" or (form == "auto" and sys.stderr.isatty())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        add_trace_id,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        report_error,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        *([] if readable else [structlog.processors.format_exc_info]),
    ]
    renderer: Processor = _console() if readable else _json
    structlog.configure(
        processors=[*shared, renderer],
        logger_factory=_Lines,
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.INFO)
    for name in ("uvicorn", "uvicorn.error"):
        logging.getLogger(name).handlers = []
        logging.getLogger(name).propagate = True
    for name in NOISY:
        logging.getLogger(name).setLevel(logging.ERROR)


class _Lines:
    """The logger below structlog's: it writes each event, which is text by then, as one line."""

    def __init__(self, name: str = "") -> None:
        self.name = name

    def msg(self, line: str) -> None:
        """Write a line; where standard error is full or gone, the line is lost and the work goes on."""
        with suppress(OSError, ValueError):
            sys.stderr.write(f"{line}\n")
            sys.stderr.flush()

    debug = info = warning = error = critical = exception = msg


def _json(_: object, __: str, event: EventDict) -> str:
    try:
        return msgspec.json.format(msgspec.json.encode(event, enc_hook=repr), indent=0).decode()
    except (
        UnicodeEncodeError,
        TypeError,
        ValueError,
        OverflowError,
    ):  # a lone surrogate, a key that is no text
        return json.dumps(event, default=repr, skipkeys=True)


def _console() -> structlog.dev.ConsoleRenderer:
    """Return a renderer with plain tracebacks: the default shows local variables, passwords included."""
    return structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)

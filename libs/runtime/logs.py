"""Structured logs: one line an event, with the ids of its request and job."""

import logging
import sys
from typing import Literal

import structlog
from structlog.types import Processor

NOISY = ("aiormq", "aio_pika", "aiosqlite", "asyncio", "PIL", "uvicorn.access")


def configure_logs(form: Literal["auto", "json", "console"]) -> None:
    """Write all logs to standard error; `auto` is readable text on a terminal and JSON elsewhere."""
    readable = form == "console" or (form == "auto" and sys.stderr.isatty())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        *([] if readable else [structlog.processors.format_exc_info]),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _console() if readable else structlog.processors.JSONRenderer(),
            ],
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


def _console() -> structlog.dev.ConsoleRenderer:
    """Return a renderer with plain tracebacks: the default shows local variables, passwords included."""
    return structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)

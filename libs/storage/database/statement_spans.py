"""Spans of statements, with the names and attributes of OpenTelemetry's conventions for databases."""

from contextlib import AbstractContextManager
from typing import Literal

from libs.runtime import tracing

MAX_TEXT = 2000  # characters of a statement that a span keeps; values are never among them


def statement_span(system: Literal["postgresql", "sqlite"], query: str) -> AbstractContextManager[object]:
    """Open the span of a statement, inside of one that is open."""
    if not tracing.is_on():
        return tracing.OFF
    verb = query.split(None, 1)[0].upper() if query.strip() else "STATEMENT"
    attributes = {"db.system.name": system, "db.operation.name": verb, "db.query.text": query[:MAX_TEXT]}
    return tracing.inside(f"{verb} {system}", "client", attributes)

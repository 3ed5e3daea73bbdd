"""Spans of messages, with the names and attributes of OpenTelemetry's conventions for messaging.

The publisher's span is the parent of the consumer's: one trace leads from a request through its jobs.
"""

from contextlib import AbstractContextManager

from libs.broker.port import BrokerMessage
from libs.contracts.topology import JOBS, Route
from libs.runtime import tracing


def publishing(
    system: str, route: Route, message_id: str, *, made_by: str | None, is_one_of_many: bool
) -> AbstractContextManager[tracing.Span]:
    """Open the span of a message to workers: below the current one, else below `made_by`.

    One of many jobs that `made_by` made has a trace of its own, with a link to that span.
    """
    if not tracing.is_on():
        return tracing.OFF
    where = f"{JOBS}:{route.value}"
    attributes = {
        **_common(system, where, message_id),
        "messaging.operation.name": "publish",
        "messaging.operation.type": "send",
        "messaging.rabbitmq.destination.routing_key": route.value,
    }
    parent = None if is_one_of_many else tracing.traceparent() or made_by
    link = made_by if is_one_of_many else None
    return tracing.entry(f"publish {where}", "producer", parent=parent, link=link, attributes=attributes)


def processing(system: str, route: Route, message: BrokerMessage) -> AbstractContextManager[tracing.Span]:
    """Open the span of a received message, below the one that its header `traceparent` names."""
    if not tracing.is_on():
        return tracing.OFF
    attributes = {
        **_common(system, route.queue, message.message_id or ""),
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.message.body.size": len(message.body),
    }
    parent = message.headers.get(tracing.HEADER)
    return tracing.entry(f"process {route.queue}", "consumer", parent=parent, attributes=attributes)


def _common(system: str, destination: str, message_id: str) -> dict[str, str | int | float]:
    return {
        "messaging.system": system,
        "messaging.destination.name": destination,
        "messaging.message.id": message_id,
    }

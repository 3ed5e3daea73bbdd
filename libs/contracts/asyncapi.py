"""The AMQP interface as AsyncAPI 3: orders, replies and events."""

import sys
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from libs import __version__
from libs.contracts.events import BatchCompleted, ImageDeleted, JobEnded, OrderRefused
from libs.contracts.orders import EditOrder, IngestOrder, TransformOrder
from libs.contracts.topology import EVENTS, JOBS, JOBS_OF, MAX_BODY_BYTES, Route

BINDING = "0.3.0"
TRANSFORM, INGEST, EDIT = "transformOrder", "ingestOrder", "editOrder"
ENDED, REFUSED, DELETED, BATCH = "jobEnded", "orderRefused", "imageDeleted", "batchCompleted"
MESSAGES: dict[str, tuple[type[Struct], str]] = {
    TRANSFORM: (TransformOrder, "transform.v1"),
    INGEST: (IngestOrder, "ingest.v1"),
    EDIT: (EditOrder, "edit.v1"),
    ENDED: (JobEnded, "job.completed, job.failed, job.cancelled"),
    REFUSED: (OrderRefused, "order.refused"),
    DELETED: (ImageDeleted, "image.deleted"),
    BATCH: (BatchCompleted, "batch.completed"),
}
ORDERS: dict[Route, tuple[str, ...]] = {
    Route.TRANSFORM: (TRANSFORM,),
    Route.TRANSFORM_BULK: (TRANSFORM,),
    Route.INGEST: (INGEST,),
    Route.INGEST_BULK: (INGEST,),
    Route.EDIT: (EDIT,),
}
INTRODUCTION = f"""\
Programs publish orders to the exchange `{JOBS}` without calling the HTTP API. The sender is the property
`user_id`, which RabbitMQ checks against the connection, or the NAME of an exchange `{JOBS_OF}NAME`, to which
only that user may publish. A sender may order for the Darkroom account of the same name; a sender listed in
DARKROOM_AMQP_TRUSTED_USERS may order for any account. With `reply_to`, the outcome is sent there with the
same `correlation_id`; it is also published to the exchange `{EVENTS}`. An order that repeats an earlier
`job_id` (or, without one, the property `message_id`) does not run again: its reply is sent again. A refused
order is dead-lettered with the header `x-error`. A body has at most {MAX_BODY_BYTES} bytes."""


def asyncapi() -> dict[str, Any]:
    """Build the document."""
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Darkroom", "version": __version__, "description": INTRODUCTION},
        "defaultContentType": "application/json",
        "servers": {
            "rabbitmq": {
                "host": "localhost:5672",
                "protocol": "amqp",
                "protocolVersion": "0.9.1",
                "security": [{"$ref": "#/components/securitySchemes/user"}],
            }
        },
        "channels": {
            **{_name(route): _orders(route, names) for route, names in ORDERS.items()},
            "outcomes": _channel(None, (ENDED, REFUSED), "The queue named by `reply_to`."),
            "jobs": _events("job.{end}", ENDED, "A job ended.")
            | {"parameters": {"end": {"enum": ["completed", "failed", "cancelled"]}}},
            "batches": _events("batch.completed", BATCH, "A batch ended."),
            "images": _events("image.deleted", DELETED, "An image was deleted."),
        },
        "operations": {
            **{f"receive_{_name(route)}": _receive(route, names) for route, names in ORDERS.items()},
            "publishJobEvents": _publish("jobs", ENDED),
            "publishBatchEvents": _publish("batches", BATCH),
            "publishImageEvents": _publish("images", DELETED),
        },
        "components": {
            "messages": {name: _message(name) for name in MESSAGES},
            "schemas": _schemas(),
            "securitySchemes": {"user": {"type": "userPassword"}},
        },
    }


def text() -> str:
    """Return the content of `asyncapi.json`."""
    return msgspec.json.format(msgspec.json.encode(asyncapi(), order="sorted"), indent=2).decode() + "\n"


def _name(route: Route) -> str:
    """Return the route's channel name; AsyncAPI allows no dot in a referenced name."""
    return "orders_" + route.value.replace(".", "_")


def _orders(route: Route, names: Sequence[str]) -> dict[str, Any]:
    purpose = (
        "Orders that nobody waits for."
        if route in (Route.TRANSFORM_BULK, Route.INGEST_BULK)
        else "Orders that somebody waits for."
    )
    return _channel(route.value, names, purpose) | {"bindings": _exchange(JOBS, "direct")}


def _events(key: str, name: str, description: str) -> dict[str, Any]:
    return _channel(key, (name,), description) | {"bindings": _exchange(EVENTS, "topic")}


def _channel(address: str | None, names: Sequence[str], description: str) -> dict[str, Any]:
    messages = {name: {"$ref": f"#/components/messages/{name}"} for name in names}
    return {"address": address, "description": description, "messages": messages}


def _exchange(name: str, kind: str) -> dict[str, Any]:
    exchange = {"name": name, "type": kind, "durable": True, "autoDelete": False, "vhost": "/"}
    return {"amqp": {"is": "routingKey", "exchange": exchange, "bindingVersion": BINDING}}


def _receive(route: Route, names: Sequence[str]) -> dict[str, Any]:
    channel = f"#/channels/{_name(route)}"
    return {
        "action": "receive",
        "channel": {"$ref": channel},
        "messages": [{"$ref": f"{channel}/messages/{name}"} for name in names],
        "bindings": {"amqp": {"deliveryMode": 2, "mandatory": True, "ack": True, "bindingVersion": BINDING}},
        "reply": {
            "address": {
                "location": "$message.header#/reply_to",
                "description": "The AMQP property, not a header.",
            },
            "channel": {"$ref": "#/channels/outcomes"},
            "messages": [{"$ref": f"#/channels/outcomes/messages/{name}"} for name in (ENDED, REFUSED)],
        },
    }


def _publish(channel: str, name: str) -> dict[str, Any]:
    return {
        "action": "send",
        "channel": {"$ref": f"#/channels/{channel}"},
        "messages": [{"$ref": f"#/channels/{channel}/messages/{name}"}],
    }


def _message(name: str) -> dict[str, Any]:
    shape, types = MESSAGES[name]
    message = {
        "name": name,
        "title": types,
        "summary": (shape.__doc__ or "").split("\n")[0],
        "contentType": "application/json",
        "payload": {"$ref": f"#/components/schemas/{shape.__name__}"},
    }
    if name not in (TRANSFORM, INGEST, EDIT, ENDED, REFUSED):
        return message
    correlation = {
        "location": "$message.header#/correlation_id",
        "description": "The AMQP property, not a header.",
    }
    return message | {"correlationId": correlation}


def _schemas() -> dict[str, Any]:
    shapes = [shape for shape, _ in MESSAGES.values()]
    _, parts = msgspec.json.schema_components(shapes, ref_template="#/components/schemas/{name}")
    return {name: _without_discriminator(part) for name, part in parts.items()}


def _without_discriminator(part: Any) -> Any:  # noqa: ANN401 - any JSON
    """Drop OpenAPI's `discriminator`, which means something else in AsyncAPI."""
    if isinstance(part, dict):
        return {key: _without_discriminator(value) for key, value in part.items() if key != "discriminator"}  # pyright: ignore
    if isinstance(part, list):
        return [_without_discriminator(item) for item in part]  # pyright: ignore[reportUnknownVariableType]
    return part


if __name__ == "__main__":
    sys.stdout.write(text())

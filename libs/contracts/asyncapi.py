"""The doors of RabbitMQ as AsyncAPI 3: what may be published, what comes back, what is told to everybody."""

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
Programs publish orders to the exchange `{JOBS}` and need no call of the HTTP API. The property `user_id`,
which RabbitMQ checks against the connection, says who orders, or else an exchange `{JOBS_OF}NAME`, to which
NAME alone may write: for the Darkroom account of the same name, or for any if it is among
DARKROOM_AMQP_TRUSTED_USERS. With `reply_to` the outcome comes back under the same `correlation_id`; the
exchange `{EVENTS}` tells it to everybody. An order that was sent before under the same `job_id`, or else the
property `message_id`, runs once and is answered again. What cannot become a job is put aside with the header
`x-error`. A body has at most {MAX_BODY_BYTES} bytes."""


def asyncapi() -> dict[str, Any]:
    """The whole document."""
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
            "outcomes": _channel(None, (ENDED, REFUSED), "The queue that `reply_to` names."),
            "jobs": _events("job.{end}", ENDED, "A job came to its end.")
            | {"parameters": {"end": {"enum": ["completed", "failed", "cancelled"]}}},
            "batches": _events("batch.completed", BATCH, "Nothing of a batch is left to do."),
            "images": _events("image.deleted", DELETED, "An image is gone."),
        },
        "operations": {
            **{f"take_{_name(route)}": _take(route, names) for route, names in ORDERS.items()},
            "tellOfJobs": _tell("jobs", ENDED),
            "tellOfBatches": _tell("batches", BATCH),
            "tellOfImages": _tell("images", DELETED),
        },
        "components": {
            "messages": {name: _message(name) for name in MESSAGES},
            "schemas": _schemas(),
            "securitySchemes": {"user": {"type": "userPassword"}},
        },
    }


def text() -> str:
    """What `asyncapi.json` holds."""
    return msgspec.json.format(msgspec.json.encode(asyncapi(), order="sorted"), indent=2).decode() + "\n"


def _name(route: Route) -> str:
    """The route in a name of AsyncAPI, which may hold no dot in the middle of a reference."""
    return "orders_" + route.value.replace(".", "_")


def _orders(route: Route, names: Sequence[str]) -> dict[str, Any]:
    purpose = (
        "Nobody waits for these."
        if route in (Route.TRANSFORM_BULK, Route.INGEST_BULK)
        else "Somebody waits for these."
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


def _take(route: Route, names: Sequence[str]) -> dict[str, Any]:
    channel = f"#/channels/{_name(route)}"
    return {
        "action": "receive",
        "channel": {"$ref": channel},
        "messages": [{"$ref": f"{channel}/messages/{name}"} for name in names],
        "bindings": {"amqp": {"deliveryMode": 2, "mandatory": True, "ack": True, "bindingVersion": BINDING}},
        "reply": {
            "address": {
                "location": "$message.header#/reply_to",
                "description": "The property, not a header.",
            },
            "channel": {"$ref": "#/channels/outcomes"},
            "messages": [{"$ref": f"#/channels/outcomes/messages/{name}"} for name in (ENDED, REFUSED)],
        },
    }


def _tell(channel: str, name: str) -> dict[str, Any]:
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
    where = {"location": "$message.header#/correlation_id", "description": "The property, not a header."}
    return message | {"correlationId": where}


def _schemas() -> dict[str, Any]:
    shapes = [shape for shape, _ in MESSAGES.values()]
    _, parts = msgspec.json.schema_components(shapes, ref_template="#/components/schemas/{name}")
    return {name: _without_discriminator(part) for name, part in parts.items()}


def _without_discriminator(part: Any) -> Any:  # noqa: ANN401 - any JSON
    """AsyncAPI means something else by that word than OpenAPI; the constants of the tags say it too."""
    if isinstance(part, dict):
        return {key: _without_discriminator(value) for key, value in part.items() if key != "discriminator"}  # pyright: ignore
    if isinstance(part, list):
        return [_without_discriminator(one) for one in part]  # pyright: ignore[reportUnknownVariableType]
    return part


if __name__ == "__main__":
    sys.stdout.write(text())

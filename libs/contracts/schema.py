"""Orders, events and webhook payloads as JSON Schema (2020-12), for clients in other languages."""

import sys
from typing import Any

import msgspec

from libs.contracts.events import BatchCompleted, ImageDeleted, JobEnded, OrderRefused
from libs.contracts.orders import EditOrder, IngestOrder, TransformOrder
from libs.contracts.webhook_events import BatchPayload, ImagePayload, JobPayload, WebhookTestPayload

PUBLIC = (
    *(TransformOrder, IngestOrder, EditOrder),
    *(JobEnded, OrderRefused, ImageDeleted, BatchCompleted),
    *(JobPayload, BatchPayload, ImagePayload, WebhookTestPayload),
)


def schema() -> dict[str, Any]:
    """Build one schema that matches any order, event or webhook payload, with all parts under `$defs`."""
    roots, parts = msgspec.json.schema_components(PUBLIC, ref_template="#/$defs/{name}")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Darkroom's orders, events and webhook payloads",
        "anyOf": list(roots),
        "$defs": parts,
    }


def text() -> str:
    """Return the content of `schema.json`."""
    return msgspec.json.format(msgspec.json.encode(schema(), order="sorted"), indent=2).decode() + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())

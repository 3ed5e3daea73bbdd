"""The messages, events and notices as JSON Schema (2020-12), for those who do not write Python."""

import sys
from typing import Any

import msgspec

from libs.contracts.events import BatchCompleted, ImageDeleted, JobEnded, OrderRefused
from libs.contracts.orders import EditOrder, IngestOrder, TransformOrder
from libs.contracts.webhook_events import BatchNotice, ImageNotice, JobNotice, TrialNotice

PUBLIC = (
    *(TransformOrder, IngestOrder, EditOrder),
    *(JobEnded, OrderRefused, ImageDeleted, BatchCompleted),
    *(JobNotice, BatchNotice, ImageNotice, TrialNotice),
)


def schema() -> dict[str, Any]:
    """One schema that holds for every message, event and notice, with all parts under `$defs`."""
    roots, parts = msgspec.json.schema_components(PUBLIC, ref_template="#/$defs/{name}")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Darkroom's messages, events and notices",
        "anyOf": list(roots),
        "$defs": parts,
    }


def text() -> str:
    """What `schema.json` holds."""
    return msgspec.json.format(msgspec.json.encode(schema(), order="sorted"), indent=2).decode() + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())

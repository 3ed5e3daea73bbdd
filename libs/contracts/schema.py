"""The messages and events as JSON Schema (2020-12), for those who do not write Python."""

import sys
from typing import Any

import msgspec

from libs.contracts.events import ImageDeleted, JobEnded, OrderRefused
from libs.contracts.orders import IngestOrder, TransformOrder

PUBLIC = (TransformOrder, IngestOrder, JobEnded, OrderRefused, ImageDeleted)


def schema() -> dict[str, Any]:
    """One schema that holds for every message and event, with all parts under `$defs`."""
    roots, parts = msgspec.json.schema_components(PUBLIC, ref_template="#/$defs/{name}")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Darkroom's messages and events",
        "anyOf": list(roots),
        "$defs": parts,
    }


def text() -> str:
    """What `schema.json` holds."""
    return msgspec.json.format(msgspec.json.encode(schema(), order="sorted"), indent=2).decode() + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())

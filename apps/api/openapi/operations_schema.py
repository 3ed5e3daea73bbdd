"""The JSON Schema of all operations: small, and with all that a form needs."""

from functools import cache
from typing import Any, cast

import msgspec

from apps.api.openapi.schemas import texts_in
from libs.imaging.colours import COLOUR
from libs.imaging.operations import AnyOperation

SCHEMA_TYPE = "application/schema+json"
REFERENCE = "#/$defs/{name}"


@cache
def operations_schema() -> bytes:
    """Return the schema as JSON: any operation, each by its name under `$defs`."""
    (union,), parts = msgspec.json.schema_components([AnyOperation], ref_template=REFERENCE)
    texts = texts_in(AnyOperation)
    described = {name: _described(part, texts.get(name, {})) for name, part in parts.items()}
    colour = {
        "type": "string",
        "format": "color",
        "pattern": COLOUR.pattern,
        "description": COLOUR.description,
    }
    return msgspec.json.encode(
        {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": "Darkroom's operations",
            "oneOf": union["anyOf"],
            "discriminator": union["discriminator"],
            "$defs": {**described, "Colour": colour},
        }
    )


def _described(part: dict[str, Any], texts: dict[str, str]) -> Any:  # noqa: ANN401 - JSON
    fields = part.get("properties", {})
    for name, text in texts.items():
        if name in fields:
            fields[name] = _with_references(fields[name]) | {"description": text}
    return _with_references(part) | {"description": " ".join(part.get("description", "").split())}


def _with_references(schema: Any) -> Any:  # noqa: ANN401 - JSON
    """Name colours once, instead of repeating the names of all."""
    if isinstance(schema, list):
        return [_with_references(item) for item in cast("list[Any]", schema)]
    if not isinstance(schema, dict):
        return schema
    found = cast("dict[str, Any]", schema)
    if found.get("pattern") == COLOUR.pattern:
        return {"$ref": REFERENCE.format(name="Colour")} | {k: v for k, v in found.items() if k == "default"}
    return {name: _with_references(value) for name, value in found.items()}

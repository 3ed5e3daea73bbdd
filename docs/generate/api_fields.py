"""The fields of request and answer bodies, as tables for docs/api.md."""

import json
from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]

HEADING = """\
## Fields

The fields of all bodies, by the names above. A field that is required must be in a request, and is in every
answer. Unknown fields of requests are refused."""


def fields(document: Json) -> str:
    """Return a section for each schema of a description, in alphabetical order."""
    schemas: dict[str, Json] = document["components"]["schemas"]
    sections = ("\n".join(_section(name, schemas[name])) for name in sorted(schemas))
    return "\n\n".join([HEADING, *sections])


def link(name: str) -> str:
    """Return a link to the fields of a schema."""
    return f"[{name}](#fields-of-{name.lower()})"


def one_line(text: str) -> str:
    """Return a text without line breaks."""
    return " ".join(text.split())


def cell(text: str) -> str:
    """Return a text as it stands in a cell of a table."""
    return one_line(text).replace("|", "\\|")


def _section(name: str, schema: Json) -> Iterator[str]:
    yield f"### Fields of {name}"
    yield ""
    yield one_line(schema.get("description", ""))
    if "properties" not in schema:
        yield f"It is {kind_of(schema)}."
        return
    required = schema.get("required", [])
    yield from ("", "| field | type | required | meaning |", "|---|---|---|---|")
    for field, value in schema["properties"].items():
        needed = "yes" if field in required else "no"
        yield f"| `{field}` | {cell(kind_of(value))} | {needed} | {cell(_meaning(value))} |"


def kind_of(schema: Json) -> str:
    """Return the type of a value in words, with its limits."""
    if "$ref" in schema:
        return link(schema["$ref"].rpartition("/")[2])
    for many in ("oneOf", "anyOf"):
        if many in schema:
            return " or ".join(dict.fromkeys(kind_of(one) for one in schema[many]))
    for values in (schema.get("enum"), [schema["const"]] if "const" in schema else None):
        if values is not None:
            return " or ".join(f"`{value}`" for value in values)
    if schema.get("type") == "array":
        return f"array{_limits(schema, 'Items', ' entries')} of {kind_of(schema.get('items', {}))}"
    if schema.get("type") == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"object of {kind_of(schema['additionalProperties'])}"
    if schema.get("type") == "string" and "format" not in schema:
        return f"string{_limits(schema, 'Length', ' characters')}"
    return f"{schema.get('format') or schema.get('type') or 'any'}{_limits(schema, 'imum', '')}"


def _limits(schema: Json, of: str, unit: str) -> str:
    """Return the limits of a number, a length or a count, in brackets."""
    least, most = schema.get(f"min{of}"), schema.get(f"max{of}")
    if least == 1 and most is None and unit:
        return " (not empty)"
    if least == most and least is not None:
        return f" ({least:,}{unit})"
    bounds = [
        f"{least:,} to {most:,}" if None not in (least, most) else "",
        f"at least {least:,}" if least is not None and most is None else "",
        f"at most {most:,}" if most is not None and least is None else "",
        *_open_limits(schema),
    ]
    found = " and ".join(filter(None, bounds))
    return f" ({found}{unit})" if found else ""


def _open_limits(schema: Json) -> Iterator[str]:
    if (least := schema.get("exclusiveMinimum")) is not None:
        yield f"more than {least:,}"
    if (most := schema.get("exclusiveMaximum")) is not None:
        yield f"less than {most:,}"


def _meaning(schema: Json) -> str:
    text = schema.get("description", "")
    if "const" in schema and not text:
        return "Says what this is."
    if "default" in schema and "efault" not in text:
        return f"{text.rstrip('.')}. Default: `{json.dumps(schema['default'])}`."
    return text

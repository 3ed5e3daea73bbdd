"""Describe operations in words, from their docstrings and the JSON Schema of their fields."""

import inspect
from typing import Any, get_args

import msgspec
from msgspec import Struct

from libs.imaging.operations import AnyOperation, Operation


class FieldReference(Struct, frozen=True, kw_only=True):
    """One field of an operation."""

    name: str
    values: str  # which it takes
    default: str | None  # as JSON; None: the field is required, or the default is null
    required: bool


def kinds() -> dict[str, type[Operation]]:
    """Return the class of every operation by its name."""
    return {str(kind.__struct_config__.tag): kind for kind in get_args(AnyOperation)}


def description_of(kind: type[Operation]) -> str:
    """Return what the operation does, in Markdown."""
    return inspect.cleandoc(kind.__doc__ or "")


def fields_of(kind: type[Operation]) -> list[FieldReference]:
    """Return the fields of an operation, without `op`."""
    _, components = msgspec.json.schema_components([kind])
    schema = components[kind.__name__]
    fields: list[FieldReference] = []
    for name, field in schema["properties"].items():
        if name == "op":
            continue
        default = field.get("default")
        fields.append(
            FieldReference(
                name=name,
                values=_values(field, components),
                default=None if default is None else msgspec.json.encode(default).decode(),
                required=name in schema["required"],
            )
        )
    return fields


def _values(schema: dict[str, Any], components: dict[str, Any]) -> str:
    if "anyOf" in schema:
        kinds = [kind for kind in schema["anyOf"] if kind.get("type") != "null"]
        return " or ".join(_values(kind, components) for kind in kinds)
    if "$ref" in schema:
        fields = components[schema["$ref"].rpartition("/")[2]]["properties"]
        return "an object of " + ", ".join(
            f"`{name}`: {_values(field, components)}" for name, field in fields.items()
        )
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"] if value is not None)
    if "items" in schema:
        return "a list of " + _values(schema["items"], components)
    text = schema.get("description") or schema.get("format") or str(schema.get("type", "anything"))
    text += _bound(schema, "minimum", "exclusiveMinimum", "from", "above")
    text += _bound(schema, "maximum", "exclusiveMaximum", "to", "below")
    if "maxLength" in schema:
        text += f" of {schema.get('minLength', 0)} to {schema['maxLength']} characters"
    return text


def _bound(schema: dict[str, Any], inclusive: str, exclusive: str, word: str, exclusive_word: str) -> str:
    if exclusive in schema:
        return f" {exclusive_word} {schema[exclusive]:g}"
    return f" {word} {schema[inclusive]:g}" if inclusive in schema else ""

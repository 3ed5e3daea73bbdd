"""The schemas of bodies, made from their types: with the docstring and an example of each field."""

import ast
import inspect
import sys
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from types import ModuleType
from typing import Any, cast

import msgspec
import msgspec.inspect
from msgspec import Struct

from apps.api.openapi.examples import example_fields
from libs.imaging.operations import AnyOperation

PREFIX = "#/components/schemas/"
REFERENCE = PREFIX + "{name}"
NO_LINE_BREAK = (
    r"(?!\n)"  # Python's `$` also matches before a line break at the end, that of JSON Schema does not
)
OPERATION = "Operation"  # the union of all operations, which is a schema of its own

Schema = dict[str, Any]


class Schemas:
    """The schemas that a document refers to, collected while it is made."""

    def __init__(self) -> None:
        self.found: dict[str, Schema] = {}

    def of(self, kind: Any) -> Schema:  # noqa: ANN401 - any type that msgspec knows, or a tuple of several
        """Return the schema of a type, and collect what it refers to."""
        if isinstance(kind, tuple):
            return {"oneOf": [self.of(one) for one in cast("tuple[object, ...]", kind)]}
        if getattr(kind, "__name__", None) in self.found:
            return {"$ref": PREFIX + kind.__name__}
        (schema,), parts = msgspec.json.schema_components([kind], ref_template=REFERENCE)
        structs = _structs_in(kind)
        for name, part in parts.items():
            if name not in self.found:
                self.found[name] = _completed(part, structs.get(name))
        return _tidied(schema)

    def add_operations(self) -> None:
        """Collect the union of all operations, to which the other schemas refer."""
        self.of(AnyOperation)
        (union,), _ = msgspec.json.schema_components([AnyOperation], ref_template=REFERENCE)
        self.found[OPERATION] = {
            "title": OPERATION,
            "description": "One change to an image; `op` names it.",
            "oneOf": union["anyOf"],
            "discriminator": union["discriminator"],
        }


def _completed(schema: Schema, kind: type[Struct] | None) -> Schema:
    """Add descriptions and examples to the fields of a schema."""
    schema = _tidied(schema)
    if "description" in schema:
        schema["description"] = inspect.cleandoc(schema["description"])
    if kind is not None:
        texts, examples = field_docs(kind), example_fields(kind)
        for field, described in schema.get("properties", {}).items():
            text: str = texts.get(field) or described.get("description", "")
            described["description"] = text + _default(described)
            if field in examples:
                described["examples"] = [examples[field]]
    return schema


def _default(described: Schema) -> str:
    """Move the default of a field to its description: openapi-typescript takes it for a required field."""
    default = described.pop("default", None)
    return "" if default is None else f" Default: `{msgspec.json.encode(default).decode()}`."


def texts_in(kind: object) -> dict[str, dict[str, str]]:
    """Return the docstrings of the fields of all Structs that a type consists of, by the Structs' names."""
    return {name: field_docs(struct) for name, struct in _structs_in(kind).items()}


@cache
def field_docs(kind: type[Struct]) -> dict[str, str]:
    """Return the docstrings below the fields of a Struct and its bases."""
    found: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        if base.__module__.startswith(("libs.", "apps.")):
            found |= _docs_of_module(sys.modules[base.__module__]).get(base.__name__, {})
    return found


@cache
def _docs_of_module(module: ModuleType) -> dict[str, dict[str, str]]:
    classes = [node for node in ast.parse(inspect.getsource(module)).body if isinstance(node, ast.ClassDef)]
    return {node.name: dict(_docs_of_class(node)) for node in classes}


def _docs_of_class(node: ast.ClassDef) -> Iterator[tuple[str, str]]:
    for field, below in pairwise(node.body):
        match field, below:
            case ast.AnnAssign(target=ast.Name(name)), ast.Expr(ast.Constant(str(text))):
                yield name, " ".join(text.split())
            case _:
                pass


def _structs_in(kind: object) -> dict[str, type[Struct]]:
    """Return the Structs that a type consists of, by name."""
    found: dict[str, type[Struct]] = {}
    waiting: list[object] = [msgspec.inspect.type_info(kind)]
    while waiting:
        part = waiting.pop()
        if isinstance(part, tuple):
            waiting.extend(cast("tuple[object, ...]", part))
        elif isinstance(part, msgspec.inspect.StructType):
            if part.cls.__name__ not in found:
                found[part.cls.__name__] = part.cls
                waiting.extend(field.type for field in part.fields)
        elif isinstance(part, msgspec.inspect.Type):
            waiting.extend(getattr(part, name) for name in part.__struct_fields__)
    return found


def _tidied(schema: Any) -> Any:  # noqa: ANN401 - JSON
    """Give enumerations their type, and refer to the union of operations instead of repeating it."""
    if isinstance(schema, list):
        return [_tidied(item) for item in cast("list[Any]", schema)]
    if not isinstance(schema, dict):
        return schema
    tidy: Schema = {name: _tidied(value) for name, value in cast("Schema", schema).items()}
    if tidy.get("discriminator", {}).get("propertyName") == "op":
        return {"$ref": PREFIX + OPERATION}
    if isinstance(tidy.get("pattern"), str):
        tidy["pattern"] = tidy["pattern"].removesuffix(NO_LINE_BREAK)
    if "prefixItems" in tidy:  # a pair of equal types, which generators know as a list
        first, *others = tidy.pop("prefixItems")
        tidy["items"] = first if all(one == first for one in others) else {"anyOf": [first, *others]}
    values = tidy.get("enum")
    if isinstance(values, list) and all(isinstance(value, str) for value in cast("list[object]", values)):
        tidy.setdefault("type", "string")
        if len(cast("list[object]", values)) == 1 and "title" not in tidy:
            tidy["const"] = tidy.pop("enum")[0]
    return tidy

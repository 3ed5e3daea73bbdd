"""An example of every body and field."""

from collections.abc import Mapping
from typing import Any, cast

import msgspec
from msgspec import Struct

from apps.api.openapi.examples.bodies import EXAMPLES

_by_type: dict[type[Struct], list[dict[str, Any]]] = {}


def add_examples(*examples: Struct) -> None:
    """Add examples of types that this module does not know."""
    for example in examples:
        _by_type.setdefault(type(example), []).append(cast("dict[str, Any]", msgspec.to_builtins(example)))


def example_of(kind: object) -> Mapping[str, Any] | None:
    """Return the example of a body of this type."""
    found = _by_type.get(cast("type[Struct]", kind))
    if not found:
        return None
    optional = {
        field.name for field in msgspec.structs.fields(cast("type[Struct]", kind)) if not field.required
    }
    return {name: value for name, value in found[0].items() if value is not None or name not in optional}


def example_fields(kind: type[Struct]) -> Mapping[str, Any]:
    """Return an example of each field."""
    found: dict[str, Any] = {}
    examples = (example for base in reversed(kind.__mro__) for example in reversed(_by_type.get(base, [])))
    for example in examples:
        found |= {name: value for name, value in example.items() if value is not None or name not in found}
    return found


add_examples(*EXAMPLES)

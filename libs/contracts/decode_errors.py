"""Say what is wrong with a decoded value, where, and what was probably meant.

msgspec names the fault and a path: "Object contains unknown field `widht` - at `$[0]`". With the value and
its type at hand, the text names the operation and the nearest right name.
"""

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Any, TypeVar, cast, overload

import msgspec
from msgspec import inspect

from libs.contracts.all_faults import all_faults
from libs.contracts.fault_texts import in_plain_words

T = TypeVar("T")

MESSAGE = re.compile(r"(?P<fault>.*?)(?: - at `\$(?P<path>.*)`)?", re.DOTALL)
STEP = re.compile(r"\.(?P<name>[^.\[]+)|\[(?P<index>\d+)\]|\[\.\.\.\]")
UNKNOWN_FIELD = re.compile(r"Object contains unknown field `(?P<name>.*)`")
INVALID_VALUE = re.compile(r"Invalid (?:enum )?value '(?P<name>.*)'")
SHOWN = 12  # names of a list that has no near one
CUTOFF = 0.6


@overload
def convert_value(value: object, kind: type[T], *, strict: bool = True) -> T: ...


@overload
def convert_value(value: object, kind: Any, *, strict: bool = True) -> Any: ...  # noqa: ANN401 - a union


def convert_value(value: object, kind: Any, *, strict: bool = True) -> Any:
    """Convert a value as `msgspec.convert` does.

    Raises:
        msgspec.ValidationError: It is not of the type; the text is that of `explained`.
    """
    try:
        return msgspec.convert(value, kind, strict=strict)
    except msgspec.ValidationError as error:
        raise explained(error, value, kind, strict=strict) from error


class InvalidValue(msgspec.ValidationError):
    """A value has faults. The text is that of all, each with its place."""

    def __init__(self, faults: Sequence[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{text} - at `${path}`" if path else text for text, path in faults))
        self.faults = tuple(faults)
        """What is wrong, and where: `.operations[1]`, or nothing for the value as a whole."""


def explained(
    error: msgspec.ValidationError,
    value: object,
    kind: Any,  # noqa: ANN401
    *,
    strict: bool = True,
) -> InvalidValue:
    """Return an error with all faults of a value, each with its operation and the nearest right name."""
    found = [f"{fault} - at `{path}`" for fault, path in all_faults(value, kind, strict=strict)]
    return InvalidValue([_explained(text, value, kind) for text in found or [str(error)]])


def _explained(text: str, value: object, kind: Any) -> tuple[str, str]:  # noqa: ANN401
    found = MESSAGE.fullmatch(text)
    assert found is not None, "the pattern takes every text"  # noqa: S101
    fault, path = found["fault"], found["path"] or ""
    place = _Place(value, inspect.type_info(kind))
    for step in STEP.finditer(path):
        place.enter(step["name"] or (int(step["index"]) if step["index"] else None))
    return place.text_of(fault), path


def explained_parameter(fault: str, name: str, kind: Any) -> str:  # noqa: ANN401 - any type that a handler names
    """Return msgspec's text about one value in the words of `explained`; `name` is the parameter's."""
    place = _Place(None, inspect.type_info(kind))
    place.name = name
    return place.text_of(fault)


class _Place:
    """A place in a value, its type there, and the operation around it."""

    def __init__(self, value: object, kind: inspect.Type) -> None:
        self.value: Any = value
        self.kinds = _alternatives(kind)
        self.name = ""
        self.operation = ""

    def enter(self, step: str | int | None) -> None:
        """Go to a field of an object or an item of a list; None is a place that msgspec does not name."""
        if isinstance(step, str):
            self._enter_field(step)
        else:
            self._enter_item(step)

    def _enter_field(self, name: str) -> None:
        tags = [kind.tag for kind in self._structs() if kind.tag_field == name]
        fields = [field for kind in self._structs() for field in kind.fields if field.encode_name == name]
        self.value = cast("dict[str, Any]", self.value).get(name) if isinstance(self.value, dict) else None
        self.kinds = [kind for field in fields for kind in _alternatives(field.type)]
        if tags:
            self.kinds = [inspect.LiteralType(tuple(tags))]
        self.name = name

    def _enter_item(self, index: int | None) -> None:
        items = cast("Sequence[Any]", self.value if isinstance(self.value, list | tuple) else ())
        self.value = items[index] if index is not None and index < len(items) else None
        self.kinds = [inner for kind in self.kinds for inner in _item_types(kind)]
        if isinstance(self.value, dict) and "op" in self.value:
            self.operation = f"operation {(index or 0) + 1} ({self.value['op']})"

    def _structs(self) -> list[inspect.StructType]:
        """Return the object types that the value may have here: by its tag, if it has one."""
        structs = [kind for kind in self.kinds if isinstance(kind, inspect.StructType)]
        value = cast("dict[str, Any]", self.value if isinstance(self.value, dict) else {})
        return [
            kind for kind in structs if kind.tag_field and kind.tag == value.get(kind.tag_field)
        ] or structs

    def text_of(self, fault: str) -> str:
        """Return what is wrong at this place, in one sentence."""
        of = f" in {self.operation}" if self.operation else ""
        if unknown := UNKNOWN_FIELD.fullmatch(fault):
            names = [field.encode_name for kind in self._structs() for field in kind.fields]
            return f"unknown field `{unknown['name']}`{of}{nearest_hint(unknown['name'], names)}"
        if invalid := INVALID_VALUE.fullmatch(fault):
            names = [str(name) for kind in self.kinds for name in _values(kind)]
            if self.name == "op":
                return f"unknown operation `{invalid['name']}`{nearest_hint(invalid['name'], names)}"
            field = f"`{self.name}` cannot be" if self.name else "unknown value"
            return f"{field} `{invalid['name']}`{of}{nearest_hint(invalid['name'], names)}"
        return f"{in_plain_words(fault)}{of}"


def nearest_hint(given: str, names: Iterable[str], *, shown: int = SHOWN) -> str:
    """Return the end of a sentence about an unknown name: the nearest known one, or the first `shown`."""
    known = list(dict.fromkeys(names))
    near = get_close_matches(given.lower(), known, n=1, cutoff=CUTOFF)
    if near:
        return f"; did you mean `{near[0]}`?"
    listed = ", ".join(f"`{name}`" for name in known[:shown])
    return f"; known: {listed}{', ...' if len(known) > shown else ''}" if known else ""


def _alternatives(kind: inspect.Type) -> list[inspect.Type]:
    if isinstance(kind, inspect.Metadata):
        return _alternatives(kind.type)
    if isinstance(kind, inspect.UnionType):
        return [inner for one in kind.types for inner in _alternatives(one)]
    return [kind]


def _item_types(kind: inspect.Type) -> list[inspect.Type]:
    match kind:
        case inspect.ListType() | inspect.VarTupleType() | inspect.SetType() | inspect.FrozenSetType():
            return _alternatives(kind.item_type)
        case inspect.TupleType():
            return [inner for item in kind.item_types for inner in _alternatives(item)]
        case inspect.DictType():
            return _alternatives(kind.value_type)
        case _:
            return []


def _values(kind: inspect.Type) -> Iterable[object]:
    match kind:
        case inspect.LiteralType():
            return kind.values
        case inspect.EnumType():
            return [member.value for member in kind.cls]
        case _:
            return ()

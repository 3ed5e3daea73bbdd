"""Parse the steps of an address, and write operations as steps.

    steps = step *(":" step)
    step  = preset / operation *("," field "_" value) / short "_" value *("," short "_" value)

`w_600,h_600,fit_cover:grayscale:blur,sigma_2` is a resize, a grayscale and a blur; `card` is a preset. Values
are percent-encoded where they contain a separator.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from difflib import get_close_matches
from functools import cache
from typing import Any, TypeAlias, cast, get_args, get_type_hints
from urllib.parse import quote, unquote

import msgspec
from msgspec import Struct

from libs.contracts.decode_errors import convert_value
from libs.delivery.errors import StepsInvalid
from libs.delivery.step_names import CROP_MODES, GRAVITIES, SHORT, SHORT_STEP
from libs.imaging.colours import Colour
from libs.imaging.operations import AnyOperation, Operation
from libs.imaging.operations.operation import name_of

MAX_CHARS = 2000
POINTS = ("gravity", "position")  # fields that take a point, such as `0.3x0.5`
SEPARATED = {"aspect": "x", "subsampling": ""}  # what steps write for the colons of these fields
PRESET_NAME = r"^[a-z][a-z0-9-]{0,62}$"
_PRESET = re.compile(PRESET_NAME)
_HEX = re.compile(r"(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6}|[0-9a-fA-F]{8})")
_POINT = re.compile(r"(-?\d*\.?\d+)x(-?\d*\.?\d+)")
_EXPIRY = re.compile(r"exp_(\d{1,11})")
_BARE_FRACTION = re.compile(r"(-?)(\.\d+)")
_AT = re.compile(r"(?s)(.*) - at `\$\.?(.*)`")
_SAFE = "~!$'()*+;=@-."  # of RFC 3986's path characters, those that separate nothing here


class Preset(Struct, frozen=True):
    """A step that stands for the operations of a preset."""

    name: str


Step: TypeAlias = AnyOperation | Preset


class Steps(Struct, frozen=True, kw_only=True):
    """The steps of an address."""

    steps: tuple[Step, ...]
    expires_at: int | None = None  # seconds since 1970

    @property
    def only_preset(self) -> str | None:
        """The preset's name, if the steps are one preset and nothing else."""
        if len(self.steps) == 1 and isinstance(self.steps[0], Preset):
            return self.steps[0].name
        return None

    @property
    def presets(self) -> tuple[str, ...]:
        """The names of all presets."""
        return tuple(step.name for step in self.steps if isinstance(step, Preset))

    def resolved(self, presets: Mapping[str, Sequence[AnyOperation]]) -> tuple[AnyOperation, ...]:
        """Return the operations, with those of the presets in their places."""
        found: list[AnyOperation] = []
        for step in self.steps:
            found.extend(presets[step.name] if isinstance(step, Preset) else (step,))
        return tuple(found)


def parse_steps(text: str) -> Steps:
    """Parse the steps of an address, percent-encoded as they were sent.

    Raises:
        StepsInvalid: They are none; the text says where.
    """
    if len(text) > MAX_CHARS:
        raise StepsInvalid(f"the steps have {len(text)} characters, the limit is {MAX_CHARS}")
    steps: list[Step] = []
    expires_at: int | None = None
    for part in text.split(":"):
        expiry = _EXPIRY.fullmatch(part)
        if expiry:
            expires_at = int(expiry[1])
        else:
            steps += _parse_step(part)
    return Steps(steps=tuple(steps), expires_at=expires_at)


def format_steps(operations: Sequence[AnyOperation]) -> str:
    """Write operations as steps, in their canonical form: full names, and no field that has its default."""
    return ":".join(map(_format_step, operations))


def is_preset_name(name: str) -> bool:
    """Return whether a preset can have this name: it is no operation's, and needs no encoding."""
    return bool(_PRESET.fullmatch(name)) and name not in _kinds()


def _parse_step(text: str) -> Sequence[Step]:
    items = text.split(",")
    name = unquote(items[0])
    if name in _kinds():
        return (_operation(name, _fields(name, items[1:]), text),)
    if "_" not in name and name not in SHORT_STEP:
        if len(items) == 1 and _PRESET.fullmatch(name):
            return (Preset(name),)
        raise StepsInvalid(f"there is no operation {name!r}{_near(name, _kinds())}")
    return _short_step(items, text)


def _short_step(items: Sequence[str], text: str) -> Sequence[AnyOperation]:
    """Parse a step such as `w_600,q_80`, which sets fields of several operations."""
    found: dict[str, dict[str, Any]] = {"resize": {}, "rotate": {}, "convert": {}}
    for item in items:
        short, value = _pair(item)
        if short not in SHORT_STEP:
            raise StepsInvalid(f"there is no step {short!r} in {text!r}{_near(short, SHORT_STEP)}")
        operation, field = SHORT_STEP[short]
        if short == "c":
            found[operation] |= _crop_mode(value)
        else:
            found[operation][field] = _value(operation, field, value)
    if found["convert"]:
        found["convert"].setdefault("format", "auto")
    return [_operation(name, fields, text) for name, fields in found.items() if fields]


def _crop_mode(value: str) -> dict[str, Any]:
    if value not in CROP_MODES:
        raise StepsInvalid(f"there is no crop mode {value!r}{_near(value, CROP_MODES)}")
    return CROP_MODES[value]


def _fields(operation: str, items: Sequence[str]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for item in items:
        name, value = _field(operation, item)
        *outer, last = name.split(".")
        parent = fields
        for part in outer:
            inner = parent.setdefault(part, {})
            if not isinstance(inner, dict):
                raise StepsInvalid(f"{name!r} is given twice in {operation!r}")
            parent = cast("dict[str, Any]", inner)
        parent[last] = _value(operation, name, value)
    return fields


def _field(operation: str, item: str) -> tuple[str, str]:
    """Split `max_bytes_5000` after the longest field name that it starts with; a bare name means true."""
    known = _field_names(operation)
    short = item.partition("_")[0]
    if short in SHORT and short not in known:
        field = SHORT[short]
        if field not in known and field == "background" and "color" in known:
            field = "color"
        return field, unquote(item.partition("_")[2])
    for name in sorted(known, key=len, reverse=True):
        if item == name:
            return name, "true"
        if item.startswith((f"{name}_", f"{name}.")):
            path, _, value = item[len(name) :].partition("_")
            return name + path, unquote(value)
    raise StepsInvalid(f"{operation!r} has no field {short!r}{_near(short, known)}")


def _pair(item: str) -> tuple[str, str]:
    short, separator, value = item.partition("_")
    return short, unquote(value) if separator else "true"


def _value(operation: str, field: str, text: str) -> Any:  # noqa: ANN401 - what msgspec converts
    """Return a value as `convert_value` takes it; it converts numbers and booleans from their text."""
    if field in POINTS:
        point = _POINT.fullmatch(text)
        return {"x": _number(point[1]), "y": _number(point[2])} if point else GRAVITIES.get(text, text)
    if field == "accept":
        return [part for part in text.split("+") if part]
    if field == "aspect":
        return text.replace(SEPARATED[field], ":")
    if field == "subsampling":
        return ":".join(text) if text.isdigit() else text
    if (operation, field) in _colour_fields() and _HEX.fullmatch(text):
        return f"#{text}"
    return text if field == "text" else _number(text)


def _number(text: str) -> str:
    """Write `.5` as JSON does."""
    fraction = _BARE_FRACTION.fullmatch(text)
    return f"{fraction[1]}0{fraction[2]}" if fraction else text


def _operation(name: str, fields: Mapping[str, Any], text: str) -> AnyOperation:
    try:
        return convert_value({"op": name, **fields}, AnyOperation, strict=False)
    except msgspec.ValidationError as error:
        found = _AT.fullmatch(str(error))
        reason = f"{found[2]} {found[1]}".strip() if found else str(error)
        raise StepsInvalid(f"{reason} (in the step {unquote(text)!r})") from error


def _format_step(operation: AnyOperation) -> str:
    name = name_of(operation)
    return ",".join([name, *_format_fields(name, operation, "")])


def _format_fields(operation: str, value: Struct, path: str) -> Iterator[str]:
    """Yield `field_value` for each field that differs from its default; those of a box as `box.x_1`."""
    for field in msgspec.structs.fields(value):
        found = getattr(value, field.name)
        if found == field.default:
            continue
        if isinstance(found, Struct) and field.name not in POINTS:
            yield from _format_fields(operation, found, f"{path}{field.name}.")
        else:
            yield f"{path}{field.name}_{quote(_text(operation, field.name, found), safe=_SAFE)}"


def _text(operation: str, field: str, value: Any) -> str:  # noqa: ANN401 - any field's
    if isinstance(value, Struct):
        return "x".join(_text(operation, part, getattr(value, part)) for part in ("x", "y"))
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        text = format(Decimal(repr(value)), "f")  # without an exponent
        return text.removesuffix(".0")
    if isinstance(value, tuple):
        return "+".join(map(str, value))  # pyright: ignore[reportUnknownArgumentType,reportUnknownVariableType]
    if field in SEPARATED:
        return str(value).replace(":", SEPARATED[field])
    return str(value).removeprefix("#") if (operation, field) in _colour_fields() else str(value)


@cache
def _kinds() -> dict[str, type[Operation]]:
    return {str(kind.__struct_config__.tag): kind for kind in get_args(AnyOperation)}


@cache
def _field_names(operation: str) -> frozenset[str]:
    return frozenset(_kinds()[operation].__struct_fields__)


@cache
def _colour_fields() -> frozenset[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    for name, kind in _kinds().items():
        for field, hint in get_type_hints(kind, include_extras=True).items():
            if hint == Colour or Colour in get_args(hint):
                found.add((name, field))
    return frozenset(found)


def _near(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""

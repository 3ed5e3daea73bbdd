"""Find everything that is wrong with a value; msgspec stops at the first fault."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from itertools import islice
from types import UnionType
from typing import Annotated, Any, Union, cast, get_args, get_origin

import msgspec
from msgspec import Struct

MAX_FAULTS = 20

Fault = tuple[str, str]
"""What is wrong, in msgspec's words, and where: `$.operations[1]`."""
Convert = Callable[[object, Any], object]


def all_faults(value: object, kind: Any, *, strict: bool = True) -> list[Fault]:  # noqa: ANN401 - any type
    """Return what is wrong with a value of JSON, in the order of the type's fields; at most `MAX_FAULTS`."""

    def convert(part: object, of: Any) -> object:  # noqa: ANN401
        return msgspec.convert(part, of, strict=strict)

    return list(islice(_faults(value, kind, "$", convert), MAX_FAULTS))


def _faults(value: object, kind: Any, path: str, convert: Convert) -> Iterator[Fault]:  # noqa: ANN401
    try:
        convert(value, kind)
    except msgspec.ValidationError as error:
        within = _within(value, kind, path, convert)
        first = next(within, None)
        if first is None:
            fault, _, below = str(error).rpartition(" - at `$")
            yield (fault, path + below.rstrip("`")) if fault else (str(error), path)
            return
        yield first
        yield from within


def _within(value: object, kind: Any, path: str, convert: Convert) -> Iterator[Fault]:  # noqa: ANN401
    """Yield the faults of the parts of a value; none if the value as a whole is wrong."""
    struct, item = _struct_of(value, kind), _item_of(kind)
    if struct is not None:
        yield from _of_object(cast("Mapping[str, object]", value), struct, path, convert)
    elif item is not None and isinstance(value, list | tuple):
        for index, part in enumerate(cast("Sequence[object]", value)):
            yield from _faults(part, item, f"{path}[{index}]", convert)


def _of_object(
    value: Mapping[str, object], struct: type[Struct], path: str, convert: Convert
) -> Iterator[Fault]:
    fields = {field.encode_name: field for field in msgspec.structs.fields(struct)}
    config = struct.__struct_config__
    unknown = [name for name in value if name not in fields and name != config.tag_field]
    meant = {near for name in unknown for near in get_close_matches(name, fields, n=1)}
    for name, field in fields.items():
        if name in value:
            yield from _faults(value[name], field.type, f"{path}.{name}", convert)
        elif field.required and not (config.forbid_unknown_fields and name in meant):
            yield f"Object missing required field `{name}`", path
    if config.forbid_unknown_fields:
        for name in unknown:
            yield f"Object contains unknown field `{name}`", path


def _struct_of(value: object, kind: Any) -> type[Struct] | None:  # noqa: ANN401
    """Return the type of an object: by its tag, if it has one; None if it has none of the tags."""
    if not isinstance(value, dict):
        return None
    structs = [one for one in _alternatives(kind) if isinstance(one, type) and issubclass(one, Struct)]
    given = cast("dict[str, object]", value)
    for struct in structs:
        config = struct.__struct_config__
        if config.tag_field is None or given.get(config.tag_field) == config.tag:
            return struct
    return None


def _item_of(kind: Any) -> Any | None:  # noqa: ANN401
    for one in _alternatives(kind):
        arguments = get_args(one)
        if get_origin(one) in (tuple, list, Sequence) and (len(arguments) == 1 or arguments[1:] == (...,)):
            return arguments[0]
    return None


def _alternatives(kind: Any) -> list[Any]:  # noqa: ANN401
    if get_origin(kind) is Annotated:
        return _alternatives(get_args(kind)[0])
    if get_origin(kind) in (Union, UnionType):
        return [inner for one in get_args(kind) for inner in _alternatives(one)]
    return [kind]

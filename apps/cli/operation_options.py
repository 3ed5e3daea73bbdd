"""Operations as they are written on the command line."""

import re
from pathlib import Path
from typing import Any

import click
import msgspec

from libs.imaging.operations import AnyOperation

_COMMA = re.compile(r"(?<!\\),")
_BARE_FRACTION = re.compile(r"\.\d+")
_LISTS = {"accept"}


def parse_operation(text: str) -> AnyOperation:
    r"""Understand `resize:width=800,fit=cover`.

    Fields of fields are written with a dot, `gravity.x=0.3`; entries of a list are joined by `+`; a comma
    within a text is written `\,`.
    """
    name, _, fields = text.partition(":")
    values: dict[str, Any] = {"op": name}
    for pair in _COMMA.split(fields) if fields else []:
        field, equals, value = pair.partition("=")
        if not equals:
            raise click.BadParameter(f"{pair!r} is not FIELD=VALUE", param_hint=f"--op {text}")
        *outer, last = field.split(".")
        place = values
        for part in outer:
            place = place.setdefault(part, {})
        value = "0" + value if _BARE_FRACTION.fullmatch(value) else value.replace("\\,", ",")
        place[last] = [part for part in value.split("+") if part] if field in _LISTS else value
    try:
        return msgspec.convert(values, AnyOperation, strict=False)
    except msgspec.ValidationError as error:
        raise click.BadParameter(str(error), param_hint=f"--op {text}") from error


def read_operations(path: Path) -> tuple[AnyOperation, ...]:
    """Read a JSON list, as the API takes it."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=tuple[AnyOperation, ...])
    except msgspec.DecodeError as error:
        raise click.BadParameter(str(error), param_hint=f"--ops {path}") from error

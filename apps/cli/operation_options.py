"""Parse operations from command-line options."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import msgspec

from libs.contracts.decode_errors import convert_value
from libs.contracts.json_text import decode_json
from libs.imaging.operations import AnyOperation
from libs.settings import Settings

_COMMA = re.compile(r"(?<!\\),")
_BARE_FRACTION = re.compile(r"\.\d+")
_LISTS = {"accept"}


def parse_operation(text: str) -> AnyOperation:
    r"""Parse an operation such as `resize:width=800,fit=cover`.

    A nested field is written with a dot (`gravity.x=0.3`), a list with `+` (`accept=webp+jpeg`), a comma in a
    text as `\,`.

    Raises:
        click.BadParameter: There is no such operation, or a field is wrong.
    """
    name, _, fields = text.partition(":")
    values: dict[str, Any] = {"op": name}
    for pair in _COMMA.split(fields) if fields else []:
        field, equals, value = pair.partition("=")
        if not equals:
            raise click.BadParameter(f"{pair!r} is not FIELD=VALUE", param_hint=f"--op {text}")
        *outer, last = field.split(".")
        parent = values
        for part in outer:
            parent = parent.setdefault(part, {})
        value = "0" + value if _BARE_FRACTION.fullmatch(value) else value.replace("\\,", ",")
        parent[last] = [part for part in value.split("+") if part] if field in _LISTS else value
    try:
        return convert_value(values, AnyOperation, strict=False)
    except msgspec.ValidationError as error:
        raise click.BadParameter(str(error).partition(" - at `$`")[0], param_hint=f"--op {text}") from error


def check_count(operations: Sequence[AnyOperation], settings: Settings) -> None:
    """Check the number of operations, as the API does.

    Raises:
        click.UsageError: There are too many.
    """
    if len(operations) > settings.max_operations:
        raise click.UsageError(f"{len(operations)} operations, the limit is {settings.max_operations}")


def read_operations(path: Path) -> tuple[AnyOperation, ...]:
    """Read a JSON list of operations, as the API takes it.

    Raises:
        click.BadParameter: The file is no such list.
    """
    try:
        return decode_json(path.read_bytes(), tuple[AnyOperation, ...])
    except msgspec.DecodeError as error:
        raise click.BadParameter(str(error), param_hint=f"--ops {path}") from error

"""What msgspec says of a wrong value, in words that do not name the types of a program."""

import re
from ast import literal_eval
from collections.abc import Callable, Mapping

from libs.imaging.colours import COLOUR

KINDS: Mapping[str, str] = {
    "int": "an integer",
    "float": "a number",
    "str": "text",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
    "uuid": "a UUID",
    "datetime": "a time of RFC 3339",
}
BOUNDS: Mapping[str, str] = {">=": "at least", "<=": "at most", ">": "more than", "<": "less than"}

_TEXTS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (
        re.compile(r"Expected `(?:str|bytes)` of length (>=|<=) (\d+)"),
        lambda found: f"must have {BOUNDS[found[1]]} {_counted(found[2], 'character')}",
    ),
    (
        re.compile(r"Expected `array` of length (>=|<=) (\d+)"),
        lambda found: f"must have {BOUNDS[found[1]]} {_counted(found[2], 'entry', 'entries')}",
    ),
    (
        re.compile(r"Expected `array` of length (\d+), got (\d+)"),
        lambda found: f"must have {_counted(found[1], 'entry', 'entries')}, not {found[2]}",
    ),
    (
        re.compile(r"Expected `(?:int|float)` (>=|<=|>|<) (\S+)"),
        lambda found: f"must be {BOUNDS[found[1]]} {found[2]}",
    ),
    (
        re.compile(r"Expected `str` matching regex (.+)", re.DOTALL),
        lambda found: _unmatched(literal_eval(found[1])),
    ),
    (
        re.compile(r"Expected `datetime` with a timezone component"),
        lambda _: "must be a time with an offset from UTC",
    ),
    (re.compile(r"Expected `([^`]+)`, got `([^`]+)`"), lambda found: _wrong_kind(found[1], found[2])),
    (re.compile(r"Expected `([^`]+)`"), lambda found: f"must be {_kinds(found[1])}"),
    (re.compile(r"Object missing required field `(.+)`"), lambda found: f"the field `{found[1]}` is missing"),
    (re.compile(r"(?:Integer value|Number) out of range"), lambda _: "is out of range"),
    (re.compile(r"Invalid UUID"), lambda _: "is not a UUID"),
    (re.compile(r"Invalid RFC3339 encoded datetime"), lambda _: "is not a time of RFC 3339"),
    (re.compile(r"Invalid (?:enum )?value (.+)", re.DOTALL), lambda found: f"cannot be {found[1]}"),
)
_NO_LINE_BREAK = r"(?!\n)"  # see `views.request_body`


def in_plain_words(fault: str) -> str:
    """Return msgspec's text about a value as the end of a sentence about it; other texts stay as they are."""
    for pattern, text in _TEXTS:
        if found := pattern.fullmatch(fault):
            return text(found)
    return fault


def _unmatched(pattern: str) -> str:
    if pattern == COLOUR.pattern:  # which has the names of all colours
        return f"is no colour: {COLOUR.description}"
    return f"does not match the pattern {pattern.removesuffix(_NO_LINE_BREAK)}"


def _wrong_kind(expected: str, given: str) -> str:
    return f"must be {_kinds(expected)}, not {_kinds(given)}"


def _kinds(names: str) -> str:
    return " or ".join(KINDS.get(name, name) for name in names.split(" | "))


def _counted(number: str, one: str, several: str = "") -> str:
    return f"{number} {one if number == '1' else several or f'{one}s'}"

"""Say in words of our own why a text is not JSON, and at which byte.

Some of msgspec's positions lie behind the fault, and "Input data was truncated" has none. The parser of the
standard library gives exact ones; it is slower, and runs over a faulty text only.
"""

import json
import re
from json import JSONDecodeError

_END = "is not JSON: it ends too early"
_WORDS = ("true", "false", "null", "-")
_TEXTS = (  # by the beginning of the standard library's
    ("Extra data", "there is more after its end, at {place}"),
    ("Invalid control character", "a control character that is not escaped, at {place}"),
    ("Invalid \\", "an invalid escape at {place}"),
)
_BYTE = re.compile(r"\(byte (\d+)\)")
_ESCAPES = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # both halves
    r"|(?P<half>\\u[dD][89a-fA-F])"
    r"|\\."
)


class _NoSuchNumber(ValueError):
    """`NaN` or `Infinity`, which JSON does not have."""


def _refuse(name: str) -> None:
    raise _NoSuchNumber(name)


_decode = json.JSONDecoder(
    parse_int=len, parse_float=len, parse_constant=_refuse
).decode  # numbers of any length


def json_fault(text: bytes | bytearray | str, error: Exception) -> str:
    """Return why a text is not JSON, as the end of a sentence about it; `error` is msgspec's."""
    try:
        read = text if isinstance(text, str) else text.decode()
        whole = read.encode()
    except UnicodeDecodeError as fault:
        return f"is not JSON: no UTF-8 at {_place(fault.object, fault.start)}"
    except UnicodeEncodeError:
        return "is not JSON: half a character"
    try:
        _decode(read)
    except JSONDecodeError as fault:
        return _located(fault.msg, read, fault.pos)
    except (ValueError, RecursionError):
        return _unexplained(whole, error)
    half = next((found for found in _ESCAPES.finditer(read) if found["half"]), None)
    if half is None:
        return _unexplained(whole, error)
    return f"is not JSON: an escape of half a character at {_at(read, half.start())}"


def _located(message: str, text: str, position: int) -> str:
    rest = text[position:].strip()
    if message.startswith("Unterminated string") or any(word.startswith(rest) for word in _WORDS):
        return _END
    before = text[:position].rstrip()
    if message.startswith("Illegal trailing comma"):  # of Python 3.13 and later, at the comma
        return f"is not JSON: a comma before the end of a list or object, at {_at(text, position)}"
    if text[position] in "]}" and before.endswith(","):
        return f"is not JSON: a comma before the end of a list or object, at {_at(text, len(before) - 1)}"
    for beginning, words in _TEXTS:
        if message.startswith(beginning):
            return f"is not JSON: {words.format(place=_at(text, position))}"
    return f"is not JSON: unexpected character at {_at(text, position)}"


def _unexplained(text: bytes, error: Exception) -> str:
    found = _BYTE.search(str(error))
    return f"is not JSON: unexpected character at {_place(text, int(found[1]))}" if found else "is not JSON"


def _at(text: str, position: int) -> str:
    before = text[:position].encode()
    return _place(before, len(before))


def _place(text: bytes, position: int) -> str:
    """Return the place of a byte, counted from 1; of a later line, the line and the byte in it."""
    lines = text[:position].split(b"\n")
    byte = len(lines[-1]) + 1
    return f"byte {byte}" if len(lines) == 1 else f"line {len(lines)}, byte {byte}"

"""Decode JSON from other programs; every fault raises the same error.

msgspec raises a `RecursionError` for JSON of many levels, and a `ValueError` for bytes that are not UTF-8 and
for numbers with thousands of digits.
"""

from functools import cache
from typing import Generic, TypeVar, cast

import msgspec

from libs.contracts.decode_errors import explained
from libs.contracts.json_faults import json_fault

T = TypeVar("T")


class JsonDecoder(Generic[T]):
    """Decodes JSON as a decoder of msgspec does, but with one error class; build it once."""

    def __init__(self, decoder: msgspec.json.Decoder[T]) -> None:
        self._decoder = decoder

    def decode(self, text: bytes | bytearray | str) -> T:
        """Return the value.

        Raises:
            msgspec.DecodeError: The text is not JSON, or is nested too deeply; the error is the end of a
                sentence about it, such as "is not JSON: unexpected character at byte 17".
            msgspec.ValidationError: It is not of the type; the error names the place, and a near name.
        """
        try:
            return self._decoder.decode(text)
        except msgspec.ValidationError as error:
            raise self._explained(error, text) from error
        except RecursionError:
            raise _too_deep() from None
        except (ValueError, OverflowError) as error:  # a DecodeError is a ValueError
            raise msgspec.DecodeError(json_fault(text, error)) from error

    def _explained(
        self, error: msgspec.ValidationError, text: bytes | bytearray | str
    ) -> msgspec.DecodeError:
        try:
            value = msgspec.json.decode(text)
        except msgspec.ValidationError as fault:  # a number that no type can hold
            return explained(fault, None, object)
        except RecursionError:
            return _too_deep()
        except (ValueError, OverflowError) as fault:  # the text is no JSON behind the place of the error
            return msgspec.DecodeError(json_fault(text, fault))
        return explained(error, value, self._decoder.type, strict=self._decoder.strict)


def decode_json(text: bytes | bytearray | str, kind: type[T]) -> T:
    """Decode JSON as `JsonDecoder` does."""
    return cast("T", _decoder_of(kind).decode(text))


@cache
def _decoder_of(kind: type[object]) -> JsonDecoder[object]:
    return JsonDecoder(msgspec.json.Decoder(kind))


def _too_deep() -> msgspec.DecodeError:
    return msgspec.DecodeError("is nested too deeply")

"""Decode JSON from other programs; every fault raises the same error.

msgspec raises a `RecursionError` for JSON of many levels, and a `ValueError` for bytes that are not UTF-8 and
for numbers with thousands of digits.
"""

from functools import cache
from typing import Generic, TypeVar, cast

import msgspec

from libs.contracts.decode_errors import explained

T = TypeVar("T")


class JsonDecoder(Generic[T]):
    """Decodes JSON as a decoder of msgspec does, but with one error class; build it once."""

    def __init__(self, decoder: msgspec.json.Decoder[T]) -> None:
        self._decoder = decoder

    def decode(self, text: bytes | bytearray | str) -> T:
        """Return the value.

        Raises:
            msgspec.DecodeError: The text is not JSON, or is nested too deeply.
            msgspec.ValidationError: It is not of the type; the error names the place, and a near name.
        """
        try:
            return self._decoder.decode(text)
        except msgspec.ValidationError as error:
            raise self._explained(error, text) from error
        except msgspec.DecodeError:  # a ValueError too
            raise
        except RecursionError:
            raise msgspec.DecodeError("the JSON is nested too deeply") from None
        except (ValueError, OverflowError) as error:
            raise msgspec.DecodeError(str(error)) from error

    def _explained(
        self, error: msgspec.ValidationError, text: bytes | bytearray | str
    ) -> msgspec.ValidationError:
        try:
            value = msgspec.json.decode(text)
        except (
            ValueError,
            RecursionError,
            OverflowError,
        ):  # behind the place of the error, the text is no JSON
            return error
        return explained(error, value, self._decoder.type, strict=self._decoder.strict)


def decode_json(text: bytes | bytearray | str, kind: type[T]) -> T:
    """Decode JSON as `JsonDecoder` does."""
    return cast("T", _decoder_of(kind).decode(text))


@cache
def _decoder_of(kind: type[object]) -> JsonDecoder[object]:
    return JsonDecoder(msgspec.json.Decoder(kind))

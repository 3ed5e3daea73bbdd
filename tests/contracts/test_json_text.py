"""JSON of other parties: whatever is wrong with it, the error says so and nothing else is raised."""

import re

import msgspec
import pytest

from libs.contracts.commands import BadMessage
from libs.contracts.commands import decode as decode_command
from libs.contracts.events import ended_job, ended_subject
from libs.contracts.json_text import decode_json
from libs.contracts.orders import decode_order

DEEP = b"[" * 100_000
BAD = [
    DEEP,
    DEEP + b"]" * 100_000,
    b'{"a":' * 100_000,
    b'{"unknown": ' + DEEP,
    b'{"type": "ingest.v1", "unknown": ' + DEEP,
    b"9" * 5000,
    b'"\xff"',
    b'"\\ud800"',
    b"",
]


@pytest.mark.parametrize("text", BAD)
def test_json_that_cannot_be_decoded_is_a_decode_error(text: bytes) -> None:
    for kind in (object, dict[str, object], list[object]):
        with pytest.raises(msgspec.DecodeError):
            decode_json(text, kind)


@pytest.mark.parametrize("text", BAD)
def test_a_message_that_cannot_be_decoded_is_a_bad_message(text: bytes) -> None:
    for decode in (decode_order, decode_command):
        with pytest.raises(BadMessage) as raised:
            decode(text)
        assert not re.search("Input data|malformed|codec", str(raised.value))
    assert ended_job(text) is ended_subject(text) is None


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (b"", "it ends too early"),
        (b'{"op": ', "it ends too early"),
        (b'["blu', "it ends too early"),
        (b"[tru", "it ends too early"),
        (b"nothing", "unexpected character at byte 1"),
        (b"{op: 1}", "unexpected character at byte 2"),
        ('["é", x]'.encode(), "unexpected character at byte 8"),
        ('["é", x]', "unexpected character at byte 8"),
        (b'[1,\n 2,\n "a" "b"]', "unexpected character at line 3, byte 6"),
        (b"[NaN]", "unexpected character at byte 2"),
        (b"[1, 2, ]", "a comma before the end of a list or object, at byte 6"),
        (b'{"a": 1,}', "a comma before the end of a list or object, at byte 8"),
        (b"{} {}", "there is more after its end, at byte 4"),
        (b'"a\tb"', "a control character that is not escaped, at byte 3"),
        (rb'["a\q"]', "an invalid escape at byte 4"),
        (rb'["\\ud800", "\ud83d\ude00 \ud800"]', "an escape of half a character at byte 27"),
        (b'["a", "\xff"]', "no UTF-8 at byte 8"),
    ],
)
def test_the_error_says_in_our_words_what_is_wrong_and_where(text: bytes | str, fault: str) -> None:
    with pytest.raises(msgspec.DecodeError) as raised:
        decode_json(text, object)
    assert str(raised.value) == f"is not JSON: {fault}"


def test_a_fault_behind_more_digits_than_python_converts_has_its_place() -> None:
    with pytest.raises(
        msgspec.DecodeError, match=r"a comma before the end of a list or object, at byte 5006$"
    ):
        decode_json(b'{"a":%s,}' % (b"1" * 5000), msgspec.defstruct("Nothing", []))


def test_a_text_that_is_no_json_behind_a_wrong_value_is_no_json() -> None:
    with pytest.raises(BadMessage, match=r"^the order is not JSON: there is more after its end, at byte 13$"):
        decode_order(b'{"type": 5} x')


@pytest.mark.parametrize("number", ["9" * 5000, "1e999"])
def test_a_number_that_is_too_large_is_out_of_range(number: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=r"^is out of range"):
        decode_json(f"[1, {number}]", list[object])


def test_a_text_with_half_a_character_is_a_decode_error() -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_json('"\ud800"', str)

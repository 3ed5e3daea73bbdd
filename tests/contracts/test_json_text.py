"""JSON of other parties: whatever is wrong with it, the error says so and nothing else is raised."""

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
    with pytest.raises(BadMessage):
        decode_order(text)
    with pytest.raises(BadMessage):
        decode_command(text)
    assert ended_job(text) is ended_subject(text) is None


def test_a_text_with_half_a_character_is_a_decode_error() -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_json('"\ud800"', str)

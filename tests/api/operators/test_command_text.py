"""Commands of jobs as operators read them."""

import json

import pytest

from apps.api.responses.command_text import COMMAND_CHARS, TEXT_CHARS, readable


def shown(url: str) -> str:
    """Return what is shown of a URL in a command."""
    return json.loads(readable(json.dumps({"sources": [{"url": url}]})))["sources"][0]["url"]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://ada:pw@example.org/a.jpg", "https://***@example.org/a.jpg"),
        ("http://a@b:c@example.org/?x=1", "http://***@example.org/?x=1"),
        (
            "https://s3.example/a.jpg?X-Amz-Credential=AK%2F1&X-Amz-Expires=60&X-Amz-Signature=1f#top",
            "https://s3.example/a.jpg?X-Amz-Credential=***&X-Amz-Expires=60&X-Amz-Signature=***#top",
        ),
        (
            "https://blob.example/a?sv=1;sig=abc&access_TOKEN=x",
            "https://blob.example/a?sv=1;sig=***&access_TOKEN=***",
        ),
        ("https://example.org/user@home/a.jpg?size=9", "https://example.org/user@home/a.jpg?size=9"),
        ("DATA:image/png;base64,AAAA", "DATA:image/png;base64, and 5 characters"),
    ],
)
def test_secrets_of_urls_and_the_bytes_of_data_urls_are_not_shown(url: str, expected: str) -> None:
    assert shown(url) == expected


def test_the_rest_of_a_command_is_shown_as_it_is() -> None:
    command = {
        "type": "edit.v1",
        "prompt": "a token=1 of love, password: none",
        "keep": True,
        "n": [1.5, None],
    }
    assert json.loads(readable(json.dumps(command))) == command


def test_a_long_command_is_shortened_and_stays_json_where_a_value_is_long() -> None:
    command = json.loads(readable(json.dumps({"prompt": "a" * 50_000, "last": 1})))
    assert (command["prompt"][:TEXT_CHARS], command["last"]) == ("a" * TEXT_CHARS, 1)
    assert command["prompt"].endswith("and 48000 characters")
    assert len(readable(json.dumps(["b" * 99] * 1000))) == COMMAND_CHARS


def test_a_command_that_is_no_json_is_not_shown() -> None:
    assert readable("{token=1") == "the command cannot be read"

"""All that is wrong with a value is found at once, with its place."""

from typing import Any

import pytest

from libs.contracts.all_faults import MAX_FAULTS
from libs.contracts.decode_errors import InvalidValue, convert_value
from libs.contracts.views.accounts import Register
from libs.contracts.views.images import ImageFromUrl, TransformRequest
from libs.contracts.views.links import LinkRequest
from libs.contracts.views.webhooks import WebhookRequest


def faults(value: object, kind: Any) -> list[tuple[str, str]]:
    with pytest.raises(InvalidValue) as failed:
        convert_value(value, kind)
    return [(path, text) for text, path in failed.value.faults]


def test_every_field_of_a_body_is_checked() -> None:
    assert faults({"username": "!", "email": "nobody", "password": "short"}, Register) == [
        (".username", r"does not match the pattern ^[A-Za-z0-9][A-Za-z0-9._-]*$"),
        (".email", r"does not match the pattern ^[^@\s\x00-\x1f\x7f]+@[^@\s\x00-\x1f\x7f]+$"),
        (".password", "must have at least 8 characters"),
    ]


def test_missing_and_unknown_fields_are_listed_beside_wrong_ones() -> None:
    assert faults({"url": 3, "evnets": ["job.completed"]}, WebhookRequest) == [
        (".url", "must be text, not an integer"),
        ("", "unknown field `evnets`; did you mean `events`?"),
    ]
    assert faults({}, Register) == [
        ("", f"the field `{name}` is missing") for name in ("username", "email", "password")
    ]


def test_every_operation_of_a_list_is_checked() -> None:
    operations = [
        {"op": "resize", "widht": 30, "height": 0},
        {"op": "flip"},
        {"op": "blurr"},
        {"op": "rotate"},
    ]
    assert faults({"operations": operations, "retention": "for ever"}, TransformRequest) == [
        (".operations[0].height", "must be at least 1 in operation 1 (resize)"),
        (".operations[0]", "unknown field `widht` in operation 1 (resize); did you mean `width`?"),
        (".operations[2].op", "unknown operation `blurr`; did you mean `blur`?"),
        (".operations[3]", "the field `angle` is missing in operation 4 (rotate)"),
        (".retention", "`retention` cannot be `for ever`; known: `keep`, `ephemeral`"),
    ]


def test_a_rule_about_several_fields_is_one_fault_of_the_whole() -> None:
    assert faults({}, ImageFromUrl) == [("", "give an `image_url`, an `upload` or a `prompt`")]


def test_bounds_are_said_in_words() -> None:
    assert faults({"expires_in": 604_801}, LinkRequest) == [(".expires_in", "must be at most 604800")]
    assert faults({"url": "https://a.example", "events": []}, WebhookRequest) == [
        (".events", "must have at least 1 entry")
    ]


def test_a_list_of_many_faults_is_cut() -> None:
    assert len(faults({"operations": [3] * 5000}, TransformRequest)) == MAX_FAULTS

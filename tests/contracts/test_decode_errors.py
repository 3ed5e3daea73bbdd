"""An error about a value says where it is, and what was probably meant."""

from typing import Any

import msgspec
import pytest

from libs.contracts.commands import BadMessage
from libs.contracts.decode_errors import convert_value
from libs.contracts.json_text import decode_json
from libs.contracts.orders import decode_order
from libs.imaging.operations import AnyOperation
from libs.imaging.operations.reference import fields_of, kinds

Operations = list[AnyOperation]


@pytest.mark.parametrize(
    ("operations", "text"),
    [
        (
            [{"op": "resize", "widht": 3}],
            "unknown field `widht` in operation 1 (resize); did you mean `width`? - at `$[0]`",
        ),
        (
            [{"op": "flip"}, {"op": "resiz"}],
            "unknown operation `resiz`; did you mean `resize`? - at `$[1].op`",
        ),
        (
            [{"op": "flip"}, {"op": "resize", "width": 3, "fit": "covr"}],
            "`fit` cannot be `covr` in operation 2 (resize); did you mean `cover`? - at `$[1].fit`",
        ),
        (
            [{"op": "crop", "aspect": "1:1", "gravity": {"x": 0, "yy": 0}}],
            "unknown field `yy` in operation 1 (crop); did you mean `y`? - at `$[0].gravity`",
        ),
        (
            [{"op": "convert", "format": "auto", "accept": ["wepb"]}],
            "`accept` cannot be `wepb` in operation 1 (convert); did you mean `webp`? - at `$[0].accept[0]`",
        ),
        (
            [{"op": "resize", "width": "a"}],
            "must be an integer or null, not text in operation 1 (resize) - at `$[0].width`",
        ),
        ([{"width": 3}], "the field `op` is missing - at `$[0]`"),
        ([3], "must be an object, not an integer - at `$[0]`"),
        ({"op": "flip"}, "must be a list, not an object"),
    ],
)
def test_a_wrong_operation_is_named_with_its_place(operations: Any, text: str) -> None:
    for decode in (
        lambda: convert_value(operations, Operations),
        lambda: decode_json(msgspec.json.encode(operations), Operations),
    ):
        with pytest.raises(msgspec.ValidationError) as failed:
            decode()
        assert str(failed.value) == text


def test_what_is_like_no_name_is_answered_with_the_names_that_are() -> None:
    with pytest.raises(msgspec.ValidationError, match=r"unknown field `zzz` in .*; known: `sigma`"):
        convert_value([{"op": "blur", "zzz": 1}], Operations)


def test_every_field_of_every_operation_is_the_nearest_to_itself_without_its_last_letter() -> None:
    for name, kind in kinds().items():
        names = [field.name for field in fields_of(kind)]
        for field in names:
            misspelt = field + field[-1] + "q" if len(field) < 3 else field[:-1]
            if misspelt in names:
                continue
            with pytest.raises(msgspec.ValidationError) as failed:
                convert_value([{"op": name, misspelt: 1}], Operations)
            assert f"unknown field `{misspelt}` in operation 1 ({name})" in str(failed.value)
            assert f"`{field}`" in str(failed.value)


def test_an_order_names_the_operation_too() -> None:
    order = {
        "type": "transform.v1",
        "job_id": "0192f0c0-0000-7000-8000-000000000000",
        "owner": "ada",
        "source": {"url": "http://a.example/a.jpg"},
        "operations": [{"op": "resize", "widht": 3}],
    }
    with pytest.raises(BadMessage) as failed:
        decode_order(msgspec.json.encode(order))
    assert "`widht` in operation 1 (resize); did you mean `width`? - at `$.operations[0]`" in str(
        failed.value
    )
    with pytest.raises(BadMessage, match=r"`type` cannot be `transfrom.v1`; did you mean `transform.v1`\?"):
        decode_order(msgspec.json.encode({**order, "type": "transfrom.v1"}))

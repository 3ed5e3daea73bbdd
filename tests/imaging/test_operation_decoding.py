"""Operations in JSON: valid ones are decoded, invalid ones are refused."""

from typing import get_args

import msgspec
import pytest

from libs.imaging.colours import Colour, parse_colour
from libs.imaging.operations import AnyOperation, Compress, Convert, Crop, Grayscale, Resize, Rotate

VALID: list[tuple[str, AnyOperation]] = [
    ('{"op": "resize", "width": 800}', Resize(width=800)),
    (
        '{"op": "resize", "width": 8, "height": 6, "fit": "cover", "gravity": "top-left"}',
        Resize(width=8, height=6, fit="cover", gravity="top-left"),
    ),
    ('{"op": "crop", "x": 1, "y": 2, "width": 3, "height": 4}', Crop(x=1, y=2, width=3, height=4)),
    ('{"op": "rotate", "angle": -37.5}', Rotate(angle=-37.5)),
    ('{"op": "grayscale"}', Grayscale()),
    ('{"op": "compress", "quality": 1}', Compress(quality=1)),
    ('{"op": "convert", "format": "jpg", "background": "#fff"}', Convert(format="jpg", background="#fff")),
]
INVALID = [
    '{"op": "resize"}',
    '{"op": "resize", "width": 0}',
    '{"op": "resize", "width": -1}',
    '{"op": "resize", "width": 1000000000}',
    '{"op": "resize", "width": 16385}',
    '{"op": "resize", "width": 1.5}',
    '{"op": "resize", "width": "800"}',
    '{"op": "resize", "width": 8, "hieght": 8}',
    '{"op": "resize", "width": 8, "fit": "squeeze"}',
    '{"op": "resize", "width": 8, "gravity": "north"}',
    '{"op": "resize", "width": 8, "background": "blurple"}',
    '{"op": "crop", "x": -1, "width": 3, "height": 4}',
    '{"op": "crop", "x": 0, "y": 0, "width": 0, "height": 4}',
    '{"op": "crop", "x": 0, "y": 0}',
    '{"op": "rotate"}',
    '{"op": "rotate", "angle": 1e308}',
    '{"op": "rotate", "angle": 1e999}',
    '{"op": "blur", "sigma": 0}',
    '{"op": "blur", "sigma": 1e9}',
    '{"op": "sharpen", "amount": -1}',
    '{"op": "compress", "quality": 0}',
    '{"op": "compress", "quality": 101}',
    '{"op": "convert"}',
    '{"op": "convert", "format": "svg"}',
    '{"op": "convert", "format": "png", "quality": 0}',
    '{"op": "grayscale", "strength": 1}',
    '{"op": "explode"}',
    '{"width": 8}',
    "[]",
    "{",
]


@pytest.mark.parametrize(("text", "operation"), VALID)
def test_valid_json_decodes_to_an_operation(text: str, operation: AnyOperation) -> None:
    assert msgspec.json.decode(text, type=AnyOperation) == operation


@pytest.mark.parametrize(("_", "operation"), VALID)
def test_an_operation_survives_encoding_and_decoding(_: str, operation: AnyOperation) -> None:
    assert msgspec.json.decode(msgspec.json.encode(operation), type=AnyOperation) == operation


@pytest.mark.parametrize("text", INVALID)
def test_invalid_operations_are_refused_when_decoded(text: str) -> None:
    with pytest.raises(msgspec.DecodeError):
        msgspec.json.decode(text, type=AnyOperation)


def test_the_operations_have_a_json_schema() -> None:
    schema = msgspec.json.schema(AnyOperation)
    assert len(schema["anyOf"]) == len(get_args(AnyOperation))


@pytest.mark.parametrize(
    ("colour", "channels"),
    [
        ("#fff", (255, 255, 255, 255)),
        ("#1a2B3c", (0x1A, 0x2B, 0x3C, 255)),
        ("#11223300", (0x11, 0x22, 0x33, 0)),
        ("rebeccapurple", (0x66, 0x33, 0x99, 255)),
        ("transparent", (0, 0, 0, 0)),
    ],
)
def test_colours_are_hex_or_css_names(colour: str, channels: tuple[int, ...]) -> None:
    assert parse_colour(msgspec.convert(colour, Colour)) == channels


@pytest.mark.parametrize("colour", ["", "#", "#ff", "#ffff", "#gggggg", "fff", "Red", "red\n", "rgb(1,2,3)"])
def test_other_colours_are_refused(colour: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(colour, Colour)

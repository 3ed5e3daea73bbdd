"""Requests of older clients as `curl` sends them, and their responses."""

import json
from io import BytesIO
from typing import Any

from PIL import Image

from tests.support.client import Answer

JSON = ("-H", "Content-Type: application/json")
RED, BLUE = (255, 0, 0), (0, 0, 255)
ROUNDING = 4  # levels that a lossy format may change


def body(**fields: Any) -> tuple[str, str]:
    return ("-d", json.dumps(fields))


def opened(answer: Answer) -> Image.Image:
    assert answer.status == 200, answer
    return Image.open(BytesIO(answer.body))


def colours(image: Image.Image) -> list[tuple[int, Any]]:
    """How often which colour stands there."""
    return image.convert("RGB").getcolors(image.width * image.height) or []


def visible(image: Image.Image) -> bytes:
    """The pixels, where those that are wholly clear have no colour."""
    return Image.alpha_composite(Image.new("RGBA", image.size), image.convert("RGBA")).tobytes()

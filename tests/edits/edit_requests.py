"""Asking for edits, as a program of a user would."""

import json
from io import BytesIO
from typing import Any, cast

import aiohttp
from PIL import Image

from tests.support.client import Answer, Client

WAIT = {"Prefer": "wait=60"}
PROMPT = "make the sky green"


def pixels(size: tuple[int, int] = (120, 80), mode: str = "RGB", colour: str = "navy") -> Image.Image:
    """A picture with something in its left half, so that one can tell which way is up."""
    picture = Image.new("RGB", size, colour)
    picture.paste("gold", (0, 0, size[0] // 2, size[1] // 2))
    return picture.convert(mode)


def file(picture: Image.Image, name: str = "PNG", **options: Any) -> bytes:
    content = BytesIO()
    picture.save(content, name, **options)
    return content.getvalue()


def mask(size: tuple[int, int] = (60, 40)) -> bytes:
    """A PNG, opaque but for its left half."""
    picture = Image.new("RGBA", size, (255, 255, 255, 255))
    picture.paste((0, 0, 0, 0), (0, 0, size[0] // 2, size[1]))
    return file(picture)


def form(**parts: bytes | str | int | list[dict[str, Any]]) -> aiohttp.FormData:
    """Bytes become files, the rest text."""
    made = aiohttp.FormData(default_to_multipart=True)
    for name, value in parts.items():
        if isinstance(value, bytes):
            made.add_field(name, BytesIO(value), filename=f"{name}.bin")
        else:
            made.add_field(name, json.dumps(value) if isinstance(value, list) else str(value))
    return made


async def stored(client: Client, content: bytes | None = None) -> str:
    """The id of a new image that is kept."""
    answer = await client.upload(content or file(pixels()), filename="photo.png")
    assert answer.status == 201, answer
    return answer.json["id"]


async def edit(client: Client, image_id: str, *, wait: bool = True, **fields: Any) -> Answer:
    """`POST /api/images/{id}/edit` in JSON."""
    body = {"prompt": PROMPT, **fields}
    return await client.post(f"/api/images/{image_id}/edit", json=body, headers=WAIT if wait else {})


async def edited(client: Client, image_id: str, **fields: Any) -> dict[str, Any]:
    """The finished job."""
    answer = await edit(client, image_id, **fields)
    assert answer.status == 200, answer
    return answer.json


async def queued(client: Client, image_id: str, **fields: Any) -> str:
    """The id of the job."""
    answer = await edit(client, image_id, wait=False, **fields)
    assert answer.status == 202, answer
    return answer.json["id"]


async def picture_of(client: Client, image_id: str) -> Image.Image:
    answer = await client.get(f"/api/images/{image_id}/download?version=original")
    assert answer.status == 200, answer
    return Image.open(BytesIO(answer.body))


async def record(client: Client, image_id: str) -> dict[str, Any]:
    answer = await client.get(f"/api/images/{image_id}")
    assert answer.status == 200, answer
    return answer.json


async def children_of(client: Client, image_id: str) -> list[str]:
    """The images made of an image, oldest first."""
    answer = await client.get("/api/images", params={"parent": image_id})
    return [one["id"] for one in reversed(answer.json)]


async def used(client: Client) -> dict[str, Any]:
    answer = await client.get("/accounts/me/usage")
    assert answer.status == 200, answer
    return answer.json["edits"]


def rgb(picture: Image.Image, at: tuple[int, int]) -> tuple[int, int, int]:
    return cast("tuple[int, int, int]", picture.convert("RGB").getpixel(at))


def near(picture: Image.Image, at: tuple[int, int], colour: tuple[int, int, int]) -> bool:
    """Whether the pixel has that colour, but for what encoders do to it."""
    return all(abs(one - other) < 40 for one, other in zip(rgb(picture, at), colour, strict=True))

"""A library of thousands of images, made of one: its row and files are copied on an embedded site."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from uuid6 import uuid7

from libs.storage.object_keys import thumbnail_key
from tests.support.client import Client

SCROLL = """async () => {
  const frames = [], drawn = [];
  let last = performance.now();
  while (scrollY + innerHeight < document.documentElement.scrollHeight - 1) {
    scrollBy({top: 120, behavior: "instant"});
    await new Promise(requestAnimationFrame);
    const now = performance.now();
    frames.push(now - last);
    last = now;
    drawn.push(document.querySelectorAll(".tile").length);
  }
  frames.sort((a, b) => a - b);
  const part = share => frames[Math.floor(share * (frames.length - 1))];
  return {frames: frames.length, fps: 1000 / (frames.reduce((a, b) => a + b) / frames.length),
    median_ms: part(0.5), p95_ms: part(0.95), worst_ms: part(1), drawn: Math.max(...drawn),
    nodes: document.querySelectorAll("*").length, heap: performance.memory.usedJSHeapSize};
}"""
"""Scrolls through the page, a step a frame; returns how long frames took, and how much was drawn."""


async def multiply(client: Client, image: dict[str, Any], count: int) -> None:
    """Copy an image of an embedded site `count` times, as `many-0001.jpg` and so on."""
    path = urlsplit(str(image["thumbnail_url"])).path
    thumbnail = await client.get(path)  # made, so that it can be copied
    assert thumbnail.status == 200
    await asyncio.to_thread(_multiply, client.site.directory / "data", image["id"], count)


def _multiply(data: Path, image_id: str, count: int) -> None:
    with closing(sqlite3.connect(data / "darkroom.sqlite", timeout=60)) as connection, connection:
        found = connection.execute("select * from image where id = ?", [image_id])
        names = [column[0] for column in found.description]
        row: dict[str, Any] = dict(zip(names, found.fetchone(), strict=True))
        copies = [_copy(row, number, data / "objects") for number in range(1, count + 1)]
        values = ", ".join(f":{name}" for name in names)
        connection.executemany(f"insert into image ({', '.join(names)}) values ({values})", copies)  # noqa: S608


def _copy(row: dict[str, Any], number: int, objects: Path) -> dict[str, Any]:
    """Return another row, whose files are the same by another name."""
    first, key = row["object_key"], f"{row['object_key']}-{number}"
    for there, here in ((first, key), (thumbnail_key(first), thumbnail_key(key))):
        (objects / here).hardlink_to(objects / there)
    return row | {"id": str(uuid7()), "filename": f"many-{number:04}.jpg", "object_key": key}

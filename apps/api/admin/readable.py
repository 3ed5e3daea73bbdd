"""Names and values of Piccolo's API as operators read them."""

from typing import Any, cast

import msgspec
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from libs.imaging.hashing import hex64

TABLES = "/api/tables/"
TITLES = {
    "id": "ID",
    "md5": "MD5",
    "phash": "Perceptual hash",
    "mime": "Media type",
    "object_key": "File",
    "size_bytes": "Size",
    "bytes_before": "Size before",
    "bytes_after": "Size after",
    "has_alpha": "Transparency",
    "url": "URL",
    "input_url": "Source URL",
    "source_url": "Source URL",
    "webhook_url": "Webhook URL",
    "key_id": "Key",
    "token_id": "Token",
    "max_bytes": "Largest file",
    "last_status_code": "Last status",
}


class Readable:
    """Wraps Piccolo's pages: columns have titles, and a perceptual hash is 16 hex digits.

    A browser reads numbers as doubles, which do not hold 64 bits.
    """

    def __init__(self, pages: ASGIApp) -> None:
        self._pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET" or TABLES not in scope["path"]:
            await self._pages(scope, receive, send)
            return
        started: list[Message] = []
        body = bytearray()

        async def collect(message: Message) -> None:
            if message["type"] == "http.response.start":
                started.append(message)
                return
            body.extend(message.get("body", b""))
            if not message.get("more_body"):
                await _send_readable(started[0], bytes(body), send)

        await self._pages(scope, receive, collect)


async def _send_readable(start: Message, body: bytes, send: Send) -> None:
    headers = dict(start["headers"])
    if start["status"] == 200 and headers.get(b"content-type", b"").startswith(b"application/json"):
        body = msgspec.json.encode(_readable(msgspec.json.decode(body)))
        start["headers"] = [
            (name, str(len(body)).encode() if name == b"content-length" else value)
            for name, value in start["headers"]
        ]
    await send(start)
    await send({"type": "http.response.body", "body": body})


def _readable(answer: Any) -> Any:  # noqa: ANN401 - any JSON
    if not isinstance(answer, dict):
        return answer
    fields = cast("dict[str, Any]", answer)
    if isinstance(fields.get("properties"), dict):
        for name, schema in fields["properties"].items():
            schema["title"] = title(name)
        if "phash" in fields["properties"]:
            fields["properties"]["phash"] |= {"anyOf": [{"type": "string"}, {"type": "null"}]}
    for row in [fields, *fields.get("rows", [])]:
        if isinstance(row.get("phash"), int):
            row["phash"] = hex64(row["phash"])
    return fields


def title(column: str) -> str:
    """Return the heading of a column."""
    return TITLES.get(column) or column.removesuffix("_at").replace("_", " ").capitalize()

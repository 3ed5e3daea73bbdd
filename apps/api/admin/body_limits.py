"""Limits on bodies of the admin pages: Piccolo decodes bodies of any size and depth."""

import msgspec
from litestar.types import HTTPReceiveMessage, Receive, Scope, WebSocketReceiveMessage

from apps.api.uploads.errors import BadUpload, UploadTooLarge
from libs.contracts.json_text import decode_json

MAX_BYTES = 1_000_000
FORM = b"application/x-www-form-urlencoded"


async def checked_body(scope: Scope, receive: Receive) -> Receive:
    """Receive a whole body, and return a function that gives it to the application.

    Raises:
        UploadTooLarge: The body is larger than `MAX_BYTES`.
        BadUpload: It is neither a form nor a JSON object, or is truncated.
    """
    body = bytearray()
    more = True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            raise BadUpload("the connection ended before the body did")
        body += message["body"]
        more = message["more_body"]
        if len(body) > MAX_BYTES:
            raise UploadTooLarge(f"the limit on a body is {MAX_BYTES} bytes")
    if body and not dict(scope["headers"]).get(b"content-type", b"").startswith(FORM):
        try:
            decode_json(body, dict[str, object])
        except msgspec.DecodeError as error:
            raise BadUpload(f"the body {error}") from error
    whole: list[HTTPReceiveMessage] = [{"type": "http.request", "body": bytes(body), "more_body": False}]

    async def receive_whole() -> HTTPReceiveMessage | WebSocketReceiveMessage:
        return whole.pop() if whole else await receive()

    return receive_whole

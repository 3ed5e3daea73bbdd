"""Multipart forms, byte for byte as a client might send them."""

from io import BytesIO
from typing import Any

from tests.support.client import Answer, Client

BOUNDARY = "the-boundary"
FORM_TYPE = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
END = f"--{BOUNDARY}--\r\n".encode()


def file_part(data: bytes, filename: str = "photo.jpg", *, name: str = "image", mime: str = "") -> bytes:
    """A file, its name in plain UTF-8 as browsers send it."""
    kind = f"Content-Type: {mime}\r\n" if mime else ""
    head = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"; filename="{filename}"\r\n{kind}\r\n'
    )
    return head.encode() + data + b"\r\n"


def text_part(name: str, value: str) -> bytes:
    return f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()


async def send(client: Client, *parts: bytes, **options: Any) -> Answer:
    """`POST /api/images` with a whole form of these parts."""
    headers = {**FORM_TYPE, **options.pop("headers", {})}
    return await client.post("/api/images", data=BytesIO(b"".join(parts) + END), headers=headers, **options)

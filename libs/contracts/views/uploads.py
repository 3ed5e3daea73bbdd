"""Direct uploads: files that clients store at a signed address."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

from libs.contracts.views.request_body import Filename, RequestBody

ContentType = Annotated[
    str, Meta(pattern=r"^(image/[A-Za-z0-9.+-]{1,100}|application/octet-stream)$(?!\n)", max_length=128)
]
Md5 = Annotated[str, Meta(pattern=r"^[0-9A-Fa-f]{32}$(?!\n)")]


class UploadRequest(RequestBody, frozen=True, kw_only=True):
    """A file that a client is about to store."""

    filename: Filename
    """The name of the image."""
    size_bytes: Annotated[int, Meta(ge=1)]
    """The size of the file, which its body must have exactly."""
    content_type: ContentType
    """The media type that the request sends: `image/...` or `application/octet-stream`. The format is read
    from the bytes."""
    md5: Md5 | None = None
    """The MD5 of the file, 32 hex digits, which it must have."""


class UploadView(Struct, frozen=True, kw_only=True):
    """Where to store the file. Afterwards `POST /api/images` with `upload` makes an image of it."""

    id: UUID
    """The id that `upload` of `POST /api/images` names."""
    url: str
    """The address of the file; it needs no other authorization."""
    method: Literal["PUT"] = "PUT"
    """The method of the request, whose body is the file itself."""
    headers: Mapping[str, str]
    """Headers that the request must have."""
    expires_at: datetime
    """Until when the request can be begun. The file is removed an hour after the upload was opened."""

"""Addresses of images by URL: parse their path, and build and check their signature.

    /t/{key}.{signature}/{steps}/{image id}[~{version}][.{extension}]
    /t/{key}.{signature}/{steps}/url.{base64url}[.{extension}]
    /t/-/{preset}/{image id}[~{version}][.{extension}]

The signature is an HMAC-SHA256 over `/{steps}/{image id}`, or `/{steps}/url.{base64url}`, as sent: at least
its first 128 bits, in base64url. Version, extension and query only choose among bounded renditions.
"""

import hmac
import re
from base64 import b64decode, urlsafe_b64encode
from hashlib import sha256
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from libs.delivery.errors import AddressInvalid
from libs.imaging.formats import WrittenName

PREFIX = "/t/"
MAX_PATH = 8000  # characters
LEAST_SIGNATURE_BYTES = 16
EXTENSIONS: dict[str, WrittenName] = {
    "jpg": "jpeg",
    "jpeg": "jpeg",
    "png": "png",
    "webp": "webp",
    "avif": "avif",
    "jxl": "jxl",
    "gif": "gif",
}

_KEY = re.compile(r"([A-Za-z0-9-]{1,32})\.([A-Za-z0-9_-]{1,64})={0,2}", re.ASCII)
_IMAGE = re.compile(
    r"([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})(?:~([0-9a-fA-F]{1,32}))?(?:\.([A-Za-z0-9]{1,8}))?"
)
_REMOTE = re.compile(r"url\.([A-Za-z0-9_-]+)={0,2}(?:\.([A-Za-z0-9]{1,8}))?", re.ASCII)
_SEPARATORS = re.compile(r"%(2[cC]|3[aA])")  # `,` and `:`, which paths may have as they are
_TILDE = re.compile(r"%7[eE]")


class Address(Struct, frozen=True, kw_only=True):
    """The parts of an address."""

    steps: str  # as sent
    source: UUID | str  # an image's id, or a URL
    signed: str  # what the signature is computed over
    key_id: str | None = None  # None: there is no signature
    signature: str = ""  # base64url, without padding
    version: str | None = None  # 8 hex digits
    format: WrittenName | None = None  # that the extension names

    def with_plain_separators(self) -> "Address":
        """Return the address that a client or proxy has percent-encoded more than needed."""
        steps = _SEPARATORS.sub(_decoded, self.steps)
        return replace(self, steps=steps, signed=self.signed.replace(self.steps, steps, 1))


def parse_address(path: str) -> Address:
    """Parse a raw path that begins with `/t/`.

    Raises:
        AddressInvalid: It has another form.
    """
    if len(path) > MAX_PATH:
        raise AddressInvalid(f"the address has {len(path)} characters, the limit is {MAX_PATH}")
    parts = path.removeprefix(PREFIX).split("/")
    if len(parts) != 3 or not all(parts):
        raise AddressInvalid("the address is not /t/{key}.{signature}/{steps}/{image id}")
    key, steps, tail = parts
    key_id, signature = _credentials(key)
    image = _IMAGE.fullmatch(_TILDE.sub("~", tail))
    if image is not None:
        return Address(
            key_id=key_id,
            signature=signature,
            steps=steps,
            source=UUID(image[1]),
            signed=f"/{steps}/{image[1]}",
            version=image[2] and image[2].lower(),
            format=_format(image[3]),
        )
    remote = _REMOTE.fullmatch(tail)
    if remote is None:
        raise AddressInvalid(f"{tail!r} is neither an image's id nor url. and a URL in base64url")
    return Address(
        key_id=key_id,
        signature=signature,
        steps=steps,
        source=_decoded_url(remote[1]),
        signed=f"/{steps}/url.{remote[1]}",
        format=_format(remote[2]),
    )


def sign(secret: str, signed: str) -> str:
    """Return the signature of `/{steps}/{image id}`: 256 bits in base64url."""
    return _base64url(_digest(secret, signed))


def is_signature(secret: str, signed: str, signature: str) -> bool:
    """Return whether a signature is the beginning of the HMAC, at least 128 bits of it.

    Bits that base64url leaves over at its end are clear, or go on as the HMAC does: a client may cut its
    bytes or its text.
    """
    length = len(signature) * 6 // 8
    if length < LEAST_SIGNATURE_BYTES:
        return False
    digest = _digest(secret, signed)
    cut_bytes, cut_text = _base64url(digest[:length]), _base64url(digest)[: len(signature)]
    return hmac.compare_digest(cut_bytes, signature) or hmac.compare_digest(cut_text, signature)


def _digest(secret: str, signed: str) -> bytes:
    return hmac.digest(secret.encode(), signed.encode(), sha256)


def _decoded(found: re.Match[str]) -> str:
    return chr(int(found[1], 16))


def _credentials(text: str) -> tuple[str | None, str]:
    if text == "-":
        return None, ""
    found = _KEY.fullmatch(text)
    if found is None:
        raise AddressInvalid("the address begins with neither {key}.{signature} nor -")
    return found[1], found[2]


def _decoded_url(text: str) -> str:
    try:
        return b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode()
    except ValueError as error:
        raise AddressInvalid("the remote URL is not base64url of UTF-8") from error


def _base64url(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")


def _format(extension: str | None) -> WrittenName | None:
    if extension is None:
        return None
    found = EXTENSIONS.get(extension.lower())
    if found is None:
        raise AddressInvalid(f"there is no format .{extension}; there are {', '.join(EXTENSIONS)}")
    return found

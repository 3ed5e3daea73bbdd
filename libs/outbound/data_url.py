"""`data:` URLs (RFC 2397), which contain the bytes themselves."""

import base64
import binascii
import re
from urllib.parse import unquote_to_bytes

from libs.outbound.errors import UrlNotAnImage, UrlTooLarge

SCHEME = "data:"
BLANKS = re.compile(r"[ \t\r\n]")


def is_data_url(text: str) -> bool:
    """Return whether the text is a `data:` URL, well-formed or not."""
    return text.lstrip()[: len(SCHEME)].lower() == SCHEME


def decode_data_url(text: str, *, max_bytes: int) -> bytes:
    """Return the bytes of a `data:` URL; base64 may use either alphabet and omit its padding.

    Raises:
        UrlTooLarge: There are more than `max_bytes`.
        UrlNotAnImage: The URL is malformed.
    """
    media_type, comma, data = text.strip()[len(SCHEME) :].partition(",")
    if not comma:
        raise UrlNotAnImage("the data: URL has no comma")
    if media_type.rpartition(";")[2].strip().lower() == "base64":
        content = _from_base64(data)
    else:
        content = unquote_to_bytes(data)
    if len(content) > max_bytes:
        raise UrlTooLarge(f"the data: URL holds {len(content)} bytes, the limit is {max_bytes}")
    return content


def _from_base64(data: str) -> bytes:
    decoded = unquote_to_bytes(data).decode("latin-1") if "%" in data else data
    digits = BLANKS.sub("", decoded).rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(digits + "=" * (-len(digits) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise UrlNotAnImage("the data: URL is not base64") from error

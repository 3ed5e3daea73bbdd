"""The keys that every kind of store can hold: valid in S3, and valid as a relative path."""

import re

from libs.storage.objects.errors import BadKey

MAX_KEY_BYTES = 1024  # S3's limit
MAX_SEGMENT_BYTES = 255  # a file name's limit
CONTROL = re.compile(r"[\x00-\x1f\x7f]")
INCOMING = ".incoming"  # the local store's folder for incomplete files


def check_key(key: str) -> None:
    """Check that a key consists of plain file names joined by slashes.

    Raises:
        BadKey: It does not.
    """
    _check_text(key)
    for segment in key.split("/"):
        if segment in ("", ".", ".."):
            raise BadKey(key, "a segment is empty, '.' or '..'")
        if len(segment.encode()) > MAX_SEGMENT_BYTES:
            raise BadKey(key, f"a segment is longer than {MAX_SEGMENT_BYTES} bytes")
    if key.split("/")[0] == INCOMING:
        raise BadKey(key, f"{INCOMING!r} is reserved")


def check_prefix(prefix: str) -> None:
    """Check that a prefix can be the beginning of a key; it can be cut anywhere, or be empty.

    Raises:
        BadKey: It cannot.
    """
    _check_text(prefix)
    folders = prefix.split("/")[:-1]
    if any(folder in ("", ".", "..") for folder in folders):
        raise BadKey(prefix, "a segment is empty, '.' or '..'")


def _check_text(text: str) -> None:
    if "\\" in text:
        raise BadKey(text, "it contains a backslash")
    if CONTROL.search(text):
        raise BadKey(text, "it contains a control character")
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise BadKey(text, "it is not valid Unicode") from None
    if size > MAX_KEY_BYTES:
        raise BadKey(text, f"it is longer than {MAX_KEY_BYTES} bytes")

"""Keys and tokens with a right id, a right form and a right checksum, but another secret."""

import string
from zlib import crc32

DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
CHECKSUM_LENGTH = 6


def with_other_secret(key: str) -> str:
    """Return the key as a stranger could make it who knows its id and the published form."""
    head, _, rest = key.rpartition("_")
    secret = rest[:-CHECKSUM_LENGTH]
    body = f"{head}_{secret[1:]}{'0' if secret[0] != '0' else '1'}"
    number, checksum = crc32(body.encode()), ""
    while number:
        number, digit = divmod(number, len(DIGITS))
        checksum = DIGITS[digit] + checksum
    return body + checksum.rjust(CHECKSUM_LENGTH, "0")

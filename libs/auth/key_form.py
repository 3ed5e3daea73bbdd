"""The form of keys and tokens that are no JSON: `<prefix><id>_<secret><checksum>`, and their digests.

The fixed prefix and the checksum (CRC-32 in base 62, as in GitHub's tokens) let secret scanners find a key,
and let a mistyped one be refused without a query.
"""

import re
import secrets
import string
from hashlib import sha256
from zlib import crc32

from msgspec import Struct

DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
ID_LENGTH = 12
SECRET_LENGTH = 32  # 190 bits
CHECKSUM_LENGTH = 6


class ParsedKey(Struct, frozen=True):
    """A key: its text, the id that finds its row, and the digest that proves it."""

    text: str
    id: str
    digest: str  # SHA-256 of the whole key, 64 hex digits


class KeyForm:
    """The form of one kind of key, which its prefix tells from the others."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        secret = SECRET_LENGTH + CHECKSUM_LENGTH
        self._pattern = re.compile(
            rf"{prefix}(?P<id>[0-9A-Za-z]{{{ID_LENGTH}}})_[0-9A-Za-z]{{{secret}}}", re.ASCII
        )

    def new(self) -> ParsedKey:
        """Return a new random key."""
        key_id = _random(ID_LENGTH)
        body = f"{self.prefix}{key_id}_{_random(SECRET_LENGTH)}"
        return _parsed(body + _checksum(body), key_id)

    def is_claimed_by(self, text: str) -> bool:
        """Return whether a credential claims to be of this kind."""
        return text.startswith(self.prefix)

    def parse(self, text: str) -> ParsedKey | None:
        """Return the parts of a key; None if its form or its checksum is wrong."""
        found = self._pattern.fullmatch(text)
        if found is None or _checksum(text[:-CHECKSUM_LENGTH]) != text[-CHECKSUM_LENGTH:]:
            return None
        return _parsed(text, found["id"])


def _parsed(text: str, key_id: str) -> ParsedKey:
    return ParsedKey(text, key_id, sha256(text.encode()).hexdigest())


def _random(length: int) -> str:
    return "".join(secrets.choice(DIGITS) for _ in range(length))


def _checksum(body: str) -> str:
    number, digits = crc32(body.encode()), ""
    for _ in range(CHECKSUM_LENGTH):
        number, digit = divmod(number, len(DIGITS))
        digits = DIGITS[digit] + digits
    return digits

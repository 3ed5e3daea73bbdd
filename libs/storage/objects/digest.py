"""Check that what is stored is what was received."""

from pathlib import Path

from libs.storage.objects.errors import DigestMismatch
from libs.storage.objects.port import Digest


def check_size(path: Path, expected: Digest | None) -> None:
    """Raise `DigestMismatch` unless the file has the expected size."""
    if expected is None:
        return
    size_bytes = path.stat().st_size
    if size_bytes != expected.size_bytes:
        raise DigestMismatch(f"the file has {size_bytes} bytes instead of {expected.size_bytes}")


def check_etag(etag: str, expected: Digest | None) -> None:
    """Raise `DigestMismatch` if the ETag is the digest of other content.

    An ETag is an MD5 digest only where the store does not encrypt, and names no parts (`...-2`).
    """
    if expected is not None and len(etag) == len(expected.md5) and etag.lower() != expected.md5:
        raise DigestMismatch(f"the store has an object with the digest {etag} instead of {expected.md5}")

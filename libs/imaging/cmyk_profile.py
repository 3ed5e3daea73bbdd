"""The profile of CMYK images that have none."""

from functools import lru_cache
from pathlib import Path

_HEADER_BYTES = 128
_SPACE, _SIGNATURE = slice(16, 20), slice(36, 40)  # ICC.1, 7.2


@lru_cache(maxsize=1)
def read_cmyk_profile(path: Path) -> bytes:
    """Read an ICC profile.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is no complete ICC profile for CMYK.
    """
    profile = path.read_bytes()
    complete = len(profile) > _HEADER_BYTES and int.from_bytes(profile[:4], "big") == len(profile)
    if not complete or profile[_SIGNATURE] != b"acsp":
        raise ValueError(f"{path} is no ICC profile")
    if profile[_SPACE] != b"CMYK":
        space = profile[_SPACE].decode("ascii", "replace").strip()
        raise ValueError(f"{path} is a profile for {space}, not for CMYK")
    return profile

"""The accounts that API keys and upload tokens act for, as far as this process has seen them."""

from collections import OrderedDict
from hashlib import sha256
from typing import Any

from litestar import Request
from litestar.types import HTTPScope

REMEMBERED = 10_000  # keys


class KeyOwners:
    """The account that each key acted for when it was last seen; for rate limits only.

    Rate limits are checked before the database is asked, so a key that is new here counts for its address.
    """

    def __init__(self) -> None:
        self._owners: OrderedDict[bytes, int] = OrderedDict()  # by digest: a key is a secret

    def account_of(self, key: str) -> int | None:
        """Return the account of a key; None for one that was not seen, or not accepted."""
        return self._owners.get(_digest(key))

    def note(self, key: str, owner: int | None) -> None:
        """Remember the account that a key acted for; forget a key that was refused."""
        digest = _digest(key)
        if owner is None:
            self._owners.pop(digest, None)
            return
        self._owners[digest] = owner
        self._owners.move_to_end(digest)
        if len(self._owners) > REMEMBERED:
            self._owners.popitem(last=False)


def holder_of(scope: HTTPScope) -> int | None:
    """Return the account of the key that a request was made with; None if it was not accepted."""
    request: Request[Any, Any, Any] = Request(scope)
    row = request.state.get("api_key") or request.state.get("upload_token")
    return None if row is None else row.owner


def _digest(key: str) -> bytes:
    return sha256(key.encode(errors="replace")).digest()

"""Who may enter the admin pages."""

import time
from collections import defaultdict

from piccolo_api.rate_limiting.middleware import RateLimitError, RateLimitProvider

from libs.storage import accounts
from libs.storage.database.tables import BaseUser

MINUTE_S = 60.0


class Operator(BaseUser, tablename="piccolo_user"):
    """An account that is active and marked `admin`; others cannot even log in here."""

    @classmethod
    async def login(cls, username: str, password: str) -> int | None:
        """The account's id; anybody else takes as long to be refused."""
        try:
            user = await accounts.authenticate(username, password)
        except accounts.BadCredentials:
            return None
        return user.id if user.admin else None


class LoginLimit(RateLimitProvider):
    """So many requests a minute from one address, then none until the minute is over."""

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._since = time.monotonic()
        self._seen: defaultdict[str, int] = defaultdict(int)

    def increment(self, identifier: str) -> None:
        """Count a request.

        Raises:
            RateLimitError: It is one too many.
        """
        if time.monotonic() - self._since > MINUTE_S:
            self._since = time.monotonic()
            self._seen.clear()
        self._seen[identifier] += 1
        if self._seen[identifier] > self._per_minute:
            raise RateLimitError

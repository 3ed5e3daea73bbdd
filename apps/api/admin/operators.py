"""Authentication of operators on the admin pages."""

import time
from collections import defaultdict

from piccolo_api.rate_limiting.middleware import RateLimitError, RateLimitProvider

from libs.storage import accounts
from libs.storage.database.tables import BaseUser

MINUTE_S = 60.0


class Operator(BaseUser, tablename="piccolo_user"):
    """An active account marked `admin`. Other accounts cannot log in to the admin pages."""

    @classmethod
    async def login(cls, username: str, password: str) -> int | None:
        """Return the account's id, or None. A refusal takes as long as a login."""
        try:
            user = await accounts.authenticate(username, password)
        except accounts.BadCredentials:
            return None
        if not user.admin:
            return None
        await accounts.note_login(user)
        return user.id


class LoginLimit(RateLimitProvider):
    """A limit on requests per minute from one address."""

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._minute_began = time.monotonic()
        self._requests: defaultdict[str, int] = defaultdict(int)

    def increment(self, identifier: str) -> None:
        """Count a request.

        Raises:
            RateLimitError: The limit of this minute is exceeded.
        """
        if time.monotonic() - self._minute_began > MINUTE_S:
            self._minute_began = time.monotonic()
            self._requests.clear()
        self._requests[identifier] += 1
        if self._requests[identifier] > self._per_minute:
            raise RateLimitError

"""Limits on guesses of a password: of an account from one address, and of an account from all."""

from typing import Any

from litestar import Request

from apps.api.middleware.rate_limits import RequestCounts
from libs.settings import Settings

MAX_NAME = 100  # characters that are counted of a username: no account has more


class LoginLimits:
    """Counts the tries of each account; `RateLimits` counts those of each address, whatever the account."""

    def __init__(self, settings: Settings, counts: RequestCounts) -> None:
        self._settings = settings
        self._counts = counts

    def count(self, username: str, request: Request[Any, Any, Any]) -> None:
        """Count one try of a password.

        Raises:
            TooManyRequestsException: There were too many in this minute.
        """
        address, name = request.client.host if request.client else "-", username[:MAX_NAME]
        self._counts.take(f"login of {name} from {address}", self._settings.login_limit_per_minute)
        self._counts.take(f"login of {name}", self._settings.account_login_limit_per_minute)

"""Errors of requests to URLs that users give."""

from typing import Literal


class FetchError(Exception):
    """The request to the URL failed or returned nothing usable."""

    code = "url_error"
    outcome: Literal["transient", "permanent", "refused"] = "permanent"  # an instance may be transient

    def __init__(self, detail: str, *, transient: bool = False, retry_after_s: float | None = None) -> None:
        super().__init__(detail)
        if transient:
            self.outcome = "transient"
        self.retry_after_s = retry_after_s  # from the server's Retry-After header


class UrlForbidden(FetchError):
    """The URL is not allowed: it has another scheme or port, or it leads into a private network."""

    code = "url_forbidden"
    outcome = "refused"


class UrlUnreachable(FetchError):
    """No server answers at the address, or the connection broke."""

    code = "url_unreachable"


class UrlTimeout(FetchError):
    """The server took longer to respond in full than the time limit."""

    code = "url_timeout"


class UrlHttpError(FetchError):
    """The server responded with an error; the message has the status."""

    code = "url_http_error"


class UrlTooLarge(FetchError):
    """The response is larger than the size limit."""

    code = "url_too_large"


class UrlNotAnImage(FetchError):
    """The response is not an image."""

    code = "url_not_an_image"

"""Why something could not be had from an address that a user named."""


class FetchError(Exception):
    """An address gave nothing that can be used."""

    code = "url_error"

    def __init__(self, detail: str, *, passing: bool = False, retry_after_s: float | None = None) -> None:
        super().__init__(detail)
        self.passing = passing  # the same again may succeed later
        self.retry_after_s = retry_after_s  # how long the host asked to be left alone


class UrlForbidden(FetchError):
    """The address is not one that Darkroom asks: of another scheme or port, or inside a network."""

    code = "url_forbidden"


class UrlUnreachable(FetchError):
    """Nobody answers at the address, or the connection broke."""

    code = "url_unreachable"


class UrlTimeout(FetchError):
    """The address took longer to answer in full than a fetch may."""

    code = "url_timeout"


class UrlHttpError(FetchError):
    """The address answered with an error; the text has its status."""

    code = "url_http_error"


class UrlTooLarge(FetchError):
    """The address holds more bytes than a fetch may."""

    code = "url_too_large"


class UrlNotAnImage(FetchError):
    """What the address holds is no image."""

    code = "url_not_an_image"

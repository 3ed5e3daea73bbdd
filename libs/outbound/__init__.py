"""HTTP requests to URLs that users give: limited in time and size, and never into private networks."""

from libs.outbound.data_url import DataUrlDecoder, decoded_data_url, is_data_url
from libs.outbound.errors import (
    FetchError,
    UrlForbidden,
    UrlHttpError,
    UrlNotAnImage,
    UrlTimeout,
    UrlTooLarge,
    UrlUnreachable,
)
from libs.outbound.fetch import Fetched, Fetcher, FetchLimits, Validators
from libs.outbound.guard import Guard

__all__ = [
    "DataUrlDecoder",
    "FetchError",
    "FetchLimits",
    "Fetched",
    "Fetcher",
    "Guard",
    "UrlForbidden",
    "UrlHttpError",
    "UrlNotAnImage",
    "UrlTimeout",
    "UrlTooLarge",
    "UrlUnreachable",
    "Validators",
    "decoded_data_url",
    "is_data_url",
]

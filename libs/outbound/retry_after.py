"""Parsing of the Retry-After header."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

SECONDS = re.compile(r"\s*[0-9]+(\.[0-9]+)?\s*")


def retry_after_s(header: str | None) -> float | None:
    """Parse a Retry-After header (RFC 9110, section 10.2.3), seconds or a date, into seconds from now.

    Fractions of a second are accepted as well: some servers send them. Return None where the header is
    missing or malformed.
    """
    if header is None:
        return None
    if SECONDS.fullmatch(header):
        return float(header)
    try:
        moment = parsedate_to_datetime(header)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())

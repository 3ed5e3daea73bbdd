"""Parsing of the Retry-After header."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

MAX_RETRY_AFTER_S = 3600.0  # no server holds up its clients for longer
SECONDS = re.compile(r"[ \t]*[0-9]+(\.[0-9]+)?[ \t]*")
UNUSABLE = (ValueError, TypeError, IndexError, OverflowError)  # what parsing and comparing a date can raise


def retry_after_s(header: str | None) -> float | None:
    """Parse a Retry-After header (RFC 9110, section 10.2.3) into seconds from now, at most an hour.

    It holds seconds or a date. Fractions of a second are accepted as well: some servers send them. Return
    None where the header is missing or cannot be used.
    """
    if header is None:
        return None
    if SECONDS.fullmatch(header):
        return min(float(header), MAX_RETRY_AFTER_S)
    try:
        moment = parsedate_to_datetime(header)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        wait_s = (moment - datetime.now(UTC)).total_seconds()
    except UNUSABLE:
        return None
    return min(max(0.0, wait_s), MAX_RETRY_AFTER_S)

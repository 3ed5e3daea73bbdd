"""Map a vendor's error status to an EditError."""

from http import HTTPStatus
from typing import cast

import openai

from libs.edits.errors import (
    EditAuth,
    EditError,
    EditQuota,
    EditRateLimited,
    EditRejected,
    EditTimedOut,
    EditUnavailable,
)
from libs.outbound.retry_after import retry_after_s

OUT_OF_CREDIT = {"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"}
GAVE_UP_WAITING = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.GATEWAY_TIMEOUT}
LONGEST_WAIT_S = 600.0  # a longer Retry-After fails the job
MAX_WORDS = 500


def to_edit_error(error: openai.APIStatusError) -> EditError:
    """Return the error for an answer with a status of 300 or more.

    The vendor's text about the key is left out: it repeats parts of the key.
    """
    status, words = error.status_code, _words(error)
    if error.code in OUT_OF_CREDIT or status == HTTPStatus.PAYMENT_REQUIRED:
        return EditQuota("the site's account at the vendor has no credit left")
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return EditAuth(f"the vendor refuses the site's key (status {status})")
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return _rate_limited(error, words)
    if status in GAVE_UP_WAITING:
        return EditTimedOut(
            f"the vendor gave up waiting (status {status}); it may have been paid for all the same"
        )
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return EditUnavailable(
            f"the vendor has an error of its own (status {status}): {words}",
            not_run=True,
            after_s=min(retry_after_s(error.response.headers.get("retry-after")) or 0, LONGEST_WAIT_S),
        )
    if status < HTTPStatus.BAD_REQUEST or status in (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED):
        return EditUnavailable(f"the vendor does not offer this model here (status {status}): {words}")
    return EditRejected(f"the vendor refuses: {words}")


def _rate_limited(error: openai.APIStatusError, words: str) -> EditRateLimited:
    after_s = retry_after_s(error.response.headers.get("retry-after"))
    return EditRateLimited(
        f"the vendor takes no more calls for now: {words}",
        not_run=after_s is not None and after_s <= LONGEST_WAIT_S,
        after_s=after_s or 0,
    )


def _words(error: openai.APIStatusError) -> str:
    body = cast("dict[str, object]", error.body) if isinstance(error.body, dict) else {}
    message = body.get("message")
    text = message if isinstance(message, str) and message else error.response.reason_phrase
    return " ".join(text.split())[:MAX_WORDS] or "no reason given"

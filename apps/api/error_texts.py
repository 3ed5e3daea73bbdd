"""What each error code means, for docs/errors.md and the pages at /errors."""

from collections.abc import Iterator
from functools import cache

from apps.api.problems import STATUS, all_codes

WITHOUT_CLASS = {
    "attempts_exhausted": "The job failed because its worker was lost in every attempt.",
    "forbidden": "The account is not allowed to make this request.",
    "internal_error": "An unexpected error of the server. The log has it under the `request_id`.",
    "invalid_request": "The request is invalid. `errors` names the fields, or `detail` gives the reason.",
    "job_cancelled": "The job that the request waited for was cancelled.",
    "method_not_allowed": "The address exists, but not for this method. See the header `Allow`.",
    "not_found": "There is nothing at this address.",
    "request_timeout": "The body arrived too slowly. The connection is closed.",
    "rate_limited": "The client sent too many requests in a minute. See the header `Retry-After`.",
    "storage_full": "No space is left for a file or a row. The same request can succeed once space is free.",
}
"""The meaning of codes that no class has, or that several classes share."""


@cache
def meanings() -> dict[str, tuple[int, str]]:
    """Return the status and the meaning of every code, in the order of the codes."""
    texts = _docstrings() | WITHOUT_CLASS
    return {code: (status, texts[code]) for code, status in sorted(all_codes().items())}


def _docstrings() -> dict[str, str]:
    """Return the first paragraph of each class's docstring, by its code; a base class wins."""
    found: dict[str, str] = {}
    for kind in STATUS:
        for derived in _with_subclasses(kind):
            text = " ".join((derived.__doc__ or "").split("\n\n")[0].split())
            found.setdefault(str(vars(derived).get("code", "")), text)
    return found


def _with_subclasses(kind: type[Exception]) -> Iterator[type[Exception]]:
    yield kind
    for derived in kind.__subclasses__():
        yield from _with_subclasses(derived)

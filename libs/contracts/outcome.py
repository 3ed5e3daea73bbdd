"""What an error means for the work that met it; every error class with a `code` has an `outcome`."""

from typing import Literal, TypeAlias

Outcome: TypeAlias = Literal["transient", "permanent", "refused"]
"""transient: the same again may succeed; permanent: this input cannot; refused: the request is invalid."""


def outcome_of(error: BaseException) -> Outcome | None:
    """Return the error's outcome; None for an error that nobody foresaw."""
    return getattr(error, "outcome", None)

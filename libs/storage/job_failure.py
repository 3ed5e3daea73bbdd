"""The reason for a failed job or attempt, as rows store it."""

from msgspec import Struct


class Failure(Struct, frozen=True):
    """An error code of a job, and its text for people."""

    code: str
    detail: str


CANCELLED = Failure("job_cancelled", "the job was cancelled")

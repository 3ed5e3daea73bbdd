"""Why something did not succeed, as its row keeps it."""

from msgspec import Struct


class Failure(Struct, frozen=True):
    """Why a job did not succeed."""

    code: str
    detail: str


CANCELLED = Failure("job_cancelled", "the job was cancelled")

"""Our own message to a worker: it names a job, whose row holds the command."""

from uuid import UUID

import msgspec
from msgspec import Struct

from libs.contracts.json_text import JsonDecoder

MAX_BYTES = 200  # of a wake-up message; anything longer is an order


class WakeUp(Struct, frozen=True, kw_only=True, tag_field="type", tag="wake.v1"):
    """Wake a worker for a queued job."""

    job_id: UUID


_decoder = JsonDecoder(msgspec.json.Decoder(WakeUp))


def job_to_wake(body: bytes) -> UUID | None:
    """Return the job that a wake-up message names; None for any other message."""
    if len(body) > MAX_BYTES:
        return None
    try:
        return _decoder.decode(body).job_id
    except msgspec.DecodeError:
        return None

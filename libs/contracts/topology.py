"""Exchanges, queues and routing keys: what every process and every outside producer agrees on."""

from enum import StrEnum

JOBS = "darkroom.jobs"
"""Direct, durable. A job's message goes here with a `Route` as its routing key."""

JOBS_OF = "darkroom.jobs.of."
"""Fanout, durable, bound to `JOBS`: through `darkroom.jobs.of.NAME` publishes the broker's user NAME alone,
by its permissions. It is for clients that cannot set `user_id`; an operator makes it."""

EVENTS = "darkroom.events"
"""Topic, durable. Keys are `job.completed`, `job.failed`, `image.deleted`, `batch.completed`."""

DEAD = "darkroom.dead"
"""Fanout, durable: the dead-letter exchange, and the one queue bound to it, which people read."""

OWN_PREFIX = "darkroom."
"""Every name above and every queue below starts so. No reply is ever sent to such a queue."""

DELIVERY_LIMIT = 20
"""Deliveries a message may lose with its worker before the broker dead-letters it by itself."""


MAX_BODY_BYTES = 10_000_000
"""A longer message is put aside unread."""


class Route(StrEnum):
    """A kind of work: the routing key on `JOBS`, and the suffix of its queue's name."""

    TRANSFORM = "transform"
    TRANSFORM_BULK = "transform.bulk"
    INGEST = "ingest"
    INGEST_BULK = "ingest.bulk"
    DESCRIBE = "describe"
    EDIT = "edit"

    @property
    def queue(self) -> str:
        return OWN_PREFIX + self.value


DEAD_ARGUMENTS: dict[str, str | int] = {"x-queue-type": "quorum"}
"""What the queue `DEAD` is declared with, durable."""

QUEUE_ARGUMENTS: dict[str, str | int] = {
    "x-queue-type": "quorum",
    "x-dead-letter-exchange": DEAD,
    "x-delivery-limit": DELIVERY_LIMIT,
}
"""What each route's queue is declared with, durable. A declaration with others is refused."""

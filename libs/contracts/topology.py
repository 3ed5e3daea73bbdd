"""Exchanges, queues and routing keys, which all processes and all producers of orders share."""

from enum import StrEnum

JOBS = "darkroom.jobs"
"""Direct, durable. Orders and wake-ups are published here with a `Route` as the routing key."""

JOBS_OF = "darkroom.jobs.of."
"""Fanout, durable, bound to `JOBS`. Only the broker user NAME may publish to `darkroom.jobs.of.NAME`.

It is for clients that cannot set `user_id`; an operator declares it and its permissions."""

EVENTS = "darkroom.events"
"""Topic, durable. Keys are `job.completed`, `job.failed`, `image.deleted`, `batch.completed`."""

DEAD = "darkroom.dead"
"""Fanout, durable: the dead-letter exchange, and the queue bound to it, which operators read."""

OWN_PREFIX = "darkroom."
"""Prefix of all names above and all queues below. No reply is sent to a queue with this prefix."""

DELIVERY_LIMIT = 20
"""How often the broker redelivers a message whose worker died before it dead-letters the message."""

MAX_BODY_BYTES = 10_000_000
"""A larger message is dead-lettered without being decoded."""


class Route(StrEnum):
    """A kind of work: the routing key on `JOBS` and the suffix of the queue's name."""

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
"""Arguments of the durable queue `DEAD`."""

QUEUE_ARGUMENTS: dict[str, str | int] = {
    "x-queue-type": "quorum",
    "x-dead-letter-exchange": DEAD,
    "x-delivery-limit": DELIVERY_LIMIT,
}
"""Arguments of each route's durable queue. The broker refuses a declaration with other arguments."""

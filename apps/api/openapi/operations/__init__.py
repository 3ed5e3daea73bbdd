"""The descriptions of today's operations, by operation id."""

from collections.abc import Mapping

from apps.api.openapi.described import Described
from apps.api.openapi.operations import (
    accounts,
    batches,
    delivery,
    health,
    images,
    jobs,
    operators,
    uploads,
    webhooks,
)

OPERATIONS: Mapping[str, Described] = {
    **accounts.OPERATIONS,
    **images.OPERATIONS,
    **uploads.OPERATIONS,
    **delivery.OPERATIONS,
    **jobs.OPERATIONS,
    **batches.OPERATIONS,
    **webhooks.OPERATIONS,
    **operators.OPERATIONS,
    **health.OPERATIONS,
}

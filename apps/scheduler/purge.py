"""Deleting rows that are no longer needed."""

from libs.backends import Backends
from libs.storage import accounts, host_throttle, idempotency, refresh_tokens, webhook_deliveries


async def purge(_: Backends) -> int:
    """Delete expired tokens and keys, old deliveries, deleted accounts and past pauses; return how many."""
    return (
        await refresh_tokens.purge_expired()
        + await idempotency.purge_expired()
        + await webhook_deliveries.purge()
        + await accounts.purge_deleted()
        + await host_throttle.purge_pauses()
    )

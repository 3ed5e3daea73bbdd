"""Hold a job's lease while its work runs."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from libs.storage import leases
from libs.storage.database.errors import DatabaseUnavailable
from libs.storage.leases import Claim, LostLease

EXTENSIONS_A_LEASE = 3

T = TypeVar("T")


async def under_lease(
    claim: Claim, work: Coroutine[Any, Any, T], *, lease_s: float, cancelled: asyncio.Event
) -> T:
    """Run `work` to its end and extend the lease meanwhile; return what it returns.

    Raises:
        LostLease: The job was cancelled, or another worker holds it; the work is stopped.
    """
    task = asyncio.ensure_future(work)
    cancellation = asyncio.ensure_future(cancelled.wait())
    try:
        while not task.done():
            done, _ = await asyncio.wait(
                {task, cancellation},
                timeout=lease_s / EXTENSIONS_A_LEASE,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if task not in done and (cancellation in done or not await _extended(claim, lease_s)):
                raise LostLease(str(claim.job_id))
        return await task
    finally:
        cancellation.cancel()
        task.cancel()
        with suppress(asyncio.CancelledError, Exception):  # raised to the caller above, or of no interest
            await task


async def _extended(claim: Claim, lease_s: float) -> bool:
    try:
        return await leases.extend(claim, lease_s=lease_s) or await leases.ended_by(claim)
    except DatabaseUnavailable:
        return True  # not known to be lost; the last statement decides

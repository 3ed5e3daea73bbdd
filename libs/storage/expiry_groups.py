"""Expiry groups: a source and the results that expire with it."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

from libs.contracts.enums import ImageStatus
from libs.storage.database.statement import Slot, Statement
from libs.storage.database.tables import Image, now


async def join(source: UUID, results: Sequence[Image], *, shares_expiry: bool, downloaded_s: float) -> None:
    """Mark the source as decoded, and let results of its expiry group expire with it; before they are saved.

    Call it first in the transaction: a download of the source at the same moment either waits for its row, or
    has happened already and is seen here.
    """
    rows = await _READY(now=now(), image_id=source)
    if not rows or not shares_expiry:
        return
    group = rows[0]
    for result in results:
        if group["first_downloaded_at"] is not None:
            result.first_downloaded_at = group["first_downloaded_at"]
            result.expires_at = max(group["expires_at"], now() + timedelta(seconds=downloaded_s))
        else:
            result.expires_at = group["expires_at"] or result.expires_at


_READY = Statement(
    cast(
        "Any",
        Image.update({Image.status: ImageStatus.READY, Image.updated_at: Slot("now")})
        .where((Image.id == Slot("image_id")) & (Image.status != ImageStatus.DELETING))
        .returning(Image.first_downloaded_at, Image.expires_at),
    ),
    quick=True,
)

"""Functions over the audit log: what operators changed. Entries are added and listed, never changed."""

from datetime import timedelta
from typing import Literal, TypeAlias
from uuid import UUID

from libs.storage import site_lists
from libs.storage.bounded_count import Matching, Total
from libs.storage.database.engine import rows
from libs.storage.database.operator_tables import AuditEntry
from libs.storage.database.tables import BaseUser, first_id_since, now

KEPT = timedelta(days=400)  # so that a year can be looked back on
DETAIL_CHARS = 2000

Action: TypeAlias = Literal[
    "job.retry",
    "job.cancel",
    "image.delete",
    "batch.retry",
    "batch.delete",
    "delivery.redeliver",
    "account.create",
    "account.change",
    "account.activate",
    "account.deactivate",
    "account.reset_password",
    "account.end_sessions",
    "key.revoke",
    "upload_token.revoke",
    "webhook.change",
    "webhook.delete",
    "dead_letter.requeue",
    "dead_letter.drop",
    "recovery.retry",
    "consistency.check",
]


async def add(
    operator: BaseUser, action: Action, subject: object, *, detail: str = "", request_id: str | None = None
) -> None:
    """Record what an operator does; `action` begins with the kind of the subject.

    Call it in the transaction of the change where there is one.
    """
    entry = AuditEntry(
        operator=operator.id,
        username=operator.username,
        action=action,
        kind=action.partition(".")[0],
        subject=str(subject)[:255],
        detail=detail[:DETAIL_CHARS],
        request_id=request_id,
        created_at=now(),
    )
    await entry.save()


async def page(
    *,
    limit: int,
    after: UUID | None,
    username: str | None = None,
    action: str | None = None,
    subject: str | None = None,
) -> tuple[list[AuditEntry], Total]:
    """Return at most `limit` entries, newest first, older than `after`; and how many match."""
    matching = Matching().also({"username = {}": username, "action = {}": action, "subject = {}": subject})
    return await site_lists.page_of(AuditEntry, matching, after=after, limit=limit)


async def purge() -> int:
    """Delete the entries of more than `KEPT` ago; return how many."""
    old = AuditEntry.delete().where(AuditEntry.id < first_id_since(now() - KEPT))
    return len(await rows(old.returning(AuditEntry.id)))

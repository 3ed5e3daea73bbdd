"""Functions over the audit log: what operators changed. Entries are added and listed, never changed."""

import os
import pwd
from datetime import timedelta
from typing import Literal, TypeAlias
from uuid import UUID

from msgspec import Struct

from libs.storage import site_lists
from libs.storage.bounded_count import Matching, Total
from libs.storage.database.engine import rows
from libs.storage.database.operator_tables import AuditEntry
from libs.storage.database.tables import BaseUser, first_id_since, now

KEPT = timedelta(days=400)  # so that a year can be looked back on
DETAIL_CHARS = 2000
NO_ACCOUNT = 0

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
    "key.create",
    "key.revoke",
    "upload_token.revoke",
    "webhook.change",
    "webhook.delete",
    "dead_letter.requeue",
    "dead_letter.drop",
    "recovery.retry",
    "consistency.check",
    "consistency.mend",
    "site.backup",
    "site.restore",
    "site.rehash",
]


class Actor(Struct, frozen=True):
    """Who makes a change."""

    username: str
    account: int = NO_ACCOUNT


def account(user: BaseUser) -> Actor:
    """Return the actor of a request."""
    return Actor(user.username, user.id)


def shell_user() -> Actor:
    """Return the actor of a command: `cli:` and the user of the system. No account can have such a name."""
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # containers run with numbers that have no name
        name = str(os.getuid())
    return Actor(f"cli:{name}"[:100])


async def add(
    actor: Actor, action: Action, subject: object, *, detail: str = "", request_id: str | None = None
) -> None:
    """Record what an operator does; `action` begins with the kind of the subject.

    Call it in the transaction of the change where there is one.
    """
    entry = AuditEntry(
        operator=actor.account,
        username=actor.username,
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

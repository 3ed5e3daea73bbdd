"""The table of what operators did, the same on PostgreSQL and SQLite."""

from piccolo.columns import UUID, Integer, Text, Timestamptz, Varchar
from piccolo.table import Table

from libs.storage.database.clock import now
from libs.storage.database.ids import new_id


class AuditEntry(Table):
    """One change by an operator. No code changes an entry; it is deleted when it is old."""

    id = UUID(primary_key=True, default=new_id)
    operator = Integer()  # the account, which may be gone; 0 for the command line
    username = Varchar(100)  # as it was then; `cli:` and the user of the system for the command line
    action = Varchar(64)  # an `audit.Action`
    kind = Varchar(16)  # of the subject
    subject = Varchar(255)  # its id
    detail = Text(default="")  # for people
    request_id = Varchar(64, null=True, default=None)
    created_at = Timestamptz(default=now)

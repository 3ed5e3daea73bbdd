"""Views of accounts and their usage."""

import msgspec

from libs.contracts.views.accounts import Account, EditsView, EditUsageView, UsageView
from libs.settings import Settings
from libs.storage import account_usage, edit_calls
from libs.storage.database.tables import BaseUser


def account_view(user: BaseUser) -> Account:
    """Build the view of an account, without its password."""
    return Account(
        id=user.id,
        username=user.username,
        email=user.email,
        last_login=user.last_login,
        admin=user.admin,
    )


async def usage_view(user: BaseUser, settings: Settings) -> UsageView:
    """Read what an account uses of each limited resource."""
    held = await account_usage.of(user.id)
    return UsageView(
        stored_bytes=held.stored_bytes,
        reserved_bytes=held.reserved_bytes,
        quota_bytes=settings.quota_bytes,
        waiting_jobs=held.waiting_jobs,
        quota_jobs=settings.quota_jobs,
        edits=EditsView(
            configured=settings.edits,
            per_day=settings.edits_per_day,
            today=_edit_usage(await edit_calls.used_today(user.id)),
            total=_edit_usage(await edit_calls.used_ever(user.id)),
        ),
    )


def _edit_usage(used: edit_calls.Used) -> EditUsageView:
    return msgspec.convert(used, EditUsageView, from_attributes=True)

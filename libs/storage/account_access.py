"""Functions over accounts as operators see them: find them, close and open them, end their access."""

from uuid import UUID

from libs.storage import accounts, refresh_tokens, site_lists
from libs.storage.bounded_count import Matching, Total
from libs.storage.database.connection import transaction
from libs.storage.database.tables import ApiKey, BaseUser
from libs.storage.database.upload_tables import UploadToken

_NAMED = "(lower(username) like {} escape '!' or lower(email) like {} escape '!')"


async def page(
    *, limit: int, after: int | None, search: str | None = None, active: bool | None = None
) -> tuple[list[BaseUser], Total]:
    """Return at most `limit` accounts, newest first, without deleted ones, and how many match.

    `search` is a part of the name or the email address.
    """
    matching = Matching("username not like {}", (f"{accounts.DELETED}%",)).also({"active = {}": active})
    if search:
        part = site_lists.containing(search)
        matching = Matching(f"{matching.text} and {_NAMED}", (*matching.values, part, part))
    return await site_lists.page_of(BaseUser, matching, after=after, limit=limit)


async def set_active(user: BaseUser, *, active: bool) -> BaseUser:
    """Close an account for a while, or open it again; return it as it is now.

    While it is closed nobody logs in, its logins have ended, and its API keys and upload tokens are refused.
    """
    async with transaction():
        await BaseUser.update({BaseUser.active: active}).where(BaseUser.id == user.id)
        if not active:
            await refresh_tokens.revoke_all_of(user.id)
    return await accounts.by_id(user.id)


async def page_of_keys(
    *, limit: int, after: UUID | None, owner: int | None = None
) -> tuple[list[ApiKey], Total]:
    """Return at most `limit` API keys of all accounts, or of one, newest first, and how many there are."""
    return await site_lists.page_of(ApiKey, Matching().also({"owner = {}": owner}), after=after, limit=limit)


async def page_of_upload_tokens(
    *, limit: int, after: UUID | None, owner: int | None = None
) -> tuple[list[UploadToken], Total]:
    """Return at most `limit` upload tokens of all accounts, or of one, newest first; and how many."""
    matching = Matching().also({"owner = {}": owner})
    return await site_lists.page_of(UploadToken, matching, after=after, limit=limit)

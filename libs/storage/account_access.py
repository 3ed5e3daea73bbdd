"""Functions over accounts as operators see them: find them, close and open them, end their access."""

from typing import Any

from piccolo.columns.combination import WhereRaw

from libs.storage import accounts, refresh_tokens, site_lists
from libs.storage.database.connection import transaction
from libs.storage.database.tables import ApiKey, BaseUser
from libs.storage.database.upload_tables import UploadToken

_NAMED = "(lower(username) like {} escape '!' or lower(email) like {} escape '!')"


async def page(
    *, limit: int, after: int | None, search: str | None = None, active: bool | None = None
) -> list[BaseUser]:
    """Return at most `limit` accounts, newest first, without deleted ones.

    `search` is a part of the name or the email address.
    """
    query: Any = BaseUser.objects().order_by(BaseUser.id, ascending=False).limit(limit)
    query = query.where(BaseUser.username.not_like(f"{accounts.DELETED}%"))
    if search:
        part = site_lists.containing(search)
        query = query.where(WhereRaw(_NAMED, part, part))
    if active is not None:
        query = query.where(BaseUser.active == active)
    return await (query if after is None else query.where(BaseUser.id < after))


async def set_active(user: BaseUser, *, active: bool) -> BaseUser:
    """Close an account for a while, or open it again; return it as it is now.

    While it is closed nobody logs in, its logins have ended, and its API keys and upload tokens are refused.
    """
    async with transaction():
        await BaseUser.update({BaseUser.active: active}).where(BaseUser.id == user.id)
        if not active:
            await refresh_tokens.revoke_all_of(user.id)
    return await accounts.by_id(user.id)


async def page_of_keys(*, limit: int, after: Any | None, owner: int | None = None) -> list[ApiKey]:  # noqa: ANN401
    """Return at most `limit` API keys of all accounts, or of one, newest first."""
    query = ApiKey.objects().order_by(ApiKey.id, ascending=False).limit(limit)
    if owner is not None:
        query = query.where(ApiKey.owner == owner)
    return await (query if after is None else query.where(ApiKey.id < after))


async def page_of_upload_tokens(
    *,
    limit: int,
    after: Any | None,  # noqa: ANN401
    owner: int | None = None,
) -> list[UploadToken]:
    """Return at most `limit` upload tokens of all accounts, or of one, newest first."""
    query = UploadToken.objects().order_by(UploadToken.id, ascending=False).limit(limit)
    if owner is not None:
        query = query.where(UploadToken.owner == owner)
    return await (query if after is None else query.where(UploadToken.id < after))

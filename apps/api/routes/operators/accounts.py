"""Accounts and API keys, for operators."""

from datetime import timedelta
from uuid import UUID

from litestar import Controller, Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.status_codes import HTTP_200_OK, HTTP_204_NO_CONTENT
from msgspec import structs

from apps.api.middleware.key_access import LOGIN_ONLY
from apps.api.middleware.operator_access import OwnAccount
from apps.api.openapi.document import LOGIN
from apps.api.operator_context import OperatorContext
from apps.api.responses.account_views import usage_view
from apps.api.responses.api_key_views import api_key_view
from apps.api.responses.lists import Limit
from apps.api.responses.operator_lists import bounded_headers, paged
from apps.api.responses.record_views import account_record, key_records
from libs.auth.password_resets import sign_reset
from libs.contracts.views.operator_records import (
    AccountChange,
    OwnedApiKeyView,
    ResetAddress,
    SiteAccount,
    SiteAccountDetail,
)
from libs.storage import account_access, accounts, api_keys, refresh_tokens, sessions, site_lists
from libs.storage.database.tables import BaseUser, now

RESET_S = 3600.0  # as `darkroom reset-password`
PATH = "/accounts/{account_name:str}"


class AllAccounts(Controller):
    """Accounts, their logins and API keys. Superusers change accounts; all operators revoke keys."""

    path = "/api/operator"
    tags = ("Operators",)
    security = LOGIN
    opt = LOGIN_ONLY

    @get("/accounts", operation_id="listAccounts")
    async def list_accounts(
        self,
        operator: NamedDependency[OperatorContext],
        search: FromQuery[str | None] = None,
        active: FromQuery[bool | None] = None,
        after_account: FromQuery[int | None] = None,
        limit: Limit = 50,
    ) -> Response[list[SiteAccount]]:
        """List accounts, newest first, without those that were deleted."""
        found, total = await account_access.page(
            search=search, active=active, after=after_account, limit=limit
        )
        following = str(found[-1].id) if len(found) == limit else None
        headers = bounded_headers(operator, total, following=following, name="after_account")
        return Response([account_record(user) for user in found], headers=headers)

    @get(PATH, operation_id="getAnyAccount")
    async def get_account(
        self, account_name: FromPath[str], operator: NamedDependency[OperatorContext]
    ) -> SiteAccountDetail:
        """Get one account with its usage, its logins and its API keys."""
        return await _detail(await accounts.by_name(account_name), operator)

    @patch(PATH, operation_id="changeAnyAccount")
    async def change(
        self,
        account_name: FromPath[str],
        data: JSONBody[AccountChange],
        operator: NamedDependency[OperatorContext],
    ) -> SiteAccountDetail:
        """Deactivate an account, or activate it again. Nothing of it is deleted, and its jobs go on."""
        operator.require_superuser()
        user = await accounts.by_name(account_name)
        if user.id == operator.caller.id and not data.active:
            raise OwnAccount("you cannot deactivate the account that you use")
        user = await account_access.set_active(user, active=data.active)
        await operator.note(
            "account.activate" if data.active else "account.deactivate", user.id, user.username
        )
        return await _detail(user, operator)

    @post(f"{PATH}/password-reset", operation_id="createPasswordReset", status_code=HTTP_200_OK)
    async def reset_password(
        self, account_name: FromPath[str], operator: NamedDependency[OperatorContext]
    ) -> ResetAddress:
        """Make an address where the account gets another password: it works once, for an hour."""
        operator.require_superuser()
        user = await accounts.by_name(account_name)
        token = sign_reset(operator.settings.secret_key, user.id, user.password, ttl_s=RESET_S)
        await operator.note("account.reset_password", user.id, user.username)
        return ResetAddress(
            url=f"{operator.base_url}/accounts/reset/{token}", expires_at=now() + timedelta(seconds=RESET_S)
        )

    @delete(f"{PATH}/sessions", operation_id="endAnySessions", status_code=HTTP_204_NO_CONTENT)
    async def end_sessions(
        self, account_name: FromPath[str], operator: NamedDependency[OperatorContext]
    ) -> None:
        """End all logins of an account. Its API keys stay valid."""
        operator.require_superuser()
        user = await accounts.by_name(account_name)
        await refresh_tokens.revoke_all_of(user.id)
        await operator.note("account.end_sessions", user.id, user.username)

    @get("/keys", operation_id="listAllKeys")
    async def list_keys(
        self,
        operator: NamedDependency[OperatorContext],
        owner: FromQuery[str | None] = None,
        after: FromQuery[UUID | None] = None,
        limit: Limit = 50,
    ) -> Response[list[OwnedApiKeyView]]:
        """List API keys of all accounts, newest first, with the time of their last use."""
        account = await site_lists.owner_of(owner)
        found, total = await account_access.page_of_keys(owner=account, after=after, limit=limit)
        return paged(await key_records(found), operator, total=total, limit=limit)

    @delete("/keys/{key_id:uuid}", operation_id="revokeAnyKey", status_code=HTTP_204_NO_CONTENT)
    async def revoke(self, key_id: FromPath[UUID], operator: NamedDependency[OperatorContext]) -> None:
        """Revoke an API key of any account. The next request with it is refused."""
        key = await api_keys.by_id(key_id)
        await api_keys.revoke(key.owner, key.id)
        names = await site_lists.names_of([key.owner])
        await operator.note("key.revoke", key_id, f"{key.name} of {names.get(key.owner)}")


async def _detail(user: BaseUser, operator: OperatorContext) -> SiteAccountDetail:
    keys, _ = await api_keys.page(user.id, limit=api_keys.MAX_KEYS, after=None)
    return SiteAccountDetail(
        **structs.asdict(account_record(user)),
        usage=await usage_view(user, operator.settings),
        sessions=len(await sessions.of(user.id)),
        keys=[api_key_view(key) for key in keys],
    )

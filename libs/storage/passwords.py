"""Functions over the passwords of accounts: check, replace, reset."""

from typing import Any
from uuid import UUID

from piccolo.columns import Column

from libs.runtime.threads import PASSWORDS
from libs.storage import accounts, refresh_tokens
from libs.storage.accounts import AccountError
from libs.storage.database.connection import transaction
from libs.storage.database.tables import BaseUser


class WrongPassword(AccountError):
    """The password is not that of the account."""

    code = "wrong_password"


class PasswordChanged(AccountError):
    """The password has changed since this request or address was made. Ask for another address."""

    code = "password_changed"


async def check(user: BaseUser, password: str) -> None:
    """Check that a password is that of an account.

    Raises:
        WrongPassword: It is not.
    """
    if not await PASSWORDS.run(accounts.matches, password, user.password):
        raise WrongPassword("the password is not that of this account")


async def replace(user: BaseUser, password: str, *, keep: UUID | None = None) -> None:
    """Give an account another password, and end all of its logins but the family `keep`.

    Raises:
        PasswordChanged: It has got another since it was read, or was closed.
    """
    hashed = await PASSWORDS.run(BaseUser.hash_password, password)
    values: dict[Column | str, Any] = {BaseUser.password: hashed}
    async with transaction():
        if not await BaseUser.update(values).where(accounts.unchanged(user)).returning(BaseUser.id):
            raise PasswordChanged("the password has changed meanwhile")
        await refresh_tokens.revoke_all_of(user.id, but=keep)

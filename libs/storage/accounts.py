"""Functions over the account table: register, authenticate, find, delete."""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any, ClassVar, cast
from uuid import UUID

from piccolo.columns import Column
from piccolo.columns.combination import And

from libs.contracts.enums import ImageStatus, JobStatus
from libs.contracts.outcome import Outcome
from libs.runtime.threads import PASSWORDS
from libs.storage import webhook_endpoints
from libs.storage.database.connection import transaction
from libs.storage.database.delivery_tables import DeliveryKey, Rendition
from libs.storage.database.engine import rows
from libs.storage.database.errors import UniqueViolation
from libs.storage.database.tables import ApiKey, BaseUser, FormerUsername, Image, Job, RefreshToken, now
from libs.storage.database.upload_tables import DirectUpload, UploadToken
from libs.storage.object_keys import INBOX

RESERVED = frozenset({INBOX})  # usernames; a folder of the object store has this name
PBKDF2_ITERATIONS = 600_000  # as Piccolo hashes new passwords, so that unknown usernames take as long
DELETED = "deleted-"  # how the username of a deleted account starts
NOBODY = 0  # no account; the id of a deleted one may be given again


class AccountError(Exception):
    """A request about an account cannot be fulfilled."""

    code = "account_error"
    outcome: ClassVar[Outcome] = "refused"


class UsernameTaken(AccountError):
    """Another account has this username, or had it."""

    code = "username_taken"


class EmailTaken(AccountError):
    """Another account has this email address."""

    code = "email_taken"


class AccountNotFound(AccountError):
    """There is no such account, or it was deleted."""

    code = "account_not_found"


class RegistrationClosed(AccountError):
    """Only operators of this server create accounts. Ask one."""

    code = "registration_closed"


class BadCredentials(AccountError):
    """No active account has this username and password."""

    code = "bad_credentials"


async def register(username: str, email: str, password: str | None, *, admin: bool = False) -> BaseUser:
    """Create an active account; an `admin` can use the admin pages.

    Without a password nobody can log in to it: it is for programs with API keys.

    Raises:
        UsernameTaken: Another account has or had the name, or the name is reserved.
        EmailTaken: Another account has the email address.
    """
    if not await is_free(username) or await BaseUser.exists().where(BaseUser.username == username):
        raise UsernameTaken(f"the username {username} is taken")
    if await BaseUser.exists().where(BaseUser.email == email):
        raise EmailTaken("an account with this email address exists")
    hashed = await PASSWORDS.run(BaseUser.hash_password, password) if password else _UNUSABLE_PASSWORD
    user = BaseUser(
        username=username, email=email, password=hashed, active=True, admin=admin, superuser=admin
    )
    try:
        async with transaction():
            await user.save()
            if not await is_free(username):  # an account of this name was deleted in the meantime
                raise UsernameTaken(f"the username {username} is taken")
    except UniqueViolation as error:
        if await BaseUser.exists().where(BaseUser.email == email):
            raise EmailTaken("an account with this email address exists") from error
        raise UsernameTaken(f"the username {username} is taken") from error
    return user


async def authenticate(username: str, password: str) -> BaseUser:
    """Return the account with these credentials.

    The check takes the same time whether the username is unknown, the account inactive or the password wrong.

    Raises:
        BadCredentials: No active account has this username and password.
    """
    user = await BaseUser.objects().where((BaseUser.username == username) & (BaseUser.active == True)).first()  # noqa: E712
    stored = user.password if user else _UNUSABLE_PASSWORD
    if not await PASSWORDS.run(matches, password, stored) or user is None:
        raise BadCredentials("no active account has this username and password")
    return user


async def note_login(user: BaseUser) -> None:
    """Store the time of a login, in the transaction that starts it.

    Raises:
        BadCredentials: The password has changed since it was checked, or the account was closed.
    """
    moment = datetime.now(UTC).replace(tzinfo=None)  # Piccolo's column is naive
    noted = await BaseUser.update({BaseUser.last_login: moment}).where(unchanged(user)).returning(BaseUser.id)
    if not noted:
        raise BadCredentials("no active account has this username and password")


def unchanged(user: BaseUser) -> And:
    """Return the condition that an account is active and still has the password it was read with."""
    return And(
        And(BaseUser.id == user.id, BaseUser.password == user.password),
        BaseUser.active == True,  # noqa: E712 - a column
    )


async def named(username: str) -> BaseUser | None:
    """Return the active account with this username, or None."""
    return await (
        BaseUser.objects().where((BaseUser.username == username) & (BaseUser.active == True)).first()  # noqa: E712
    )


async def by_id(user_id: int) -> BaseUser:
    """Return an account, active or not.

    Raises:
        AccountNotFound: There is none, or it was deleted.
    """
    user = await BaseUser.objects().where(BaseUser.id == user_id).first()
    if user is None or (not user.active and user.username.startswith(DELETED)):
        raise AccountNotFound(f"there is no account {user_id}")
    return user


async def by_name(username: str) -> BaseUser:
    """Return the account of a name, active or not.

    Raises:
        AccountNotFound: There is none, or it was deleted.
    """
    found = await BaseUser.select(BaseUser.id).where(BaseUser.username == username)
    return await by_id(found[0]["id"] if found else NOBODY)


async def username_of(user_id: int) -> str:
    """Return the username of an account that exists."""
    user = await BaseUser.objects().where(BaseUser.id == user_id).first()
    assert user is not None, "the rows of a deleted account are deleted too"  # noqa: S101
    return user.username


async def by_ids(ids: Collection[int]) -> list[BaseUser]:
    """Return those of the accounts that exist, in no particular order."""
    return await BaseUser.objects().where(BaseUser.id.is_in(list(ids))) if ids else []


async def delete(user: BaseUser) -> list[UUID]:
    """Close an account and mark its images for deletion; return the ids of the jobs this cancelled.

    Its tokens stop working, and its email address is free again at once. Its username is never free again:
    the broker's user and the inbox of that name would belong to the next owner. The scheduler deletes the
    files, and then the account's row.
    """
    async with transaction():
        await retire(user.username, NOBODY)
        await FormerUsername.update({FormerUsername.account: NOBODY}).where(FormerUsername.account == user.id)
        values: dict[Column | str, Any] = {
            BaseUser.active: False,
            BaseUser.username: f"{DELETED}{user.id}",
            BaseUser.email: f"{DELETED}{user.id}@invalid",
            BaseUser.password: _UNUSABLE_PASSWORD,
        }
        await BaseUser.update(values).where(BaseUser.id == user.id)
        await RefreshToken.delete().where(RefreshToken.user == user.id)
        await ApiKey.delete().where(ApiKey.owner == user.id)
        await UploadToken.delete().where(UploadToken.owner == user.id)
        await DirectUpload.update({DirectUpload.expires_at: now()}).where(DirectUpload.owner == user.id)
        await DeliveryKey.delete().where(DeliveryKey.owner == user.id)
        # Images before jobs, the order of all transactions: otherwise two could deadlock.
        await Image.update({Image.status: ImageStatus.DELETING}).where(Image.owner == user.id)
        cancelled = await (
            Job.update({Job.status: JobStatus.CANCELLED, Job.finished_at: now()})
            .where((Job.owner == user.id) & Job.status.is_in([JobStatus.QUEUED, JobStatus.RUNNING]))
            .returning(Job.id)
        )
        await webhook_endpoints.delete_all(user.id)
    return [row["id"] for row in cancelled]


async def purge_deleted() -> int:
    """Delete the rows of deleted accounts that have nothing left in the object store; return how many.

    Images of an upload that ended after its account was deleted are marked for deletion here.
    """
    deleted = cast("Any", BaseUser.select(BaseUser.id).where(is_deleted()))
    await Image.update({Image.status: ImageStatus.DELETING}).where(Image.owner.is_in(deleted))
    purged = await rows(
        BaseUser.delete()
        .where(
            is_deleted()
            & BaseUser.id.not_in(Image.select(Image.owner))
            & BaseUser.id.not_in(DirectUpload.select(DirectUpload.owner))
            & BaseUser.id.not_in(Rendition.select(Rendition.owner).where(Rendition.owner.is_not_null()))
        )
        .returning(BaseUser.id)
    )
    return len(purged)


def is_deleted() -> And:
    """Return the condition that an account was deleted, and its row waits for its images to go."""
    return BaseUser.username.like(f"{DELETED}%") & (BaseUser.active == False)  # noqa: E712 - a column


async def retire(username: str, account: int) -> None:
    """Keep a username from every account but this one."""
    await FormerUsername.insert(FormerUsername(username=username, account=account)).on_conflict(
        target=FormerUsername.username, action="DO UPDATE", values=[FormerUsername.account]
    )


async def is_free(username: str, *, account: int | None = None) -> bool:
    """Return whether no other account than `account` had this username, and it is not reserved."""
    if username.lower() in RESERVED or username.startswith(DELETED):
        return False
    former = await FormerUsername.objects().where(FormerUsername.username == username).first()
    return former is None or former.account == account


def matches(password: str, stored: str) -> bool:
    """Return whether a password has this hash; takes a tenth of a second."""
    _, iterations, salt, _ = BaseUser.split_stored_password(stored)
    return BaseUser.hash_password(password, salt, int(iterations)) == stored


_UNUSABLE_PASSWORD = f"pbkdf2_sha256${PBKDF2_ITERATIONS}${'0' * 32}${'0' * 64}"

"""Functions over upload tokens: create, find by the token, spend, list, revoke.

`used` counts in the transaction that stores an image, or that opens its direct upload, so exactly `allowed`
images are stored however many arrive at once, and one that is refused or whose process dies never counted.
"""

from datetime import datetime, timedelta
from hmac import compare_digest
from typing import Any, ClassVar, cast
from uuid import UUID

import msgspec
from msgspec import Struct

from libs.contracts.outcome import Outcome
from libs.contracts.upload_terms import UploadTerms
from libs.storage.database.engine import rows
from libs.storage.database.statement import Slot, Statement, loaded
from libs.storage.database.tables import BaseUser, now
from libs.storage.database.upload_tables import UploadToken

MAX_TOKENS = 10_000  # of one account
SHOWN_AFTER_END = timedelta(hours=1)  # in lists; the event streams of its last uploads need it too

_decode_terms = msgspec.json.Decoder(UploadTerms).decode


class UploadTokenError(Exception):
    """A request about an upload token cannot be fulfilled."""

    code = "upload_token_error"
    outcome: ClassVar[Outcome] = "refused"


class UploadTokenInvalid(UploadTokenError):
    """There is no such upload token: it is mistyped or revoked, or its account is closed."""

    code = "upload_token_invalid"


class UploadTokenExpired(UploadTokenError):
    """The upload token has expired. Ask the page's server for another."""

    code = "upload_token_expired"


class UploadTokenUsedUp(UploadTokenError):
    """The upload token has uploaded as many images as it may."""

    code = "upload_token_used_up"


class UploadTokenNotFound(UploadTokenError):
    """There is no such upload token, or it belongs to another account."""

    code = "upload_token_not_found"


class TooManyUploadTokens(UploadTokenError):
    """The account has reached its limit of upload tokens. Revoke some, or let them expire sooner."""

    code = "too_many_upload_tokens"


class NewToken(Struct, frozen=True, kw_only=True):
    """An upload token to store."""

    token_id: str
    digest: str  # SHA-256 of the token, hex
    made_by: UUID | None  # an API key
    max_bytes: int
    formats: tuple[str, ...]
    terms: UploadTerms
    allowed: int
    expires_at: datetime


async def create(owner: int, new: NewToken) -> UploadToken:
    """Store a token by its id and its SHA-256.

    Raises:
        TooManyUploadTokens: The account has reached its limit.
    """
    if cast("int", await UploadToken.count().where(UploadToken.owner == owner)) >= MAX_TOKENS:
        raise TooManyUploadTokens(f"an account may have {MAX_TOKENS} upload tokens")
    token = UploadToken(
        owner=owner,
        made_by=new.made_by,
        token_id=new.token_id,
        digest=new.digest,
        max_bytes=new.max_bytes,
        formats=" ".join(new.formats),
        terms=msgspec.json.encode(new.terms).decode(),
        allowed=new.allowed,
        expires_at=new.expires_at,
    )
    await token.save()
    return token


def terms_of(token: UploadToken) -> UploadTerms:
    """Return what a token fixes about its uploads."""
    return _decode_terms(token.terms)


async def authenticate(token_id: str, digest: str) -> tuple[BaseUser, UploadToken]:
    """Return the active account of a token, and the token.

    Raises:
        UploadTokenInvalid: No token has this id and digest, or its account is closed.
        UploadTokenExpired: It has expired.
    """
    found = await _TOKEN_AND_OWNER(token_id=token_id)
    if not found or not compare_digest(found[0]["digest"], digest):
        raise UploadTokenInvalid("the upload token is not valid")
    token, user = _split(found[0])
    if token.expires_at <= now():
        raise UploadTokenExpired("the upload token has expired")
    return user, token


async def holder(token: UUID) -> BaseUser | None:
    """Return the active account of a token that was not revoked, or None; it may have expired."""
    found = await UploadToken.objects().where(UploadToken.id == token).first()
    if found is None:
        return None
    return await BaseUser.objects().where((BaseUser.id == found.owner) & (BaseUser.active == True)).first()  # noqa: E712


def require_left(token: UploadToken) -> None:
    """Refuse an upload before it arrives; `spend` decides once it has.

    Raises:
        UploadTokenUsedUp: The token had nothing left when it was read.
    """
    if token.used >= token.allowed:
        raise UploadTokenUsedUp(f"the upload token has uploaded its {token.allowed} images")


async def spend(token: UUID | None) -> None:
    """Count one image in the transaction that stores it; without a token do nothing.

    Raises:
        UploadTokenUsedUp: Others were faster; the transaction is void.
        UploadTokenInvalid: The token was revoked meanwhile; the transaction is void.
    """
    if token is None or await _SPEND(token=token):
        return
    found = await UploadToken.objects().where(UploadToken.id == token).first()
    if found is None:
        raise UploadTokenInvalid("the upload token was revoked")
    require_left(found)


async def give_back(token: UUID) -> None:
    """Count one image less, in the transaction that gives up its upload."""
    await _GIVE_BACK(token=token)


async def by_id(token: UUID) -> UploadToken:
    """Return a token of any account.

    Raises:
        UploadTokenNotFound: There is none.
    """
    found = await UploadToken.objects().where(UploadToken.id == token).first()
    if found is None:
        raise UploadTokenNotFound(f"there is no upload token {token}")
    return found


async def owned_by(owner: int, token: UUID) -> UploadToken:
    """Return the owner's token.

    Raises:
        UploadTokenNotFound: There is none, or it belongs to another account.
    """
    found = (
        await UploadToken.objects().where((UploadToken.id == token) & (UploadToken.owner == owner)).first()
    )
    if found is None:
        raise UploadTokenNotFound(f"there is no upload token {token}")
    return found


async def page(owner: int, *, limit: int, after: UUID | None) -> tuple[list[UploadToken], int]:
    """Return at most `limit` tokens, newest first, older than `after`; and the count of all."""
    conditions = [UploadToken.owner == owner]
    total = cast("int", await UploadToken.count().where(*conditions))
    if after is not None:
        conditions.append(UploadToken.id < after)
    found = UploadToken.objects().where(*conditions).order_by(UploadToken.id, ascending=False)
    return await found.limit(limit), total


async def revoke(owner: int, token: UUID) -> None:
    """Delete a token; an upload that is on its way stores nothing any more.

    Raises:
        UploadTokenNotFound: There is none, or it belongs to another account.
    """
    deleted = await rows(
        UploadToken.delete()
        .where((UploadToken.id == token) & (UploadToken.owner == owner))
        .returning(UploadToken.id)
    )
    if not deleted:
        raise UploadTokenNotFound(f"there is no upload token {token}")


async def purge_expired() -> int:
    """Delete tokens that ended some time ago; return how many."""
    ended = UploadToken.expires_at < now() - SHOWN_AFTER_END
    return len(await rows(UploadToken.delete().where(ended).returning(UploadToken.id)))


def _split(row: dict[str, Any]) -> tuple[UploadToken, BaseUser]:
    token = {name: row.pop(name) for name in _COLUMNS if name not in ("id", "owner")}
    token |= {"id": row.pop("row_id"), "owner": row["id"]}
    return loaded(UploadToken, token), loaded(BaseUser, row)


_COLUMNS = [column._meta.name for column in UploadToken.all_columns()]  # pyright: ignore[reportPrivateUsage]
_TOKEN_AND_OWNER = Statement(
    UploadToken.raw(
        "select u.*, t.id as row_id, t.made_by, t.token_id, t.digest, t.max_bytes, t.formats, t.terms,"
        " t.allowed, t.used, t.expires_at, t.created_at"
        " from upload_token t join piccolo_user u on u.id = t.owner where t.token_id = {} and u.active",
        Slot("token_id"),
    )
)
_SPEND = Statement(
    UploadToken.raw(
        "update upload_token set used = used + 1 where id = {} and used < allowed returning id", Slot("token")
    ),
    quick=True,
)
_GIVE_BACK = Statement(
    UploadToken.raw(
        "update upload_token set used = used - 1 where id = {} and used > 0 returning id", Slot("token")
    ),
    quick=True,
)

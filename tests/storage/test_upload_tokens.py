"""Functions over upload tokens."""

from datetime import timedelta
from typing import Any

import pytest

from libs.storage import upload_tokens
from libs.storage.database.connection import transaction
from libs.storage.database.engine import Engine
from libs.storage.database.tables import BaseUser
from tests.storage.rows import an_owner
from tests.support.waiting import until_equal


def a_token(token_id: str, *, ended: timedelta = timedelta()) -> upload_tokens.NewToken:
    """A token for one image that ended this long ago."""
    return upload_tokens.NewToken(
        token_id=token_id,
        digest="d" * 64,
        made_by=None,
        max_bytes=1,
        formats=(),
        terms=upload_tokens.UploadTerms(),
        allowed=1,
        expires_at=upload_tokens.now() - ended,
    )


async def test_an_account_has_no_more_tokens_than_its_limit(
    database: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload_tokens, "MAX_TOKENS", 2)
    owner = await an_owner()
    for number in range(2):
        await upload_tokens.create(owner.id, a_token(f"token{number}"))
    with pytest.raises(upload_tokens.TooManyUploadTokens):
        await upload_tokens.create(owner.id, a_token("one more"))
    await upload_tokens.create((await an_owner("other")).id, a_token("another's"))


async def test_tokens_are_listed_in_pages_to_their_account_until_an_hour_after_their_end(
    database: Engine,
) -> None:
    owner, other = await an_owner(), await an_owner()
    ages = {"long": timedelta(minutes=61), "short": timedelta(minutes=59), "not": timedelta(minutes=-1)}
    for name, age in ages.items():
        await upload_tokens.create(owner.id, a_token(name, ended=age))
    await upload_tokens.create(other.id, a_token("another's"))
    assert await upload_tokens.purge_expired() == 1
    [newest], total = await upload_tokens.page(owner.id, limit=1, after=None)
    assert (newest.token_id, total) == ("not", 2)
    [oldest], total = await upload_tokens.page(owner.id, limit=2, after=newest.id)
    assert (oldest.token_id, total) == ("short", 2)


async def test_the_token_of_a_disabled_account_is_not_valid(database: Engine) -> None:
    owner = await an_owner()
    token = await upload_tokens.create(owner.id, a_token("a" * 12, ended=timedelta(minutes=-1)))
    holder = await upload_tokens.holder(token.id)
    assert holder is not None
    assert holder.id == owner.id
    assert (await upload_tokens.authenticate("a" * 12, "d" * 64))[0].id == owner.id
    await BaseUser.update({BaseUser.active: False}).where(BaseUser.id == owner.id)
    with pytest.raises(upload_tokens.UploadTokenInvalid):
        await upload_tokens.authenticate("a" * 12, "d" * 64)
    assert await upload_tokens.holder(token.id) is None  # it opens no event stream either


async def test_a_transaction_that_fails_spends_nothing(database: Engine) -> None:
    owner = await an_owner()
    token = await upload_tokens.create(owner.id, a_token("a" * 12))

    async def upload_that_fails() -> None:
        async with transaction():
            await upload_tokens.spend(token.id)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await upload_that_fails()
    await until_equal(0, lambda: _used(owner.id, token.id))
    async with transaction():
        await upload_tokens.spend(token.id)
    with pytest.raises(upload_tokens.UploadTokenUsedUp):
        await upload_tokens.spend(token.id)
    await upload_tokens.revoke(owner.id, token.id)
    with pytest.raises(upload_tokens.UploadTokenInvalid):
        await upload_tokens.spend(token.id)


async def _used(owner: int, token: Any) -> int:
    return (await upload_tokens.owned_by(owner, token)).used


async def test_what_is_given_back_twice_does_not_let_a_token_upload_more(database: Engine) -> None:
    owner = await an_owner()
    token = await upload_tokens.create(owner.id, a_token("a" * 12))
    await upload_tokens.spend(token.id)
    for _ in range(2):
        await upload_tokens.give_back(token.id)
    assert await _used(owner.id, token.id) == 0

"""Idempotency keys, refresh tokens, ended accounts: what is used once, and what is swept away."""

import asyncio

import pytest

from libs.contracts.enums import ImageStatus
from libs.storage import accounts, idempotency, image_expiry, refresh_tokens
from libs.storage.database.connection import transaction
from libs.storage.database.tables import BaseUser, IdempotencyKey, Image, Job, RefreshToken, new_id, now
from libs.storage.idempotency import Effect, KeyInUse, KeyReused, Reservation, StoredResponse
from libs.storage.refresh_tokens import TokenError, TokenExpired, TokenReused
from tests.storage.rows import a_job, an_image, an_owner

pytestmark = pytest.mark.usefixtures("database")


async def reserved(owner: BaseUser) -> Reservation:
    reservation = await idempotency.begin(owner.id, "k", "f")
    assert isinstance(reservation, Reservation)
    return reservation


async def test_of_many_requests_with_one_key_one_runs() -> None:
    owner = await an_owner()
    begun = await asyncio.gather(
        *(idempotency.begin(owner.id, "k", "f") for _ in range(6)), return_exceptions=True
    )
    kinds = [type(one) for one in begun]
    assert (kinds.count(Reservation), kinds.count(KeyInUse)) == (1, 5)


async def test_a_repeated_request_gets_the_first_answer() -> None:
    owner, other = await an_owner(), await an_owner()
    reservation = await reserved(owner)
    await idempotency.finish(reservation, status_code=202, headers="{}", response="body")
    assert await idempotency.begin(owner.id, "k", "f") == StoredResponse(202, "{}", "body")
    with pytest.raises(KeyReused):
        await idempotency.begin(owner.id, "k", "another request")
    await reserved(other)


async def test_a_failed_request_frees_its_key() -> None:
    owner = await an_owner()
    await idempotency.abandon(await reserved(owner))
    await reserved(owner)


async def test_a_repeated_request_finds_what_the_first_one_made_even_if_that_failed_afterwards() -> None:
    owner = await an_owner()
    reservation, job = await reserved(owner), new_id()
    await idempotency.bind(reservation, job=job)
    await idempotency.abandon(reservation)
    assert await idempotency.begin(owner.id, "k", "f") == Effect(None, job)


async def an_image_made_by(reservation: Reservation, owner: BaseUser) -> None:
    async with transaction():
        await idempotency.bind(reservation, subject=(await an_image(owner)).id)


async def test_a_request_whose_reservation_lapsed_makes_nothing_once_another_one_runs() -> None:
    owner = await an_owner()
    slow = await reserved(owner)
    await IdempotencyKey.update({IdempotencyKey.expires_at: now()}).where(IdempotencyKey.key == "k")
    quick = await reserved(owner)
    with pytest.raises(KeyInUse):
        await an_image_made_by(slow, owner)
    assert await Image.count() == 0
    await idempotency.bind(quick, job=new_id())


async def test_a_request_that_was_killed_holds_its_key_no_longer_than_its_reservation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    owner = await an_owner()
    killed = await reserved(owner)
    with pytest.raises(KeyInUse):
        await reserved(owner)
    monkeypatch.setattr(idempotency, "RESERVED_S", 0.0)
    await idempotency.extend(killed)
    await reserved(owner)
    await reserved(owner)


async def test_keys_whose_time_is_over_are_purged() -> None:
    owner = await an_owner()
    for key in ("old", "new"):
        await idempotency.begin(owner.id, key, "f")
    await IdempotencyKey.update({IdempotencyKey.expires_at: now()}).where(IdempotencyKey.key == "old")
    assert await idempotency.purge_expired() == 1
    assert await IdempotencyKey.count() == 1


async def test_a_refresh_token_used_twice_at_once_ends_the_login() -> None:
    user = await an_owner()
    for _ in range(10):
        first = await refresh_tokens.start_family(user, ttl_s=60)
        used = await asyncio.gather(
            *(refresh_tokens.rotate(first.id, ttl_s=60) for _ in range(4)), return_exceptions=True
        )
        fresh = [one for one in used if isinstance(one, RefreshToken)]
        assert len(fresh) == 1
        assert all(isinstance(one, TokenError) for one in used if one is not fresh[0])
        assert await refresh_tokens.holder(user.id, first.family) is None
        with pytest.raises(TokenError):
            await refresh_tokens.rotate(fresh[0].id, ttl_s=60)


async def test_a_used_token_and_an_unknown_one_have_errors_of_their_own() -> None:
    user = await an_owner()
    first = await refresh_tokens.start_family(user, ttl_s=60)
    second = await refresh_tokens.rotate(first.id, ttl_s=60)
    assert await refresh_tokens.holder(user.id, first.family) is not None
    with pytest.raises(TokenReused):
        await refresh_tokens.rotate(first.id, ttl_s=60)
    with pytest.raises(TokenError):
        await refresh_tokens.rotate(second.id, ttl_s=60)


async def test_a_token_whose_time_is_over_has_its_own_error() -> None:
    first = await refresh_tokens.start_family(await an_owner(), ttl_s=-1)
    for use in (refresh_tokens.unrotated(first.id), refresh_tokens.rotate(first.id, ttl_s=60)):
        with pytest.raises(TokenExpired):
            await use


async def test_tokens_whose_time_is_over_are_purged() -> None:
    user = await an_owner()
    await refresh_tokens.start_family(user, ttl_s=-1)
    await refresh_tokens.start_family(user, ttl_s=60)
    assert await refresh_tokens.purge_expired() == 1
    assert await RefreshToken.count() == 1


async def test_an_ended_account_goes_once_its_images_are_gone() -> None:
    user, other = await an_owner(), await an_owner()
    image = await an_image(user)
    await a_job(user, image)
    await accounts.delete(user)
    assert await accounts.purge_deleted() == 0
    assert (await image_expiry.list_deleting(10))[0].id == image.id
    await image_expiry.delete_rows([image.id])
    assert await accounts.purge_deleted() == 1
    assert [one.id for one in await BaseUser.objects()] == [other.id]
    assert await Job.count() == 0
    assert await Image.count().where(Image.status == ImageStatus.DELETING) == 0

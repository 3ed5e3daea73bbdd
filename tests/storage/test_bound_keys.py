"""What an Idempotency-Key names: the transaction that makes it binds the key, before the response."""

from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest

from libs.storage import batches, idempotency, webhook_endpoints, webhook_outbox, webhook_secrets
from libs.storage.batches import NewJob
from libs.storage.database.tables import BaseUser, Batch, WebhookEndpoint
from libs.storage.idempotency import Effect, KeyInUse, Reservation
from tests.storage.rows import an_owner

pytestmark = [
    pytest.mark.usefixtures("database"),
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]


async def an_endpoint(owner: BaseUser, reservation: Reservation | None = None) -> WebhookEndpoint:
    return await webhook_endpoints.create(owner.id, "https://example.org/", (), reservation)


async def new_webhook(owner: BaseUser, reservation: Reservation) -> UUID:
    return (await an_endpoint(owner, reservation)).id


async def new_secret(owner: BaseUser, reservation: Reservation) -> UUID:
    return (await webhook_endpoints.rotate(await an_endpoint(owner), reservation=reservation)).id


async def new_account_secret(owner: BaseUser, reservation: Reservation) -> UUID:
    return (await webhook_secrets.rotate_account_secret(owner.id, reservation=reservation)).id


async def new_test_event(owner: BaseUser, reservation: Reservation) -> UUID:
    return (await webhook_outbox.add_test(await an_endpoint(owner), None, reservation)).id


async def new_batch(owner: BaseUser, reservation: Reservation) -> UUID:
    batch = Batch(owner=owner.id, filename="a.csv", total=1)
    await batches.create(batch, (), (), "test", reservation)
    return batch.id


async def retried_batch(owner: BaseUser, reservation: Reservation) -> UUID:
    batch = Batch(owner=owner.id, filename="a.csv", total=1)
    await batch.save()
    await batches.retry(batch, no_job, "test", reservation)
    return batch.id


def no_job(_: str) -> NewJob:
    raise AssertionError("nothing failed")


@pytest.mark.parametrize(
    "make", [new_webhook, new_secret, new_account_secret, new_test_event, new_batch, retried_batch]
)
async def test_a_key_names_what_was_made_although_the_response_was_lost(
    make: Callable[[BaseUser, Reservation], Awaitable[UUID]],
) -> None:
    owner = await an_owner()
    reservation = await idempotency.begin(owner.id, "k", "f")
    assert isinstance(reservation, Reservation)
    made = await make(owner, reservation)
    assert await idempotency.begin(owner.id, "k", "f") == Effect(made, None)
    with pytest.raises(KeyInUse):
        await make(owner, reservation)  # the key is bound: a second effect is void

"""Passwords are hashed in threads of their own; accounts that have ended leave nothing."""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

import pytest

from libs.contracts.enums import ImageStatus
from libs.runtime.threads import PASSWORDS, ServerBusy
from libs.storage import accounts, image_expiry, passwords
from libs.storage.database.engine import Engine
from libs.storage.database.tables import BaseUser, Image
from tests.storage.rows import an_image, an_owner


@pytest.fixture
async def passwords_of_others() -> AsyncIterator[None]:
    """As many passwords are hashed, and wait to be, as the pool takes."""
    release = threading.Event()
    work = [asyncio.create_task(PASSWORDS.run(release.wait)) for _ in range(200)]
    await asyncio.sleep(0)
    yield
    release.set()
    results = await asyncio.gather(*work, return_exceptions=True)
    assert any(isinstance(result, ServerBusy) for result in results)


USES: Mapping[str, Callable[[BaseUser], Awaitable[object]]] = {
    "log in": lambda user: accounts.authenticate(user.username, "correct horse"),
    "register": lambda _: accounts.register("ada", "ada@example.org", "correct horse"),
    "check": lambda user: passwords.check(user, "correct horse"),
    "replace": lambda user: passwords.replace(user, "correct horse"),
}


@pytest.mark.parametrize("use", USES.values(), ids=USES)
async def test_all_passwords_are_hashed_by_the_threads_that_are_for_them(
    database: Engine, passwords_of_others: None, use: Callable[[BaseUser], Awaitable[object]]
) -> None:
    user = await an_owner()
    with pytest.raises(ServerBusy):
        await use(user)


async def test_an_upload_that_outlived_its_account_is_removed_with_it(database: Engine) -> None:
    user = await an_owner()
    early = await an_image(user)
    await accounts.delete(user)
    late = await an_image(user)  # its request began before the account ended

    assert await accounts.purge_deleted() == 0
    marked = await Image.select(Image.id).where(Image.status == ImageStatus.DELETING)
    assert {row["id"] for row in marked} == {early.id, late.id}

    await image_expiry.delete_rows([early.id, late.id])
    assert await accounts.purge_deleted() == 1
    assert not await BaseUser.exists().where(BaseUser.id == user.id)


async def test_the_address_of_an_ended_account_is_free_at_once_and_its_name_never(database: Engine) -> None:
    user = await accounts.register("ada", "ada@example.org", "correct horse")
    await accounts.delete(user)
    with pytest.raises(accounts.UsernameTaken):
        await accounts.register("ada", "ada@example.org", "correct horse")
    assert await accounts.purge_deleted() == 1
    with pytest.raises(accounts.UsernameTaken):
        await accounts.register("ada", "ada@example.org", "correct horse")
    again = await accounts.register("ada2", "ada@example.org", "correct horse")
    assert not await accounts.is_free("ada", account=again.id)  # SQLite gives the same id again


async def test_the_former_names_of_an_ended_account_are_kept_from_the_next_account_of_its_id(
    database: Engine,
) -> None:
    user = await accounts.register("ada2", "ada@example.org", "correct horse")
    await accounts.retire("ada", user.id)
    assert await accounts.is_free("ada", account=user.id)
    await accounts.delete(user)
    assert not await accounts.is_free("ada", account=user.id)


async def test_a_name_that_is_given_up_during_a_registration_is_not_given_again(database: Engine) -> None:
    user = await accounts.register("ada", "ada@example.org", "correct horse")
    results = await asyncio.gather(
        accounts.delete(user),
        *(accounts.register("ada", f"ada{n}@example.org", "correct horse") for n in range(3)),
        return_exceptions=True,
    )
    assert [type(result) for result in results[1:]] == [accounts.UsernameTaken] * 3
    assert not await BaseUser.exists().where(BaseUser.username == "ada")

"""Accounts that have ended leave nothing."""

from libs.contracts.enums import ImageStatus
from libs.storage import accounts, image_expiry
from libs.storage.database.engine import Engine
from libs.storage.database.tables import BaseUser, Image
from tests.storage.rows import an_image, an_owner


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


async def test_the_name_of_an_ended_account_is_free_at_once(database: Engine) -> None:
    user = await accounts.register("ada", "ada@example.org", "correct horse")
    await accounts.delete(user)
    again = await accounts.register("ada", "ada@example.org", "correct horse")
    assert again.id != user.id

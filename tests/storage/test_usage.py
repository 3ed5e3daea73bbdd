"""What an account holds."""

from libs.contracts.enums import ImageStatus
from libs.storage import account_usage
from libs.storage.database.engine import Engine
from tests.storage.rows import an_owner, image_of


async def test_bytes_are_those_of_the_owners_images_that_are_not_on_their_way_out(database: Engine) -> None:
    owner, other = await an_owner(), await an_owner()
    for whose, size_bytes, status in (
        (owner, 1, ImageStatus.PENDING),
        (owner, 20, ImageStatus.READY),
        (owner, 300, ImageStatus.DELETING),
        (other, 4000, ImageStatus.READY),
    ):
        await image_of(whose, size_bytes=size_bytes, status=status).save()
    assert (await account_usage.of(owner.id)).stored_bytes == 21

"""What an account holds."""

from libs.contracts.enums import ImageStatus, Retention
from libs.storage import account_usage, site_activity
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


async def test_what_all_accounts_store_is_summed_by_status_and_retention(database: Engine) -> None:
    owner, other = await an_owner(), await an_owner()
    for whose, size_bytes, status, retention in (
        (owner, 1, ImageStatus.PENDING, Retention.EPHEMERAL),
        (owner, 20, ImageStatus.READY, Retention.KEEP),
        (other, 300, ImageStatus.READY, Retention.KEEP),
        (other, 4000, ImageStatus.READY, Retention.EPHEMERAL),
        (other, 50_000, ImageStatus.DELETING, Retention.KEEP),
    ):
        await image_of(whose, size_bytes=size_bytes, status=status, retention=retention).save()
    assert [(one.status, one.retention, one.images, one.bytes) for one in await site_activity.stored()] == [
        ("deleting", "keep", 1, 50_000),
        ("pending", "ephemeral", 1, 1),
        ("ready", "ephemeral", 1, 4000),
        ("ready", "keep", 2, 320),
    ]

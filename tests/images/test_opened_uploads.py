"""What opening a direct upload promises before anything answers."""

from uuid import uuid4

import pytest

from libs.backends import Backends
from libs.images.direct_upload import OpenUpload, check_file, open_upload
from libs.storage import direct_uploads, idempotency
from libs.storage.database.tables import BaseUser, now
from libs.storage.database.upload_tables import DirectUpload
from libs.storage.direct_uploads import TooManyUploads, UploadMismatch, UploadNotFound
from libs.storage.idempotency import Effect, KeyInUse, Reservation
from tests.storage.rows import an_owner
from tests.support.backends import NewBackends

KEY = ("key", "fingerprint")


async def opened(
    backends: Backends, owner: BaseUser, reservation: Reservation | None = None, *, md5: str | None = None
) -> DirectUpload:
    command = OpenUpload(
        owner=owner,
        filename="a.png",
        size_bytes=3,
        content_type="image/png",
        md5=md5,
        reservation=reservation,
    )
    return await open_upload(command, backends)


async def test_a_request_that_dies_before_it_answers_leaves_its_key_bound_to_the_upload(
    new_backends: NewBackends,
) -> None:
    backends, owner = await new_backends(), await an_owner()
    reservation = await idempotency.begin(owner.id, *KEY)
    assert isinstance(reservation, Reservation)
    upload = await opened(backends, owner, reservation)
    assert await idempotency.begin(owner.id, *KEY) == Effect(upload.id, None)


async def test_a_request_that_lost_its_key_opens_nothing(new_backends: NewBackends) -> None:
    backends, owner = await new_backends(), await an_owner()
    with pytest.raises(KeyInUse):
        await opened(backends, owner, Reservation(owner.id, "key", uuid4()))
    assert await DirectUpload.count() == 0


async def test_an_account_has_no_more_open_uploads_than_its_limit(
    new_backends: NewBackends, monkeypatch: pytest.MonkeyPatch
) -> None:
    backends, owner, other = await new_backends(), await an_owner(), await an_owner()
    monkeypatch.setattr(direct_uploads, "MAX_OPEN", 2)
    first = await opened(backends, owner)
    await opened(backends, owner)
    with pytest.raises(TooManyUploads):
        await opened(backends, owner)
    await opened(backends, other)
    await direct_uploads.claim(first.id, uuid4())
    await opened(backends, owner)


async def test_an_upload_whose_time_has_run_out_is_not_there_any_more(new_backends: NewBackends) -> None:
    upload = await opened(await new_backends(), await an_owner())
    assert (await direct_uploads.open_one(upload.id)).id == upload.id
    await DirectUpload.update({DirectUpload.expires_at: now()}).where(DirectUpload.id == upload.id)
    with pytest.raises(UploadNotFound):
        await direct_uploads.open_one(upload.id)
    with pytest.raises(UploadNotFound):
        await direct_uploads.claim(upload.id, uuid4())


async def test_an_upload_that_is_an_image_already_is_not_given_up(new_backends: NewBackends) -> None:
    backends, owner, image = await new_backends(), await an_owner(), uuid4()
    upload, unclaimed = await opened(backends, owner), await opened(backends, owner)
    await direct_uploads.claim(upload.id, image)
    assert await direct_uploads.give_up([upload.id, unclaimed.id]) == 1
    assert (await direct_uploads.by_id(upload.id)).image == image


async def test_a_file_of_another_size_or_md5_is_not_the_announced_one(new_backends: NewBackends) -> None:
    upload = await opened(await new_backends(), await an_owner(), md5="A" * 32)
    check_file(upload, size_bytes=3)
    check_file(upload, size_bytes=3, md5="a" * 32)
    with pytest.raises(UploadMismatch, match="4 bytes, 3 were announced"):
        check_file(upload, size_bytes=4)
    with pytest.raises(UploadMismatch, match="MD5"):
        check_file(upload, size_bytes=3, md5="b" * 32)

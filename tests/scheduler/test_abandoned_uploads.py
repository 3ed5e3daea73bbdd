"""Direct uploads of which no image is made: removed after an hour, and no stray for the doctor before."""

from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from libs.backends import Backends
from libs.images import direct_upload
from libs.images.consistency import Examination
from libs.images.direct_upload import OpenUpload, open_upload
from libs.storage import account_usage, direct_uploads, upload_tokens
from libs.storage.database.tables import BaseUser, now
from libs.storage.database.upload_tables import DirectUpload
from libs.storage.object_keys import upload_key
from libs.storage.objects import ObjectsNotDeleted
from libs.storage.upload_tokens import NewToken, UploadTerms
from tests.storage.rows import an_owner
from tests.support.backends import NewBackends, opened_backends
from tests.support.direct_uploads import md5_of

DATA = b"no image, but nobody has looked yet"


async def an_upload(backends: Backends, owner: BaseUser, token: UUID | None = None) -> DirectUpload:
    return await open_upload(
        OpenUpload(
            owner=owner, filename="a.png", size_bytes=len(DATA), content_type="image/png", token=token
        ),
        backends,
    )


async def put(backends: Backends, upload: DirectUpload) -> None:
    path = backends.scratch / str(upload.id)
    path.write_bytes(DATA)
    await direct_upload.store_file(upload, path, md5_of(DATA), backends)


async def run_out(*uploads: DirectUpload) -> None:
    for upload in uploads:
        await DirectUpload.update({DirectUpload.expires_at: now()}).where(DirectUpload.id == upload.id)


async def files(backends: Backends) -> set[str]:
    return {stored.key async for stored in backends.objects.scan(".direct-uploads/")}


async def test_uploads_go_when_their_time_runs_out_and_count_no_more(new_backends: NewBackends) -> None:
    backends = await new_backends()
    owner = await an_owner()
    token = await upload_tokens.create(
        owner.id,
        NewToken(
            token_id="a" * 12,
            digest="d" * 64,
            made_by=None,
            max_bytes=100,
            formats=(),
            terms=UploadTerms(),
            allowed=3,
            expires_at=now() + timedelta(hours=2),
        ),
    )
    never_put = await an_upload(backends, owner, token.id)
    unclaimed = await an_upload(backends, owner, token.id)
    claimed = await an_upload(backends, owner, token.id)
    open_one = await an_upload(backends, owner)
    for upload in (unclaimed, claimed, open_one):
        await put(backends, upload)
    await direct_uploads.claim(claimed.id, claimed.id)
    assert await direct_upload.remove_expired(backends) == 0
    await run_out(never_put, unclaimed, claimed)
    with pytest.raises(direct_uploads.UploadNotFound):
        await direct_uploads.open_one(unclaimed.id)
    with pytest.raises(direct_uploads.UploadNotFound):
        await direct_uploads.claim(unclaimed.id, unclaimed.id)
    assert await direct_upload.remove_expired(backends) == 3
    assert await files(backends) == {upload_key(open_one.id)}
    assert (await account_usage.of(owner.id)).reserved_bytes == len(DATA)
    assert (await upload_tokens.owned_by(owner.id, token.id)).used == 1  # of the image that was made
    assert await direct_upload.remove_expired(backends) == 0


async def test_all_that_have_run_out_go_at_once_however_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(direct_upload, "BATCH", 2)
    async with opened_backends(tmp_path) as backends:
        owner = await an_owner()
        uploads = [await an_upload(backends, owner) for _ in range(5)]
        for upload in uploads:
            await put(backends, upload)
        await run_out(*uploads)
        assert await direct_upload.remove_expired(backends) == 5
        assert await files(backends) == set()


async def test_files_that_arrive_after_the_removal_go_too(tmp_path: Path) -> None:
    async with opened_backends(tmp_path) as backends:
        owner = await an_owner()
        late, open_one = await an_upload(backends, owner), await an_upload(backends, owner)
        await run_out(late)
        await direct_upload.remove_expired(backends)
        for upload in (late, open_one):
            await put(backends, upload)
        assert await direct_upload.remove_strays(backends) == 0  # too young to be sure
        assert await direct_upload.remove_strays(backends, older_than_s=-1) == 1
        assert await files(backends) == {upload_key(open_one.id)}


async def test_a_file_that_the_store_keeps_holds_up_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened_backends(tmp_path) as backends:
        owner = await an_owner()
        kept, other = await an_upload(backends, owner), await an_upload(backends, owner)
        await run_out(kept, other)
        delete = backends.objects.delete

        async def keep_one(keys: list[str]) -> None:
            await delete([key for key in keys if key != upload_key(kept.id)])
            if upload_key(kept.id) in keys:
                raise ObjectsNotDeleted({upload_key(kept.id): "it is locked"})

        monkeypatch.setattr(backends.objects, "delete", keep_one)
        assert await direct_upload.remove_expired(backends) == 1
        assert await direct_uploads.existing([kept.id, other.id]) == {kept.id}
        assert await direct_uploads.expired(9) == []
        await run_out(kept)
        assert await direct_upload.remove_expired(backends) == 0


async def test_the_doctor_knows_open_uploads_and_finds_files_without_one(tmp_path: Path) -> None:
    async with opened_backends(tmp_path) as backends:
        owner = await an_owner()
        lost, open_one = await an_upload(backends, owner), await an_upload(backends, owner)
        for upload in (lost, open_one):
            await put(backends, upload)
        await direct_uploads.give_up([lost.id])
        young = Examination(backends, age_s=3600)
        await young.run(lambda _: None)
        assert young.findings == []
        old = Examination(backends, age_s=-1)
        await old.run(lambda _: None)
        assert [(found.kind, found.key) for found in old.findings] == [("stray", upload_key(lost.id))]
        assert await old.mend(force=False) == 1
        assert await files(backends) == {upload_key(open_one.id)}

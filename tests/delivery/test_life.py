"""Renditions live as long as their image: its deletion, its replacement and its account's end."""

from pathlib import Path
from uuid import UUID

from libs.contracts.enums import ImageStatus
from libs.storage import accounts, renditions
from libs.storage.database.delivery_tables import Rendition
from libs.storage.database.engine import Engine
from libs.storage.database.tables import Image
from tests.storage.rows import an_image, an_owner
from tests.support.addresses import GRAY, fetched, new_key, put_preset, signed_by
from tests.support.client import Client
from tests.support.photo_server import PhotoServer
from tests.support.site_contents import object_keys, refused
from tests.support.waiting import until, until_equal

READY = {Rendition.object_key: ".renditions/x/y.webp", Rendition.size_bytes: 3}
NONE = frozenset[str]()


async def stored_of(client: Client, image: str) -> frozenset[str]:
    return await object_keys(client.site, f".renditions/{image}/")


async def claimed(owner: int | None, image: UUID | None, digest: str) -> UUID:
    claim = await renditions.claim(digest, owner=owner, image=image, preset="card", lease_s=60)
    assert claim is not None
    return claim


async def test_an_image_takes_its_renditions_along(client: Client, photo: Path) -> None:
    image, key = (await client.upload(photo)).json["id"], await new_key(client)
    for steps in ("w_60", "w_70"):
        assert (await fetched(client, signed_by(key, steps, image))).status == 200

    async def stored() -> frozenset[str]:
        return await stored_of(client, image)

    async def both() -> bool:
        return len(await stored()) == 2

    await until(both)
    assert (await client.call("DELETE", f"/api/images/{image}")).status == 200
    await until_equal(NONE, stored)


async def test_other_bytes_take_the_place_of_the_renditions_too(
    client: Client, photo: Path, photos: Path, photo_server: PhotoServer
) -> None:
    image, key = (await client.upload(photo)).json["id"], await new_key(client)
    address = signed_by(key, "w_60", image)
    before = await fetched(client, address)

    async def stored() -> frozenset[str]:
        return await stored_of(client, image)

    former = await until(stored)
    url = photo_server.serve(f"/{client.username}.png", (photos / "coffee.png").read_bytes())
    replaced = await client.call(
        "PUT", f"/api/images/{image}", json={"image_url": url}, headers={"Prefer": "wait=60"}
    )
    assert replaced.status == 200, replaced

    async def is_gone() -> bool:
        return not former & await stored()

    await until(is_gone)

    async def is_new() -> bool:
        return (await fetched(client, address)).headers["ETag"] != before.headers["ETag"]

    await until(is_new)


async def test_each_request_for_a_preset_without_cache_is_rendered_though_the_one_before_was_a_moment_ago(
    client: Client, photo: Path
) -> None:
    await put_preset(client, "fresh", operations=GRAY, cache=False)
    image = (await client.upload(photo, retention="keep")).json["id"]
    address = signed_by(await new_key(client), "fresh", image)
    for _ in range(3):
        found = await fetched(client, address)
        assert (found.status, found.headers["Cache-Status"]) == (200, "darkroom; fwd=miss")
    assert not await stored_of(client, image)


async def test_renditions_that_are_rendered_ahead_are_hits_in_each_format(
    client: Client, photo: Path, photo_server: PhotoServer
) -> None:
    await put_preset(client, "card", operations=GRAY, formats=["avif", "webp"])
    await put_preset(client, "fresh", operations=GRAY, cache=False)
    key = await new_key(client)
    uploaded = await client.upload(photo, renditions="card, fresh")
    assert uploaded.status == 201, uploaded
    url = photo_server.serve(f"/{client.username}.jpg", photo.read_bytes())
    by_url = await client.post(
        "/api/images", json={"image_url": url, "renditions": ["card"]}, headers={"Prefer": "wait=60"}
    )
    again = await client.upload(photo, renditions="card", on_duplicate="return")
    assert (again.status, again.json["id"]) == (200, uploaded.json["id"])
    for image, count in ((uploaded.json["id"], 2), (by_url.json["id"], 1)):
        jobs = (await client.get(f"/api/jobs?kind=render&image={image}")).json
        assert len(jobs) == count
        for job in jobs:
            assert (await client.job_done(job["id"]))["status"] == "completed"
        for accept, kind in (("image/avif", "avif"), ("image/webp", "webp"), ("*/*", "jpeg")):
            found = await fetched(client, signed_by(key, "card", image), headers={"Accept": accept})
            assert (found.status, found.headers["Content-Type"]) == (200, f"image/{kind}")
            assert found.headers["Cache-Status"] == "darkroom; hit", accept
        assert len(await stored_of(client, image)) == 3
        shown = (await client.get(f"/api/images/{image}")).json
        assert shown["job_id"] not in [job["id"] for job in jobs]
    refused(await client.upload(photo, renditions="none"), 404, "preset_not_found")
    refused(await client.upload(photo, renditions=",".join(["card"] * 21)), 400, "invalid_request")


async def test_what_is_rendered_while_its_image_is_deleted_is_not_recorded(database: Engine) -> None:
    owner = await an_owner()
    image = await an_image(owner)
    claim = await claimed(owner.id, image.id, "a")
    await Image.update({Image.status: ImageStatus.DELETING}).where(Image.id == image.id)
    assert not await renditions.complete(claim, READY)
    assert await renditions.remove_of_images([image.id]) == [""]


async def test_a_claim_whose_row_a_purge_has_removed_is_lost(database: Engine) -> None:
    owner = await an_owner()
    image = await an_image(owner)
    claim = await claimed(owner.id, image.id, "a")
    assert await renditions.remove_of_preset(owner.id, "other", limit=9) == []
    assert await renditions.remove_of_preset(owner.id, "card", limit=9) == [""]
    assert not await renditions.complete(claim, READY)


async def test_a_deleted_account_stays_until_its_renditions_of_remote_images_are_gone(
    database: Engine,
) -> None:
    owner, other = await an_owner(), await an_owner()
    for account, digest in ((owner, "a"), (other, "b")):
        values = {**READY, Rendition.object_key: f".renditions/remote/{digest}.webp"}
        assert await renditions.complete(await claimed(account.id, None, digest), values)
    await accounts.delete(owner)
    assert await accounts.purge_deleted() == 0
    assert await renditions.remove_of_closed_accounts(100) == [".renditions/remote/a.webp"]
    assert await accounts.purge_deleted() == 1
    assert await renditions.find("b") is not None

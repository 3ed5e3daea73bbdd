"""A new focal point outdates renditions: they are deleted, and made again where they were rendered ahead."""

from pathlib import Path
from typing import Any

from libs.delivery.ahead import wanted_of
from libs.delivery.refocus import Outdated, outdated_by_focus
from libs.imaging.operations import Crop, Resize
from libs.jobs import build
from libs.settings import load_settings
from libs.storage import presets, renditions
from libs.storage.database.engine import Engine
from libs.storage.database.statement import insert
from libs.storage.presets import PresetContent
from tests.storage.rows import an_image, an_owner
from tests.support.addresses import GRAY, fetched, new_key, put_preset, signed_by
from tests.support.client import Client
from tests.support.site_contents import object_keys
from tests.support.waiting import until

FOCUS = {"x": 0.05, "y": 0.9}
ACCEPTS = ("image/webp", "*/*")
SQUARE = [{"op": "resize", "width": 90, "height": 90, "fit": "cover", "gravity": "focus"}]


async def rendered(client: Client, image: str, count: int) -> None:
    """Wait until the image has had so many jobs that render ahead, and all have ended."""
    jobs: list[dict[str, Any]] = (await client.get(f"/api/jobs?kind=render&image={image}")).json
    assert len(jobs) == count
    for job in jobs:
        assert (await client.job_done(job["id"]))["status"] == "completed"


async def test_what_was_rendered_ahead_is_rendered_again_for_a_new_focal_point(
    client: Client, photo: Path
) -> None:
    await put_preset(client, "square", operations=SQUARE, formats=["webp"])
    await put_preset(client, "gray", operations=GRAY, formats=["webp"])
    await put_preset(client, "on-request", operations=SQUARE, formats=["webp"])
    key = await new_key(client)
    image = (await client.upload(photo, renditions="square, gray")).json["id"]
    await rendered(client, image, 1)
    on_request = signed_by(key, "on-request", image) + "?w=64"
    assert (await fetched(client, on_request)).status == 200

    async def stored() -> frozenset[str]:
        return await object_keys(client.site, f".renditions/{image}/")

    async def all_five() -> frozenset[str] | None:
        return keys if len(keys := await stored()) == 5 else None

    async def tags(accept: str) -> tuple[str, str]:
        answers = [
            await fetched(client, signed_by(key, preset, image), headers={"Accept": accept})
            for preset in ("square", "gray")
        ]
        assert {answer.headers["Cache-Status"].split(";")[1].strip() for answer in answers} == {"hit"}
        return answers[0].headers["ETag"], answers[1].headers["ETag"]

    former = await until(all_five)
    assert former is not None
    before = [await tags(accept) for accept in ACCEPTS]
    path = f"/api/images/{image}"
    assert (await client.call("PATCH", path, json={"focus": FOCUS})).status == 200
    await rendered(client, image, 2)
    assert len(former & await stored()) == 2  # those of the other preset
    assert len(await stored()) == 4

    async def has_changed() -> bool:
        now = [await tags(accept) for accept in ACCEPTS]
        return all(one[0] != other[0] for one, other in zip(now, before, strict=True))

    await until(has_changed)
    assert [one[1] for one in before] == [(await tags(accept))[1] for accept in ACCEPTS]
    for same in ({"focus": FOCUS}, {"tags": ["a"]}):
        assert (await client.call("PATCH", path, json=same)).status == 200
    await rendered(client, image, 2)
    assert (await client.call("PATCH", path, json={"focus": None})).status == 200
    await rendered(client, image, 3)


async def test_a_job_that_has_not_ended_renders_ahead_for_the_newest_focal_point_too(
    database: Engine,
) -> None:
    owner = await an_owner()
    image = await an_image(owner, retention="keep", expires_at=None, format="jpeg")
    settings = load_settings({})
    for name, operations in (
        ("queued", (Crop(width=9, height=9, gravity="focus"),)),
        ("claimed", (Resize(width=9, height=9, fit="cover", gravity="focus"),)),
        ("still", (Resize(width=9, height=9, fit="cover"),)),
    ):
        content = PresetContent(operations=operations, public=False, cache=True, formats=(), fallback=None)
        await presets.put(owner.id, name, content)
    assert await outdated_by_focus(image, settings) == Outdated(presets=(), ahead=())
    job = build.rendering_job(image, owner.username, ["queued", "still", "deleted"], None)
    assert job is not None
    await insert(job)
    await renditions.claim("d" * 40, owner=owner.id, image=image.id, preset="claimed", lease_s=60)
    assert await outdated_by_focus(image, settings) == Outdated(
        presets=("claimed", "queued"), ahead=("queued",)
    )
    [first, *_] = await wanted_of(image, ["claimed"], settings)
    await renditions.claim(first.digest, owner=owner.id, image=image.id, preset="claimed", lease_s=60)
    found = await outdated_by_focus(image, settings)
    assert found == Outdated(presets=("claimed", "queued"), ahead=("claimed", "queued"))

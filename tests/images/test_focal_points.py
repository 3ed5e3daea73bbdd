"""The focal point of a stored image, at every door through which operations come."""

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.batches.csv_files import accepted, done, products
from tests.delivery.test_image_urls import opened, urls_of
from tests.support.client import Client
from tests.support.photo_server import PhotoServer
from tests.support.shared_sites import ON_ONE_SITE
from tests.support.waiting import until

FOCUS = {"x": 0.25, "y": 0.8}
COVER = {"op": "resize", "width": 200, "height": 300, "fit": "cover"}
PNG = {"op": "convert", "format": "png"}


async def focused(client: Client, photo: Path, **upload: Any) -> dict[str, Any]:
    image = (await client.upload(photo, **upload)).json
    answer = await client.call("PATCH", f"/api/images/{image['id']}", json={"focus": FOCUS})
    assert (answer.status, answer.json["focus"]) == (200, FOCUS)
    return answer.json


async def result_of(client: Client, image_id: str, *operations: dict[str, Any]) -> str:
    """The MD5 of a result."""
    answer = await client.post(
        f"/api/images/{image_id}/transform",
        json={"operations": operations},
        headers={"Prefer": "wait=60"},
    )
    assert answer.status == 200, answer
    return (await client.get(f"/api/images/{answer.json['result_id']}")).json["md5"]


async def test_a_focal_point_is_stored_and_shown_and_removed_and_decides_what_a_crop_keeps(
    client: Client, photo: Path
) -> None:
    image = await focused(client, photo)
    by_focus = await result_of(client, image["id"], COVER | {"gravity": "focus"}, PNG)
    assert by_focus == await result_of(client, image["id"], COVER | {"gravity": FOCUS}, PNG)
    path = f"/api/images/{image['id']}"
    assert (await client.get(path)).json["focus"] == FOCUS
    assert (await client.call("PATCH", path, json={"tags": ["a"]})).json["focus"] == FOCUS
    assert (await client.call("PATCH", path, json={"focus": None})).json["focus"] is None
    centred = await result_of(client, image["id"], COVER | {"gravity": "focus"}, PNG)
    assert centred == await result_of(client, image["id"], COVER | {"gravity": "center"}, PNG)
    assert centred != by_focus


@ON_ONE_SITE
async def test_a_point_outside_the_picture_is_refused_and_new_bytes_have_no_focal_point(
    client: Client, photo: Path, photo_server: PhotoServer
) -> None:
    image = await focused(client, photo)
    path = f"/api/images/{image['id']}"
    for wrong in ({"x": 1.2, "y": 0}, {"x": 0.5}, [0.5, 0.5], "center"):
        refused = await client.call("PATCH", path, json={"focus": wrong})
        assert (refused.status, refused.code) == (400, "invalid_request"), wrong
    url = photo_server.serve("/focus/other.jpg", photo.read_bytes() + b"\0")
    both = await client.call("PATCH", path, json={"image_url": url, "focus": FOCUS})
    assert (both.status, "`focus`" in both.json["detail"]) == (400, True)
    assert (await client.get(path)).json["focus"] == FOCUS
    replaced = await client.call("PUT", path, json={"image_url": url})
    assert (replaced.status, replaced.json["focus"]) == (200, None)


@ON_ONE_SITE
async def test_the_focal_point_is_one_of_the_upright_picture(client: Client, tmp_path: Path) -> None:
    with Image.linear_gradient("L") as gradient:  # black at the top, white at the bottom
        stored = gradient.resize((400, 800)).transpose(Image.Transpose.ROTATE_90)
        exif = Image.Exif()
        exif[0x0112] = 6  # shown turned clockwise by a quarter
        stored.save(tmp_path / "turned.jpg", quality=95, exif=exif)
    image = (await client.upload(tmp_path / "turned.jpg")).json
    await client.call("PATCH", f"/api/images/{image['id']}", json={"focus": {"x": 0.5, "y": 0.9}})
    crop = {"op": "crop", "width": 400, "height": 100, "gravity": "focus"}
    answer = await client.post(
        f"/api/images/{image['id']}/transform",
        json={"operations": [{"op": "rotate", "angle": 180}, crop, PNG]},
        headers={"Prefer": "wait=60"},
    )
    file = tmp_path / "result.png"
    file.write_bytes((await client.get(f"/api/images/{answer.json['result_id']}/download")).body)
    with Image.open(file) as result:
        assert result.size == (400, 100)
        middle = result.convert("L").getpixel((200, 50))
    assert middle == pytest.approx(0.9 * 255, abs=3)


async def test_an_address_with_g_focus_changes_with_the_focal_point_and_so_does_its_version(
    client: Client, photo: Path
) -> None:
    image = await focused(client, photo)
    steps = "w_200,h_300,fit_cover,g_focus,f_png"
    first = await urls_of(client, image["id"], steps=steps)
    assert first["steps"] == "resize,width_200,height_300,fit_cover,gravity_focus:convert,format_png"
    shown = await opened(client, first["url"])
    assert "immutable" in shown.headers["Cache-Control"]
    fixed = await urls_of(client, image["id"], steps=steps.replace("g_focus", "g_0.25x0.8"))
    assert shown.body == (await opened(client, fixed["url"])).body
    path = f"/api/images/{image['id']}"
    await client.call("PATCH", path, json={"focus": {"x": 0.9, "y": 0.2}})
    second = await urls_of(client, image["id"], steps=steps)
    assert second["url"] != first["url"]
    assert (await opened(client, second["url"])).body != shown.body

    async def noticed() -> bool:  # answers are remembered for a second
        return (await opened(client, first["url"])).body != shown.body

    await until(noticed)
    moved = await opened(client, first["url"])
    assert moved.body == (await opened(client, second["url"])).body
    assert "immutable" not in moved.headers["Cache-Control"]
    await client.call("PATCH", path, json={"focus": None})
    third = await urls_of(client, image["id"], steps=steps)
    centred = await urls_of(client, image["id"], steps=steps.replace("g_focus", "g_center"))
    assert (await opened(client, third["url"])).body == (await opened(client, centred["url"])).body
    assert third["url"].rpartition("~")[2] == centred["url"].rpartition("~")[2] == image["md5"][:8]


@ON_ONE_SITE
async def test_presets_and_batches_take_the_focal_point_and_a_fetched_image_has_the_centre(
    client: Client, photo: Path, photo_server: PhotoServer
) -> None:
    image = await focused(client, photo)
    operations = [COVER | {"gravity": "focus"}, PNG]
    await client.call("PUT", "/api/presets/upright", json={"operations": operations})
    job = await client.post(
        f"/api/images/{image['id']}/transform", json={"preset": "upright"}, headers={"Prefer": "wait=60"}
    )
    by_preset = (await client.get(f"/api/images/{job.json['result_id']}")).json["md5"]
    assert by_preset == await result_of(client, image["id"], COVER | {"gravity": FOCUS}, PNG)
    url = photo_server.serve("/focus/product.jpg", photo.read_bytes())
    batch = await accepted(client, products([[url]]), operations=json.dumps(operations))
    assert (await done(client, batch["id"]))["completed"] == 1
    item = (await client.get(f"/api/batches/{batch['id']}")).json["items"][0]
    centred = await result_of(client, image["id"], COVER | {"gravity": "center"}, PNG)
    assert (await client.get(f"/api/images/{item['output_id']}")).json["md5"] == centred

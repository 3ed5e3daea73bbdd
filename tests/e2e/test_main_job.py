"""The main job from end to end, embedded and with the three apps on real services."""

import hashlib
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image

from tests.support.client import Client

OPERATIONS = [{"op": "resize", "width": 200}, {"op": "grayscale"}, {"op": "convert", "format": "webp"}]
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/">SECRET xmp</x:xmpmeta>'


async def test_a_photo_with_operations_becomes_a_result_that_downloads(client: Client, photo: Path) -> None:
    accepted = await client.upload(photo, OPERATIONS)
    assert accepted.status == 202
    assert accepted.json["status"] == "pending"
    assert accepted.headers["Location"] == f"{client.site.url}/api/jobs/{accepted.json['job_id']}"

    job = await client.job_done(accepted.json["job_id"])
    assert job["status"] == "completed"
    assert (await client.get(accepted.headers["Location"])).json == job

    download = await client.get(accepted.json["download_url"])
    assert download.status == 200
    assert download.headers["Content-Type"] == "image/webp"
    with Image.open(BytesIO(download.body)) as image:
        assert (image.format, image.size) == ("WEBP", (200, 133))
    view = (await client.get(f"/api/images/{job['result_id']}")).json
    assert_matches_file(view, download.body)
    assert (await client.get(accepted.json["url"])).json["result"] == view


async def test_an_animation_becomes_another_with_all_its_frames(client: Client) -> None:
    accepted = await client.upload(animation(), OPERATIONS, filename="moving.gif", wait_s=60)
    assert accepted.status == 201
    download = await client.get(accepted.json["download_url"])
    with Image.open(BytesIO(download.body)) as image:
        assert (image.format, image.size, getattr(image, "n_frames", 1)) == ("WEBP", (200, 150), 4)
    assert_matches_file(accepted.json["result"], download.body)


async def test_what_a_camera_wrote_into_a_photo_is_not_in_its_result(client: Client, photo: Path) -> None:
    sent = geotagged(photo)
    for secret in (b"SECRET place", b"SECRET xmp"):
        assert secret in sent
    for name in ("jpeg", "webp", "png"):
        operations = [*OPERATIONS[:1], {"op": "convert", "format": name}]
        accepted = await client.upload(sent, operations, wait_s=60)
        download = await client.get(accepted.json["download_url"])
        assert (download.status, download.headers["Content-Type"]) == (200, f"image/{name}")
        assert b"SECRET" not in download.body
        with Image.open(BytesIO(download.body)) as image:
            assert not image.getexif()
            assert not {"exif", "xmp", "XML:com.adobe.xmp"} & set(image.info)


def assert_matches_file(view: dict[str, Any], body: bytes) -> None:
    """What a record says of an image, against its bytes."""
    with Image.open(BytesIO(body)) as image:
        assert (view["format"].upper(), view["mime"]) == (image.format, image.get_format_mimetype())
        assert (view["width"], view["height"]) == image.size
        assert view["frames"] == getattr(image, "n_frames", 1)
    assert (view["size_bytes"], view["md5"]) == (len(body), hashlib.md5(body).hexdigest())  # noqa: S324


def animation() -> bytes:
    """Four frames as a GIF, 240 x 180."""
    frames = [Image.new("RGB", (240, 180), colour) for colour in ("red", "lime", "blue", "white")]
    file = BytesIO()
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:], duration=100, loop=0)
    return file.getvalue()


def geotagged(photo: Path) -> bytes:
    """The photograph with its camera and place as EXIF, and with XMP."""
    exif = Image.Exif()
    exif[0x010F] = "SECRET maker"
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 12.0), 0x001B: b"SECRET place"})
    file = BytesIO()
    with Image.open(photo) as image:
        image.save(file, "JPEG", exif=exif, xmp=XMP)
    return file.getvalue()

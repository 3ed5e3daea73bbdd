"""Results keep a photo's metadata, or all of it but the place."""

from io import BytesIO

from PIL import Image

from tests.imaging.rich_exif import build, find_block, parse, rich_fields
from tests.support.client import Client
from tests.support.shared_sites import ON_ONE_SITE

pytestmark = ON_ONE_SITE


async def test_a_photo_keeps_all_of_its_exif_or_all_but_the_place(client: Client) -> None:
    fields = rich_fields(">")
    buffer = BytesIO()
    exif = b"Exif\0\0" + build(fields, ">").data
    Image.new("RGB", (32, 20), "teal").save(buffer, "JPEG", exif=exif)
    without_place = [field for field in fields if field.directory != "gps" and field.number != 0x927C]
    for mode, expected in (("keep", fields), ("strip_location", without_place)):
        steps = [{"op": "metadata", "mode": mode, "dpi": "keep"}]
        answer = await client.upload(buffer.getvalue(), steps, filename="photo.jpg", wait_s=60)
        assert answer.status == 201, answer
        download = await client.get(answer.json["result"]["download_url"])
        assert set(parse(find_block(download.body))) == set(expected)

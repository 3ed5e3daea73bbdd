"""A worker writes texts with the fonts of its operator."""

import shutil
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from libs.imaging.text.text_fonts import FONTS
from tests.support.shared_sites import NewSite, signed_in

pytestmark = pytest.mark.parametrize("new_site", ["embedded"], indirect=True)


async def test_a_text_is_written_with_a_font_of_the_operator_and_no_other(
    new_site: NewSite, tmp_path: Path, small_picture: bytes
) -> None:
    fonts = tmp_path / "fonts"
    fonts.mkdir()
    shutil.copy(FONTS[0], fonts / "Corporate.ttf")
    site = await new_site(FONTS_DIR=str(fonts))
    async with signed_in(site) as client:
        watermark = {"op": "watermark", "text": "H", "size": 28, "position": "center", "font": "Corporate"}
        to_png = {"op": "convert", "format": "png"}
        made = await client.upload(small_picture, [watermark, to_png], wait_s=60)
        assert made.status == 201, made
        answer = await client.get(f"/api/images/{made.json['id']}/download")
        with Image.open(BytesIO(answer.body)) as image, Image.open(BytesIO(small_picture)) as before:
            assert image.convert("RGB").tobytes() != before.convert("RGB").tobytes()
        unknown = await client.upload(small_picture, [watermark | {"font": "Corporat"}], wait_s=60)
        assert (unknown.status, unknown.code) == (422, "font_unavailable")
        outside = await client.upload(small_picture, [watermark | {"font": "../fonts/Corporate"}])
        assert outside.status == 400, outside

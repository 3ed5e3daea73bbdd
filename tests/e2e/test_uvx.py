"""`uvx --from . darkroom serve`, as the page about installing has it, with the index of the environment."""

import sys
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from tests.support.client import Client
from tests.support.site import running_site

ROOT = Path(__file__).parents[2]
STEPS = [{"op": "resize", "width": 200}, {"op": "convert", "format": "webp"}]


async def test_uvx_serves_a_site_from_a_checkout(
    tmp_path: Path, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_CONSTRAINT", str(ROOT / "requirements/main.txt"))  # the packages that are tested
    monkeypatch.setenv("UV_PYTHON", sys.executable)
    uvx = [str(Path(sys.executable).with_name("uvx")), "--from", str(ROOT), "darkroom"]
    async with running_site("embedded", tmp_path / "site", uvx) as site, Client(site) as client:
        assert (await client.register()).status == 201, site.logs()
        await client.login()
        made = await client.upload(photo, STEPS, wait_s=60)
        assert made.status == 201, made
        with Image.open(BytesIO((await client.get(made.json["download_url"])).body)) as image:
            assert (image.format, image.width) == ("WEBP", 200)
    assert "Traceback" not in site.logs()

"""The README's walk, as a new user pastes it."""

import asyncio
import json
import re
import shutil
from io import BytesIO
from pathlib import Path

from PIL import Image

from tests.support.site import Site

README = Path(__file__).parents[2] / "README.md"


def walk() -> str:
    section = README.read_text().split("## A walk")[1].split("\n## ")[0]
    return "\n".join(re.findall(r"```sh\n(.*?)```", section, re.DOTALL))


async def shell(script: str, directory: Path) -> str:
    process = await asyncio.create_subprocess_exec(
        "bash", "-euo", "pipefail", "-c", script,
        cwd=directory, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    return out.decode()


async def test_the_walk_of_the_readme_ends_with_the_result_in_hand(
    site: Site, photos: Path, tmp_path: Path
) -> None:
    with Image.open(photos / "retina.jpg") as photo:
        photo.save(tmp_path / "photo.jpg")
    script = walk()
    assert script.count("AT=http://127.0.0.1:8000\n") == 1
    own_address = script.replace("AT=http://127.0.0.1:8000\n", f"AT={site.url}\n")

    said = await shell(own_address, tmp_path)

    assert "HTTP/1.1 202 Accepted" in (tmp_path / "headers.txt").read_text()
    job = json.loads(said.splitlines()[-3])
    assert job["status"] == "completed"
    assert said.splitlines()[-2:] == ["200 image/webp", "200 image/webp"]
    result = (tmp_path / "result.webp").read_bytes()
    assert result == (tmp_path / "same.webp").read_bytes()
    with Image.open(BytesIO(result)) as image:
        assert (image.format, image.size) == ("WEBP", (800, 800))
        bands = [band.tobytes() for band in image.convert("RGB").resize((8, 8)).split()]
        assert all(max(levels) - min(levels) <= 4 for levels in zip(*bands, strict=True))


def test_curl_is_there_for_the_walk() -> None:
    assert shutil.which("curl"), "install curl: the README's walk uses it"

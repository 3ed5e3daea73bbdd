"""The built wheel, installed in an empty environment: the command and the walk of the README."""

import asyncio
import subprocess
import sys
import sysconfig
import venv
from io import BytesIO
from pathlib import Path

from PIL import Image

from tests.support.client import Client
from tests.support.site import running_site

ROOT = Path(__file__).parents[2]


def install(folder: Path) -> Path:
    """Build the wheel and install it into a new environment; return its `darkroom`.

    The packages that it requires are those of this environment, in which Darkroom itself is not found: a
    path file inside a folder that a path file names does not count.
    """
    hatchling = Path(sys.executable).with_name("hatchling")
    subprocess.run(
        [hatchling, "build", "-t", "wheel", "-d", folder], cwd=ROOT, check=True, capture_output=True
    )
    (wheel,) = folder.glob("*.whl")
    environment = folder / "environment"
    venv.create(environment, symlinks=True)
    inside = {"base": str(environment), "platbase": str(environment)}
    packages = Path(sysconfig.get_path("purelib", vars=inside))
    pip = [sys.executable, "-m", "pip", "--python", environment / "bin" / "python", "install"]
    subprocess.run([*pip, "--no-deps", "--no-index", "--quiet", wheel], check=True)
    (packages / "requirements.pth").write_text(sysconfig.get_path("purelib"))
    return environment / "bin" / "darkroom"


async def test_the_wheel_serves_a_site_in_an_empty_environment(tmp_path: Path, photo: Path) -> None:
    darkroom = await asyncio.to_thread(install, tmp_path)
    async with running_site("embedded", tmp_path / "site", [str(darkroom)]) as site, Client(site) as client:
        source = [
            str(darkroom.with_name("python")),
            "-c",
            "import apps, libs; print(apps.__path__, libs.__path__)",
        ]
        found = await asyncio.to_thread(subprocess.check_output, source, cwd=tmp_path, text=True)
        assert str(ROOT) not in found
        client.username = "ada"
        assert (await client.register()).status == 201
        await client.login()
        operations = [
            {"op": "resize", "width": 200},
            {"op": "watermark", "text": "نور"},
            {"op": "convert", "format": "webp"},
        ]
        uploaded = await client.upload(photo, operations, wait_s=60)
        assert uploaded.status == 201, uploaded.json
        download = await client.get(uploaded.json["download_url"])
        with Image.open(BytesIO(download.body)) as image:
            assert (image.format, image.width) == ("WEBP", 200)
        for page in ("/console/", "/schema", "/admin/"):
            assert (await client.get(page)).status == 200

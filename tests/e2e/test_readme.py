"""The README's commands, as a new user pastes them."""

from pathlib import Path

from PIL import Image

from tests.support.documents import LOCAL_ADDRESS, run_as_pasted, script
from tests.support.site import Site


async def test_the_commands_of_the_readme_end_with_the_result_in_hand(
    site: Site, photos: Path, tmp_path: Path
) -> None:
    with Image.open(photos / "retina.jpg") as photo:
        photo.save(tmp_path / "photo.jpg")

    commands = script("README.md", {}).replace(LOCAL_ADDRESS, site.url)
    await run_as_pasted(commands, tmp_path, site.environment)

    with Image.open(tmp_path / "result.webp") as image:
        assert (image.format, image.size) == ("WEBP", (800, 800))
        bands = [band.tobytes() for band in image.convert("RGB").resize((8, 8)).split()]
        assert all(max(levels) - min(levels) <= 4 for levels in zip(*bands, strict=True))

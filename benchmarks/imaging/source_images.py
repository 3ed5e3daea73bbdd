"""Make the images to measure with: mosaics of photographs, with the noise of a camera."""

from pathlib import Path

import numpy as np
import skimage
from PIL import Image

PHOTOS = Path(skimage.__file__).parent / "data"
_TILES = ("motorcycle_left.png", "astronaut.png", "coffee.png", "rocket.jpg", "chelsea.png", "retina.jpg")
_NOISE = 3.0


def make_sources(folder: Path) -> None:
    """Write all source images, unless they are in `folder` already."""
    if (folder / "film.gif").exists():
        return
    large = _camera(6000, 4000)
    large.save(folder / "24.jpg", quality=90)
    photo = _camera(4000, 3000)
    photo.save(folder / "12.jpg", quality=90)
    photo.save(folder / "12.png", compress_level=6)
    small = _camera(1632, 1224)
    small.save(folder / "2.webp", quality=85, method=4)
    small.save(folder / "2.jpg", quality=90)
    mark = Image.new("RGBA", (400, 200), (255, 255, 255, 128))
    mark.save(folder / "mark.png")
    scene = _camera(800, 600)
    frames = [scene.crop((step * 4, step * 3, step * 4 + 480, step * 3 + 360)) for step in range(40)]
    frames[0].save(folder / "film.gif", save_all=True, append_images=frames[1:], duration=50, loop=0)


def _camera(width: int, height: int) -> Image.Image:
    """Place photographs side by side, enlarge them by half, and add noise."""
    mosaic = Image.new("RGB", (width * 2 // 3, height * 2 // 3))
    left = top = tallest = index = 0
    while top < mosaic.height:
        with Image.open(PHOTOS / _TILES[index % len(_TILES)]) as tile:
            mosaic.paste(tile.convert("RGB"), (left, top))
            left, tallest, index = left + tile.width, max(tallest, tile.height), index + 1
        if left >= mosaic.width:
            left, top, tallest = 0, top + tallest, 0
    enlarged = np.asarray(mosaic.resize((width, height), Image.Resampling.BICUBIC), dtype=np.float32)
    noise = np.random.default_rng(1).normal(0, _NOISE, (height, width, 1)).astype(np.float32)
    return Image.fromarray(np.clip(enlarged + noise, 0, 255).astype(np.uint8))

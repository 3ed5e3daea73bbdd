# pyright: basic
"""Make the HEIC files beside this script again: they need an encoder, `pip install pillow-heif` (1.8.1).

The sides are multiples of 64 pixels, so that the encoder need not add any and cut them off again.
"""

from pathlib import Path

import numpy as np
import pillow_heif  # pyright: ignore
import skimage
from PIL import Image

FOLDER = Path(__file__).parent
SIZE = (128, 64)


def main() -> None:
    pillow_heif.register_heif_opener()
    with Image.open(Path(skimage.__file__).parent / "data" / "coffee.png") as photo:
        image = photo.convert("RGB").resize(SIZE)
    image.save(FOLDER / "photo.png")
    image.save(FOLDER / "rgb.heic", quality=90, chroma=444)
    image.convert("L").save(FOLDER / "grey.heic", quality=90)
    clear = image.copy()
    clear.putalpha(Image.linear_gradient("L").resize(SIZE))
    clear.save(FOLDER / "alpha.heic", quality=90, chroma=444)
    ramp = np.linspace(0, 65_535, SIZE[0] * SIZE[1]).astype(np.uint16).reshape(SIZE[::-1])
    deep = np.stack([ramp, ramp[::-1], ramp[:, ::-1]], axis=2)
    for bits in (10, 12):
        pillow_heif.options.SAVE_HDR_TO_12_BIT = bits == 12
        file = pillow_heif.from_bytes("RGB;16", SIZE, deep.tobytes())
        file.save(FOLDER / f"rgb{bits}.heic", quality=95, chroma=444)
        grey = pillow_heif.from_bytes("L;16", SIZE, ramp.tobytes())
        grey.save(FOLDER / f"grey{bits}.heic", quality=95)


if __name__ == "__main__":
    main()

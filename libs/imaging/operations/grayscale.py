"""Remove colour."""

from PIL.Image import Image

from libs.imaging.compositing import has_alpha
from libs.imaging.operations.operation import Operation


class Grayscale(Operation, frozen=True, kw_only=True, tag="grayscale"):
    """Keep only brightness (luma by ITU-R BT.601) and transparency."""

    def apply(self, image: Image) -> Image:
        return image.convert("LA" if has_alpha(image) else "L")

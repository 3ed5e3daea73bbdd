"""Flip an image vertically or horizontally."""

from PIL.Image import Image, Transpose

from libs.imaging.geometry import Size
from libs.imaging.operations.operation import Operation


class Flip(Operation, frozen=True, kw_only=True, tag="flip"):
    """Flip vertically: exchange top and bottom."""

    def apply(self, image: Image) -> Image:
        return image.transpose(self.transposition(image.size))

    def transposition(self, size: Size) -> Transpose:
        return Transpose.FLIP_TOP_BOTTOM


class Mirror(Operation, frozen=True, kw_only=True, tag="mirror"):
    """Flip horizontally: exchange left and right."""

    def apply(self, image: Image) -> Image:
        return image.transpose(self.transposition(image.size))

    def transposition(self, size: Size) -> Transpose:
        return Transpose.FLIP_LEFT_RIGHT

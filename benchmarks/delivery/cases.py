"""The transformations to measure, as Darkroom, ipx and thumbor spell them."""

from typing import Literal

from msgspec import Struct

Format = Literal["jpeg", "webp", "avif"]


class Case(Struct, frozen=True):
    """A photograph scaled to a width, or to fit into a square, at a quality."""

    title: str
    photos: str  # the folder of the sources
    width: int
    square: bool
    format: Format
    quality: int

    @property
    def preset(self) -> str:
        """The name of the preset."""
        return f"of-{self.photos}"

    @property
    def operations(self) -> list[dict[str, object]]:
        """What Darkroom's preset says."""
        height = {"height": self.width, "fit": "inside"} if self.square else {}
        return [
            {"op": "resize", "width": self.width, **height},
            {"op": "convert", "format": self.format, "quality": self.quality},
        ]

    def steps(self, number: int) -> str:
        """Return the same as steps of an address: each number is a rendition of its own.

        It is the colour below transparency, of which photographs have none.
        """
        height = f",h_{self.width},fit_inside" if self.square else ""
        size = f"w_{self.width}{height}"
        return f"{size}:convert,format_{self.format},quality_{self.quality},background_{number:06x}"

    @property
    def ipx(self) -> str:
        """The modifiers of ipx."""
        height = f",h_{self.width},fit_inside" if self.square else ""
        return f"w_{self.width}{height},f_{self.format},q_{self.quality}"

    @property
    def thumbor(self) -> str:
        """The part of thumbor's address before the source."""
        size = f"fit-in/{self.width}x{self.width}" if self.square else f"{self.width}x0"
        return f"{size}/filters:format({self.format}):quality({self.quality})"


CASES = (
    Case("12 MP JPEG to 800 px JPEG", "large", 800, False, "jpeg", 80),
    Case("2 MP JPEG to 300 px WebP", "small", 300, False, "webp", 80),
    Case("100 JPEGs into 512 x 512", "jpeg", 512, True, "jpeg", 80),
    Case("100 WebPs into 512 x 512", "webp", 512, True, "webp", 75),
    Case("100 AVIFs into 512 x 512", "avif", 512, True, "avif", 65),
)

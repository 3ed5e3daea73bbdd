"""Open TIFFs, also those whose samples Pillow misreads or does not know."""

from itertools import product
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image, TiffImagePlugin
from PIL.TiffImagePlugin import OPEN_INFO, TiffImageFile

from libs.imaging.errors import FeatureNotSupported
from libs.imaging.metadata.tiff_layout import COLOURS, Kind, own_layout, unsupported
from libs.imaging.samples.deep_samples import deep_grey, to_image
from libs.imaging.samples.tiff_samples import read_samples

_TAUGHT, _RAW_MODE = "own layout", "L" * 8
"""Stand for the layouts of `own_layout` in Pillow's table; nothing is decoded with them."""

_UNKNOWN_TO_PILLOW = {"unknown pixel mode", "Invalid value for samples per pixel"}


def _teach_pillow() -> None:
    """Enter the layouts of `own_layout` into Pillow's table, so that it opens such files."""
    table = cast(dict[Any, Any], OPEN_INFO)
    photometrics: dict[int, Kind] = {0: "grey", 1: "grey", 2: "rgb", 5: "cmyk", 8: "cielab", 9: "icclab"}
    extras: list[tuple[int, ...]] = [(), (0,), (1,), (2,), (0, 0), (1, 0), (2, 0)]
    for prefix, (photometric, kind), sample, order, bits, extra, unnamed in product(
        (TiffImagePlugin.II, TiffImagePlugin.MM),
        photometrics.items(),
        (1, 2, 3),
        (1, 2),
        (8, 16, 32, 64),
        extras,
        (0, 1),
    ):
        samples = COLOURS[kind] + len(extra) + unnamed
        if photometric in {8, 9} and (bits > 16 or sample == 3):
            continue
        key = (prefix, photometric, (sample,), order, (bits,) * samples, extra)
        table.setdefault(key, (_TAUGHT, _RAW_MODE))
        if photometric == 8:
            mixed = (1, *(2,) * 2, *(1,) * (samples - 3))
            table.setdefault((*key[:2], mixed, *key[3:]), (_TAUGHT, _RAW_MODE))


_teach_pillow()


class TiffReader(TiffImageFile):
    """A TIFF whose pixels mean what the file says.

    Deep grey has the mode I;16, deep colour is reduced to 8 bits, and CMYK and Lab with alpha become RGBA in
    sRGB by their profile.
    """

    cmyk_profile: bytes | None = None
    """The profile of CMYK with alpha that has none."""

    deep_grey: NDArray[np.uint16] | None = None
    """Grey in 16 bits if the decoded page is grey with alpha."""

    def _setup(self) -> None:
        """Read the tags of the current page.

        Raises:
            FeatureNotSupported: Neither Pillow nor Darkroom decodes its samples.
        """
        self.layout = own_layout(self.tag_v2)
        self.deep_grey = None
        try:
            super()._setup()
        except SyntaxError as error:
            if str(error) in _UNKNOWN_TO_PILLOW:
                raise FeatureNotSupported(unsupported(self.tag_v2)) from error
            raise
        except KeyError as error:  # the compression
            raise FeatureNotSupported(unsupported(self.tag_v2)) from error
        if self.layout is not None:
            self._mode = self.layout.mode
            self._profile = self.info.pop("icc_profile", None) if self._converts else None
        elif self._mode == _TAUGHT:
            raise FeatureNotSupported(unsupported(self.tag_v2))

    @property
    def _converts(self) -> bool:
        """Whether decoding gives sRGB, because Pillow has no mode for what is stored."""
        return self.layout is not None and self.layout.kind not in {"grey", "rgb"} and self._mode == "RGBA"

    def load(self) -> "Image.core.PixelAccess | None":
        """Decode the current page."""
        if not self.tile or self.layout is None:
            dark = self.tile and self.tag_v2.get(TiffImagePlugin.BITSPERSAMPLE) == (12,)
            loaded = super().load()
            if dark:  # Pillow leaves the upper four of 16 bits empty
                self.im = Image.fromarray(np.asarray(self) * np.uint16(16)).im
            return loaded
        file = cast(BinaryIO, self.fp)
        file.seek(0)
        samples = read_samples(file.read(), self.tag_v2, self.layout)
        profile = self._profile or (self.cmyk_profile if self.layout.kind == "cmyk" else None)
        image = to_image(samples, self.layout, self.tag_v2, profile)
        if self.mode == "LA":
            self.deep_grey = deep_grey(samples, self.layout, self.tag_v2)
        self.im = image.im
        self.tile = []
        self.readonly = 0
        self.load_end()
        return Image.Image.load(self)

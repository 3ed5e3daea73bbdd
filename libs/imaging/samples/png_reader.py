"""Open PNGs, decode them fast, and read what Pillow leaves out of deep pixels and of transparent colours."""

import struct
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from PIL import Image, ImageChops, PngImagePlugin

if TYPE_CHECKING:
    from libs.imaging.samples.png_inflater import StoredStream

_KEY_SCALES = {"L;2": (3, 85), "L;4": (15, 17), "L": (255, 1), "RGB": (255, 1)}
"""By raw mode: the mask and the factor from a transparent sample as stored to the decoded one."""

_COMPRESSED_BYTES = 65_536  # to read at a time

_LOW_BYTES = {"RGB;16B": "RGB;16L", "RGBA;16B": "RGBA;16L", "LA;16B": "RGBA"}
"""By raw mode: the one with which Pillow decodes the low bytes; grey and alpha come as two bytes each."""


class PngReader(PngImagePlugin.PngImageFile):
    """A PNG whose transparent colour is exact at every depth.

    Pillow compares it with the reduced samples: it misses one of 2, 4 or 16 bits. The transparent colour is
    relevant to the samples as stored, of which only the low bits count (PNG specification, 11.3.1.1).
    """

    def _open(self) -> None:
        super()._open()
        self._file = cast(BinaryIO, self.fp)  # Pillow forgets it after decoding
        self._stream: StoredStream | None = None
        self.raw_mode = str(self.tile[0].args) if self.tile else ""
        key = cast(Any, self.info.get("transparency"))
        if self.raw_mode in _KEY_SCALES and key is not None:
            mask, factor = _KEY_SCALES[self.raw_mode]
            if isinstance(key, int):
                self.info["transparency"] = (key & mask) * factor
            else:
                self.info["transparency"] = tuple(int(sample) & mask for sample in key)

    def load(self) -> "Image.core.PixelAccess | None":
        """Decode the pixels; 16-bit RGB with a transparent colour gets an alpha channel."""
        deep = bool(self.tile) and self.deep
        pixels = self._load()
        if deep and self.raw_mode == "LA;16B":
            self._become(self.convert("LA"))
        elif deep and "transparency" in self.info:
            key = self.info.pop("transparency")
            alpha = ImageChops.lighter(
                _differences(self, tuple(sample >> 8 for sample in key)),
                _differences(self.decode_low_bytes(), tuple(sample & 255 for sample in key)),
            )
            keyed = self.copy()
            keyed.putalpha(alpha)
            self._become(keyed)
        return pixels

    def _load(self) -> "Image.core.PixelAccess | None":
        """Decode the pixels with a faster library than Pillow's; where it fails, leave the file to Pillow."""
        if not self.tile or self.is_animated:
            return super().load()
        from libs.imaging.samples import png_inflater  # here, because not every process decodes PNGs

        self._stream = png_inflater.StoredStream(lambda: super(PngReader, self).load_read(_COMPRESSED_BYTES))
        try:
            return super().load()
        except (OSError, SyntaxError, ValueError, LookupError, struct.error, png_inflater.INFLATE_ERROR):
            self._stream = None
            self._file.seek(0)
            again = PngImagePlugin.PngImageFile(self._file)
            again.load()
            self.tile = []
            self.info = again.info | self.info
            self._become(again)
            return again.load()
        finally:
            self._stream = None  # it refers to this image, which would be freed late

    def load_read(self, read_bytes: int) -> bytes:
        """Return compressed data for Pillow's decoder."""
        return super().load_read(read_bytes) if self._stream is None else self._stream.read()

    @property
    def deep(self) -> bool:
        """Whether the samples have 16 bits, of which Pillow keeps 8; false for an animation."""
        return self.raw_mode in _LOW_BYTES and not self.is_animated

    def _become(self, image: Image.Image) -> None:
        self.im = image.im
        self._mode = image.mode

    def decode_low_bytes(self) -> Image.Image:
        """Decode the file a second time; return the low bytes of the samples, without alpha if grey."""
        position = self._file.tell()
        self._file.seek(0)
        again = PngImagePlugin.PngImageFile(self._file)
        again.tile = [again.tile[0]._replace(args=_LOW_BYTES[self.raw_mode])]
        again.load()
        self._file.seek(position)
        return again.getchannel("G") if self.raw_mode == "LA;16B" else again.copy()


def _differences(image: Image.Image, colour: tuple[int, ...]) -> Image.Image:
    """Return 255 where a pixel has another colour, and 0 elsewhere."""
    difference = ImageChops.difference(image.convert("RGB"), Image.new("RGB", image.size, colour))
    red, green, blue = difference.split()
    return ImageChops.lighter(ImageChops.lighter(red, green), blue).point([0] + [255] * 255)

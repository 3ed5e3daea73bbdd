"""Open WebPs, and decode still ones directly.

Pillow decodes every WebP as an animation: libwebp draws the only frame on a canvas, and the canvas is copied
twice. That takes three times as long as decoding. Here the same libwebp decodes into one buffer.
"""

import ctypes
from collections.abc import Callable
from typing import Any, cast

from PIL import Image, WebPImagePlugin, _webp

_CHANNELS = 4


def _find_decoder() -> Callable[..., int | None] | None:
    """Return libwebp's function from the library that Pillow has loaded; None if it does not export it."""
    try:
        decode = ctypes.CDLL(_webp.__file__).WebPDecodeRGBAInto  # a library's symbols include those it needs
    except (OSError, AttributeError):
        return None
    decode.argtypes = (ctypes.c_char_p, ctypes.c_size_t, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    decode.restype = ctypes.c_void_p
    return decode


_decode_rgba_into = _find_decoder()


class WebpReader(WebPImagePlugin.WebPImageFile):
    """A WebP with the same pixels as Pillow's."""

    def _open(self) -> None:
        file = cast(Any, self.fp)
        start = file.tell()
        super()._open()
        self._still = b""  # the file, until it is decoded
        self._decoded = False
        if self.n_frames == 1 and _decode_rgba_into is not None:
            file.seek(start)
            self._still = file.read()

    def load(self) -> "Image.core.PixelAccess | None":
        """Decode the pixels; leave to Pillow what libwebp does not take as a still image."""
        if self._still:
            self._decoded = self._decode(self._still)
            self._still = b""
        return Image.Image.load(self) if self._decoded else super().load()

    def _decode(self, data: bytes) -> bool:
        if _decode_rgba_into is None:
            return False
        width, height = self.size
        pixels = bytearray(width * height * _CHANNELS)
        target = (ctypes.c_char * len(pixels)).from_buffer(pixels)
        if not _decode_rgba_into(data, len(data), target, len(pixels), width * _CHANNELS):
            return False
        self.im = Image.frombytes(self.mode, self.size, pixels, "raw", self.rawmode).im
        self.info |= {"timestamp": 0, "duration": 0}
        if self.fp and self._exclusive_fp:
            self.fp.close()
        return True

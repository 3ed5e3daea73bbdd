"""The cases to measure, and the targets of each."""

from typing import NamedTuple

from libs.imaging.operations import (
    AnyOperation,
    Blur,
    Compress,
    Convert,
    Flip,
    Grayscale,
    Resize,
    Rotate,
    Sepia,
    Watermark,
)

PEAK_MIB = 38


class Case(NamedTuple):
    """One row of the table; without operations, the source is described."""

    name: str
    source: str
    operations: tuple[AnyOperation, ...]
    max_ratio: float | None = 1.0  # of our CPU time to that of sharp
    max_peak_mib: int | None = None  # of resident memory


_JPEG = Convert(format="jpeg", quality=80)
_WEBP = Convert(format="webp", quality=80)
_BOX = Resize(width=800, height=600)

# No HEIC: the packages of sharp on npm and of libvips on PyPI have no decoder of HEVC to compare with.
CASES = (
    Case("12 MP JPEG -> 320 JPEG", "12.jpg", (Resize(width=320), _JPEG), max_peak_mib=PEAK_MIB),
    Case("12 MP JPEG -> 800 JPEG", "12.jpg", (_BOX, _JPEG), max_peak_mib=PEAK_MIB),
    Case("12 MP JPEG -> 1280 JPEG", "12.jpg", (Resize(width=1280), _JPEG)),
    Case("12 MP JPEG -> 1600 JPEG", "12.jpg", (Resize(width=1600), _JPEG)),
    Case("12 MP JPEG -> 1920 JPEG", "12.jpg", (Resize(width=1920), _JPEG)),
    Case("24 MP JPEG -> 320 JPEG", "24.jpg", (Resize(width=320), _JPEG)),
    Case("24 MP JPEG -> 800 JPEG", "24.jpg", (_BOX, _JPEG)),
    Case("2 MP JPEG -> 800 JPEG", "2.jpg", (_BOX, _JPEG)),
    Case("12 MP JPEG -> 800 WebP", "12.jpg", (_BOX, _WEBP)),
    Case("12 MP JPEG -> 800 AVIF", "12.jpg", (_BOX, Convert(format="avif", quality=60))),
    Case("2 MP WebP -> 800 WebP", "2.webp", (_BOX, _WEBP)),
    Case("2 MP WebP -> 300 cover WebP", "2.webp", (Resize(width=300, height=300, fit="cover"), _WEBP)),
    Case("12 MP PNG -> 800 JPEG", "12.png", (_BOX, _JPEG), 1.15),
    Case("12 MP PNG -> 800 PNG", "12.png", (_BOX, Convert(format="png")), 1.15),
    Case("GIF of 40 frames -> 240 GIF", "film.gif", (Resize(width=240),)),
    Case("GIF of 40 frames -> 240 WebP", "film.gif", (Resize(width=240), _WEBP)),
    Case("12 MP grayscale", "12.jpg", (Grayscale(), _JPEG)),
    Case("12 MP sepia", "12.jpg", (Sepia(), _JPEG)),
    Case("12 MP watermark", "12.jpg", (Watermark(part="mark"), _JPEG)),
    Case("12 MP flip", "12.jpg", (Flip(), _JPEG)),
    Case("12 MP rotate 90", "12.jpg", (Rotate(angle=90), _JPEG)),
    Case("12 MP compress 60", "12.jpg", (Compress(quality=60),)),
    Case("12 MP rotate 30", "12.jpg", (Rotate(angle=30), _JPEG), 1.7),
    Case("12 MP blur 5", "12.jpg", (Blur(sigma=5), _JPEG), 1.7),
    Case("12 MP describe an upload", "12.jpg", (), None),
)

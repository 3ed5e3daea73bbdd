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

PEAK_MIB = 35


class Case(NamedTuple):
    """One row of the table."""

    name: str
    source: str
    operations: tuple[AnyOperation, ...]
    max_ratio: float | None  # of our CPU time to that of libvips
    max_peak_mib: int | None = None  # of resident memory


_JPEG = Convert(format="jpeg", quality=85)
_BOX = Resize(width=800, height=600)

CASES = (
    Case("12 MP JPEG -> 800 JPEG", "12.jpg", (_BOX, _JPEG), 1.0, PEAK_MIB),
    Case("12 MP JPEG -> 320 JPEG", "12.jpg", (Resize(width=320), _JPEG), 1.0, PEAK_MIB),
    Case("24 MP JPEG -> 800 JPEG", "24.jpg", (_BOX, _JPEG), 1.0),
    Case("24 MP JPEG -> 320 JPEG", "24.jpg", (Resize(width=320), _JPEG), 1.0),
    Case("12 MP JPEG -> 800 WebP", "12.jpg", (_BOX, Convert(format="webp", quality=80)), 1.0),
    Case("24 MP JPEG -> 800 WebP", "24.jpg", (_BOX, Convert(format="webp", quality=80)), 1.0),
    Case("12 MP JPEG -> 800 AVIF", "12.jpg", (_BOX, Convert(format="avif", quality=60)), 1.0),
    Case("24 MP JPEG -> 800 AVIF", "24.jpg", (_BOX, Convert(format="avif", quality=60)), 1.0),
    Case("12 MP PNG -> 800 JPEG", "12.png", (_BOX, _JPEG), 1.6),
    Case("12 MP PNG -> 800 PNG", "12.png", (_BOX, Convert(format="png")), 1.6),
    Case(
        "2 MP WebP -> 300 cover WebP",
        "2.webp",
        (Resize(width=300, height=300, fit="cover"), Convert(format="webp", quality=80)),
        None,
    ),
    Case("12 MP grayscale", "12.jpg", (Grayscale(), _JPEG), 0.7),
    Case("12 MP sepia", "12.jpg", (Sepia(), _JPEG), 0.7),
    Case("12 MP watermark", "12.jpg", (Watermark(part="mark"), _JPEG), 0.7),
    Case("12 MP flip", "12.jpg", (Flip(), _JPEG), 1.2),
    Case("12 MP rotate 90", "12.jpg", (Rotate(angle=90), _JPEG), 1.2),
    Case("12 MP compress 60", "12.jpg", (Compress(quality=60),), 1.2),
    Case("12 MP rotate 30", "12.jpg", (Rotate(angle=30), _JPEG), 1.7),
    Case("12 MP blur 5", "12.jpg", (Blur(sigma=5), _JPEG), 2.5),
    Case("GIF of 40 frames -> 240 GIF", "film.gif", (Resize(width=240),), 0.4),
)

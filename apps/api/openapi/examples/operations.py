"""Examples of operations."""

from uuid import UUID

from msgspec import Struct

from libs.imaging.geometry import Focus
from libs.imaging.operations import (
    Autocontrast,
    Blur,
    Brightness,
    Compress,
    Contrast,
    Convert,
    Crop,
    Duotone,
    Equalize,
    Flip,
    Frames,
    Gamma,
    Grayscale,
    Invert,
    Metadata,
    Mirror,
    Pad,
    Pixelate,
    Point,
    Posterize,
    Region,
    Resize,
    Rotate,
    RoundCorners,
    Saturation,
    Sepia,
    Sharpen,
    Solarize,
    Tint,
    Trim,
    Vignette,
    Watermark,
)

LOGO = UUID("019ab3c5-1f2e-7c3d-8b4a-5f6e7d8c9b0a")

EXAMPLES: tuple[Struct, ...] = (
    Resize(width=800, height=600, fit="cover", gravity="smart"),
    Resize(scale=0.5, background="white"),
    Crop(x=10, y=20, width=400, height=300),
    Crop(aspect="16:9", gravity="center"),
    Trim(color="white"),
    Pad(top=20, right=20, bottom=20, left=20, color="white"),
    Rotate(angle=90, background="#ffffff"),
    Flip(),
    Mirror(),
    Watermark(text="© Shop", size=48, position="bottom-right", opacity=0.6, margin=16, font="Inter"),
    Watermark(image_id=LOGO, scale=0.2),
    Watermark(part="logo"),
    Grayscale(),
    Sepia(),
    Blur(sigma=4),
    Sharpen(radius=2, amount=1),
    Invert(),
    Brightness(factor=1.2),
    Contrast(factor=1.1),
    Saturation(factor=0.8),
    Gamma(gamma=1.8),
    Posterize(bits=3),
    Solarize(threshold=128),
    Vignette(strength=0.5),
    Pixelate(size=24, box=Region(x=40, y=60, width=200, height=120)),
    RoundCorners(radius=32, background="white"),
    Tint(color="#704214"),
    Duotone(shadow="#1b1f4b", highlight="#f6d55c"),
    Autocontrast(cutoff=1),
    Equalize(),
    Compress(quality=60, max_bytes=200_000),
    Convert(
        format="webp", quality=80, effort=4, subsampling="4:2:0", colors=64, accept=("avif", "webp", "jpeg")
    ),
    Metadata(mode="keep_copyright", dpi=300),
    Frames(frame=0),
    Frames(max_frames=10),
    Focus(x=0.3, y=0.5),
    Point(x=10, y=20),
    Region(x=40, y=60, width=200, height=120),
)
"""The first of each type is its example; the others have values for fields that it leaves empty."""

"""Write docs/operations.md and its pictures: run `python docs/images/draw.py` from the repository root."""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import skimage
from PIL import Image

from libs.imaging.limits import Limits
from libs.imaging.operations import AnyOperation, Operation
from libs.imaging.operations.operation import name_of
from libs.imaging.operations.reference import FieldReference, description_of, fields_of, kinds
from libs.imaging.pipeline import render

ROOT = Path(__file__).parents[2]
PAGE, PICTURES = ROOT / "docs" / "operations.md", ROOT / "docs" / "images" / "operations"
PHOTO = Path(skimage.__file__).parent / "data" / "coffee.png"

INTRO = """# Operations

*This page is generated from docstrings by `docs/images/draw.py`; change the docstrings, not this page.*

A pipeline is a list of operations that run in order. The API, messages, CSV batches and the command line
use the same list:

```json
[{"op": "resize", "width": 800, "height": 600, "fit": "cover"}, {"op": "convert", "format": "webp"}]
```

```sh
darkroom process photos/ --op resize:width=800,height=600,fit=cover --op convert:format=webp -o out/
```

On the command line, `gravity.x=0.3` sets a field of a field, `accept=webp+jpeg` sets a list, and `\\,` is a
comma in a text. `--ops file.json` reads a list from a file, `--asset logo=logo.png` provides the image for
`"part": "logo"`, and `--explain` prints the plan. [The command line](command-line.md) has a page of its own.

These rules apply to all operations:

- A photo is first turned upright by its EXIF orientation, and its colours become sRGB. Sizes and positions
  refer to the upright image.
- Sizes are rounded to the nearest pixel, halves upwards, and no side becomes 0.
- Unknown operations, unknown fields and values out of range are refused before any work starts. So is an
  operation whose result would be too large.
- Animations keep frames, durations, loop and transparency. Operations that look at pixels (`trim`, `smart`,
  `autocontrast`, `equalize`) decide once for all frames. JPEG, JPEG XL, TIFF and BMP results have only
  the first frame. Encoders may merge equal frames that follow each other; the timing stays.
- The frames of an animation are those that browsers show, composed by the file's disposal and blending. A
  delay of 0 (in a GIF also of 1/100 s) is read as 100 ms. GIF results have delays of whole 1/100 s, at least
  2; WebP, AVIF and PNG results of whole milliseconds. What rounding adds or takes is made up for by the
  following frames.
- Colours are those of the ICC profile, or of what else the file says: `cICP` (before the profile), `sRGB`,
  `gAMA` and `cHRM` in a PNG, `nclx` in an AVIF and a HEIC, the header of a JPEG XL. The curves of television
  count as BT.1886 in a PNG and as sRGB's in the others, as in browsers. CMYK without a profile takes that of
  `DARKROOM_CMYK_PROFILE`.
- PQ and HLG are compressed to sRGB up to the brightest point of the picture (ITU-R BT.2390, with white at
  203 cd/m2 and HLG at 1,000 cd/m2), so nothing is clipped; browsers clip at 1,000 cd/m2. Unlike browsers,
  Darkroom expands the narrow range that `cICP` can announce.
- Results have 8 bits for each channel. Samples of 16 bits or more are converted to sRGB before they are
  reduced, except RGB with an ICC profile. White of a floating-point TIFF is 1, or the end of 8, 16 or 32
  bits if most values are larger, unless the file gives a range.
- Transparency is kept if the format supports it. Otherwise it is replaced by `background`, which is white by
  default.
- Colours are written as `#rgb`, `#rrggbb`, `#rrggbbaa`, `transparent`, or a CSS name.
- Crops, resizes, flips, quarter turns and grayscale at the head of a pipeline run as one step, and a JPEG is
  decoded at 1/2, 1/4 or 1/8 of its size if that is enough: the result of a photo then differs from that of a
  full decode by a PSNR of 44 dB or more, before it is encoded.
- Crops at whole pixels, flips, mirrors and quarter turns move pixels and are exact. What is scaled is the
  same on every machine within 1 of 255, and within 2 in a few pixels of an enlarged image: processors with
  SIMD instructions do it by `cykooz_resizer`, others by Pillow.

These rules say which files are accepted:

- JPEG, PNG (APNG), WebP, GIF, AVIF, HEIC, JPEG XL, TIFF (BigTIFF) and BMP, recognised by their bytes. The
  name and the `Content-Type` do not matter. Any other known format is refused by its name with
  `format_not_accepted`.
- A file is accepted if all its pixels are there: a GIF without its trailer, a JPEG without the marker of its
  end, a WebP whose EXIF or XMP is cut, a PNG whose texts, times or profiles are damaged. `image_truncated`
  means that pixels are missing.
- HEIC (and other HEIF in HEVC) is only read. A result without `convert` is a JPEG, or a PNG if it has
  transparency. The primary picture is shown, cut out and turned by its boxes `clap`, `irot` and `imir`; its
  EXIF orientation only informs, and sizes are those of the upright picture. Depth maps, gain maps and
  thumbnails are left out. `frames` with `frame` chooses another picture of a burst: 0 is the primary one, and
  the others follow in the file's order. Samples of 10 and 12 bits are rounded to 8. A sequence without a
  still picture is refused.
- JPEG XL is read and written as a still picture; an animation and CMYK are refused. Its own orientation
  counts, not that of EXIF. Metadata that is compressed within the file is not read. Results are in sRGB,
  because the encoder writes no colour profile.
- AVIF sequences are animations, in and out. Of a JPEG with several pictures (MPO), the first is used.
- SVG is refused: it is a program for a renderer, which can fetch other files, run for hours and look
  different everywhere. Render it to PNG where it comes from. Nothing within an SVG is ever loaded.
- PDF (and EPS) is refused: a page has no size in pixels, and its interpreters are the richest source of
  security holes among image libraries. Convert pages to images at the resolution that you need.
- Camera RAW (DNG, CR2, CR3, NEF, ARW, ORF, RW2, RAF and the like) is refused by its name, also inside a TIFF:
  its picture depends on the developer's choices, and what Pillow shows of it is a small preview. Develop it
  first and send TIFF, PNG or JPEG.

All examples start from this photo of 240x160 pixels. For `trim` it has a golden border.

![The photo](images/operations/photo.jpg)
"""

EXAMPLES: dict[str, list[dict[str, Any]]] = {
    "resize": [
        {"width": 120},
        {"width": 120, "height": 120, "fit": "cover", "gravity": "smart"},
        {"width": 120, "height": 120, "fit": "contain", "background": "teal"},
        {"width": 120, "height": 120, "fit": "fill"},
    ],
    "crop": [
        {"x": 60, "y": 20, "width": 120, "height": 100},
        {"aspect": "1:1", "gravity": {"x": 0.3, "y": 0.5}},
    ],
    "trim": [{"tolerance": 20}],
    "pad": [{"top": 10, "right": 30, "bottom": 10, "left": 30, "color": "gold"}],
    "rotate": [{"angle": 90}, {"angle": 20, "background": "white"}],
    "flip": [{}],
    "mirror": [{}],
    "watermark": [
        {"text": "© Ann", "size": 24, "margin": 8},
        {"part": "logo", "position": "tile", "scale": 0.2, "opacity": 0.4, "rotate": -30, "margin": 12},
    ],
    "grayscale": [{}],
    "sepia": [{}],
    "blur": [{"sigma": 4}],
    "sharpen": [{"radius": 2, "amount": 1.5}],
    "invert": [{}],
    "brightness": [{"factor": 1.4}],
    "contrast": [{"factor": 1.6}],
    "saturation": [{"factor": 2}],
    "gamma": [{"gamma": 2.2}],
    "posterize": [{"bits": 2}],
    "solarize": [{"threshold": 128}],
    "vignette": [{"strength": 0.9}],
    "pixelate": [{"size": 12, "box": {"x": 60, "y": 40, "width": 120, "height": 80}}],
    "round_corners": [{"radius": 40}],
    "tint": [{"color": "#2060c0"}],
    "duotone": [{"shadow": "#102040", "highlight": "#ffd080"}],
    "autocontrast": [{"cutoff": 5}],
    "equalize": [{}],
    "compress": [{"quality": 5}, {"max_bytes": 4000}],
    "convert": [{"format": "png", "colors": 8}],
    "metadata": [{"mode": "keep_copyright"}],
    "frames": [{"frame": 0}],
}

BEFORE: dict[str, list[dict[str, Any]]] = {
    "compress": [{"op": "convert", "format": "jpeg"}],
    "trim": [{"op": "pad", "top": 30, "right": 30, "bottom": 30, "left": 30, "color": "gold"}],
}


def page() -> str:
    """Return the text of the page."""
    index = " · ".join(f"[{name}](#{name})" for name in kinds())
    sections = (_section(name, kind) for name, kind in kinds().items())
    return "\n".join([INTRO, index, "", *sections])


def _section(name: str, kind: type[Operation]) -> str:
    lines = [f"## {name}", "", description_of(kind), ""]
    if rows := [_row(field) for field in fields_of(kind)]:
        lines += ["| field | values | default |", "|---|---|---|", *rows, ""]
    for number, fields in enumerate(EXAMPLES[name]):
        example = msgspec.json.encode({"op": name, **fields}).decode()
        lines += [f"`{example}`", "", f"![{name}]({_picture(name, number)})", ""]
    return "\n".join(lines)


def _row(field: FieldReference) -> str:
    default = "required" if field.required else f"`{field.default}`" if field.default is not None else ""
    return f"| `{field.name}` | {field.values} | {default} |"


def _picture(name: str, number: int) -> str:
    return f"images/operations/{name}-{number + 1}.jpg"


def draw() -> None:
    """Draw all pictures."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    decoder = msgspec.json.Decoder(AnyOperation)
    with TemporaryDirectory() as folder:
        photo, logo, raw = (Path(folder) / name for name in ("photo.png", "logo.png", "raw"))
        with Image.open(PHOTO) as image:
            image.resize((240, 160), Image.Resampling.LANCZOS).save(photo)
            image.resize((240, 160), Image.Resampling.LANCZOS).save(PICTURES / "photo.jpg", quality=80)
        Image.new("RGB", (80, 40), "white").save(logo)
        for name, examples in EXAMPLES.items():
            for number, fields in enumerate(examples):
                operation = decoder.decode(msgspec.json.encode({"op": name, **fields}))
                assert name_of(operation) == name
                first = BEFORE.get(name, [])
                steps = [*(decoder.decode(msgspec.json.encode(step)) for step in first), operation]
                render(photo, raw, steps, Limits(), assets={"part:logo": logo})
                with Image.open(raw) as result:
                    shown = Image.new("RGB", result.size, "white")
                    shown.paste(result.convert("RGBA"), (0, 0), result.convert("RGBA"))
                    shown.save(PICTURES.parent.parent / _picture(name, number), quality=80)


if __name__ == "__main__":
    draw()
    PAGE.write_text(page())
    sys.stdout.write(f"{PAGE} and {len(list(PICTURES.iterdir()))} pictures written\n")

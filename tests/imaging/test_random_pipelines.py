"""Random pipelines over random small images give the planned size, or an imaging error."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, get_args

import msgspec
import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from libs.imaging.errors import ImagingError
from libs.imaging.formats import FORMATS, WRITTEN_FORMATS, FormatName
from libs.imaging.limits import Limits
from libs.imaging.operations import AnyOperation
from libs.imaging.pipeline import explain, render
from tests.imaging.heic_files import box, heic, picture

LIMITS = Limits(max_pixels=300_000, max_side=2_000, max_frames=8)
MODES: dict[FormatName, list[str]] = {
    "jpeg": ["L", "RGB", "CMYK"],
    "png": ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"],
    "webp": ["L", "RGB", "RGBA"],
    "gif": ["1", "L", "P", "RGB", "RGBA"],
    "avif": ["RGB", "RGBA", "L"],
    "tiff": ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "F", "LAB"],
    "bmp": ["1", "L", "P", "RGB"],
    "heic": ["rgb", "grey", "alpha", "rgb10", "grey12"],  # samples
    "jxl": ["L", "LA", "RGB", "RGBA", "I;16", "F"],
}
COLOURS = st.sampled_from(["red", "#123", "#11223344", "transparent", "white"])
POSITIONS = st.sampled_from(["top-left", "center", "bottom-right", "left"])
FOCUS = st.fixed_dictionaries({"x": st.floats(0, 1), "y": st.floats(0, 1)})
SIDE, FACTOR = st.integers(1, 90), st.floats(0, 10)


def _op(
    name: str, required: dict[str, Any] | None = None, **optional: Any
) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({"op": st.just(name)} | (required or {}), optional=optional)


GRAVITY = POSITIONS | st.just("smart") | FOCUS
FITS = st.sampled_from(["inside", "cover", "contain", "fill", "outside"])
KERNELS = st.sampled_from(["lanczos", "bicubic", "bilinear", "nearest"])
ASPECTS = st.sampled_from(["1:1", "16:9", "1:9", "99999:1"])
BOXES = st.fixed_dictionaries({"width": SIDE, "height": SIDE}, optional={"x": SIDE, "y": SIDE})
MARK_POSITIONS = (
    POSITIONS
    | st.just("tile")
    | st.fixed_dictionaries({"x": st.integers(-60, 60), "y": st.integers(-60, 60)})
)
MARK_OPTIONS = {
    "position": MARK_POSITIONS,
    "rotate": st.floats(-90, 90),
    "scale": st.floats(0.01, 1),
    "margin": SIDE,
}
TEXTS = st.sampled_from(["Ω", "two\nlines", "漢", "a"])
ANGLES = st.floats(-720, 720) | st.sampled_from([0, 90, 180, 270, -90])
BOOL, QUALITY = st.booleans(), st.integers(1, 100)
METADATA_MODES = st.sampled_from(["strip", "keep", "keep_copyright"])
OUTPUTS = st.sampled_from(["auto", "jpg", *WRITTEN_FORMATS])
OPERATIONS = st.one_of(
    _op("resize", {"width": SIDE}, height=SIDE, fit=FITS, gravity=GRAVITY, enlarge=BOOL, kernel=KERNELS),
    _op("resize", {"scale": st.floats(0.01, 3)}, enlarge=st.booleans()),
    _op("crop", {"width": SIDE, "height": SIDE}, gravity=GRAVITY),
    _op("crop", {"width": SIDE, "height": SIDE}, x=st.integers(0, 30), y=st.integers(0, 30)),
    _op("crop", {"aspect": ASPECTS}, gravity=GRAVITY),
    _op("trim", tolerance=st.integers(0, 255), color=COLOURS),
    _op("pad", {"top": SIDE}, left=SIDE, right=SIDE, bottom=SIDE, color=COLOURS),
    _op("rotate", {"angle": ANGLES}, expand=st.booleans(), background=COLOURS),
    _op("flip"),
    _op("mirror"),
    _op("watermark", {"text": TEXTS}, size=st.integers(4, 60), color=COLOURS, **MARK_OPTIONS),
    _op("watermark", {"part": st.sampled_from(["logo", "none"])}, opacity=st.floats(0, 1), **MARK_OPTIONS),
    _op("grayscale"),
    _op("sepia"),
    _op("blur", sigma=st.floats(0.01, 50)),
    _op("sharpen", radius=st.floats(0.01, 50), amount=st.floats(0.01, 10)),
    _op("invert"),
    *(_op(name, {"factor": FACTOR}) for name in ("brightness", "contrast", "saturation")),
    _op("gamma", {"gamma": st.floats(0.1, 10)}),
    _op("posterize", {"bits": st.integers(1, 8)}),
    _op("solarize", threshold=st.integers(0, 255)),
    _op("vignette", strength=st.floats(0, 1)),
    _op("pixelate", size=st.integers(2, 99), box=BOXES),
    _op("round_corners", {"radius": SIDE}, background=COLOURS),
    _op("tint", {"color": COLOURS}),
    _op("duotone", {"shadow": COLOURS, "highlight": COLOURS}),
    _op("autocontrast", cutoff=st.floats(0, 49)),
    _op("equalize"),
    _op("compress", quality=QUALITY, max_bytes=st.integers(1, 20_000), never_larger=BOOL),
    _op("convert", {"format": OUTPUTS}, quality=QUALITY, lossless=BOOL, progressive=BOOL, background=COLOURS),
    _op("convert", {"format": OUTPUTS}, colors=st.integers(2, 256), effort=st.integers(0, 9)),
    _op("metadata", mode=METADATA_MODES, color=st.sampled_from(["srgb", "keep"])),
    _op("frames", {"frame": st.integers(0, 4)}),
    _op("frames", {"max_frames": st.integers(1, 4)}),
)  # fmt: skip


@st.composite
def _sources(draw: st.DrawFn) -> tuple[FormatName, bytes]:
    """Draw a small file of any format, mode, orientation and number of frames."""
    name: FormatName = draw(st.sampled_from(sorted(FORMATS)))
    mode = draw(st.sampled_from(MODES[name]))
    if name == "heic":
        irot = box(b"irot", bytes([draw(st.integers(0, 3))]))
        return name, heic(picture(f"{mode}.heic", irot))
    width, height = draw(st.integers(1, 60)), draw(st.integers(1, 60))
    generator = np.random.default_rng(draw(st.integers(0, 9)))
    options: dict[str, Any] = {}
    frames = draw(st.integers(1, 4)) if FORMATS[name].animation and mode != "I;16" else 1
    images = [_image(generator, width, height, mode) for _ in range(frames)]
    if frames > 1:
        options |= {"save_all": True, "append_images": images[1:], "duration": 40}
    if name in {"jpeg", "png", "webp", "avif", "tiff"}:
        options["exif"] = Image.Exif()
        if (
            name != "avif" or frames == 1
        ):  # Pillow's AVIF encoder crashes for an animation with an orientation
            options["exif"][0x0112] = draw(st.integers(0, 9))
        options["exif"][0x8298] = "(c)"
    with TemporaryDirectory() as folder:
        path = Path(folder) / "source"
        images[0].save(path, format=FORMATS[name].pillow, **options)
        return name, path.read_bytes()


def _image(generator: np.random.Generator, width: int, height: int, mode: str) -> Image.Image:
    if mode == "I;16":
        return Image.fromarray(generator.integers(0, 65_536, (height, width), dtype=np.uint16))
    image = Image.fromarray(generator.integers(0, 256, (height, width, 4), dtype=np.uint8))
    if mode == "LAB":
        return Image.frombytes("LAB", (width, height), image.convert("RGB").tobytes())
    return image.convert("RGB").quantize(16) if mode == "P" else image.convert(mode)


def test_every_operation_is_among_the_random_ones() -> None:
    text = Path(__file__).read_text()
    names = {str(kind.__struct_config__.tag) for kind in get_args(AnyOperation)}
    assert {name for name in names if f'_op("{name}"' not in text} == {"brightness", "contrast", "saturation"}


HEALTH_CHECKS = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


@settings(
    max_examples=250, deadline=None, suppress_health_check=HEALTH_CHECKS, derandomize=True, database=None
)
@given(source=_sources(), pipeline=st.lists(OPERATIONS, max_size=5))
def test_any_pipeline_gives_the_planned_size_or_an_imaging_error(
    source: tuple[FormatName, bytes], pipeline: list[dict[str, Any]]
) -> None:
    try:
        operations = msgspec.convert(pipeline, list[AnyOperation])
    except msgspec.ValidationError:
        return
    with TemporaryDirectory() as folder:
        path, target, logo = (Path(folder) / name for name in ("source", "target", "logo"))
        path.write_bytes(source[1])
        Image.new("LA", (9, 7), (255, 99)).save(logo, format="png")
        try:
            plan = explain(path, operations, LIMITS)
            facts = render(path, target, operations, LIMITS, assets={"part:logo": logo})
        except ImagingError:
            return
        with Image.open(target) as image:
            image.load()
            assert image.size == (facts.width, facts.height)
        if plan.exact:
            assert image.size == plan.size
        assert plan.lines()
        assert facts.format in {plan.output.format, plan.output.opaque_format}

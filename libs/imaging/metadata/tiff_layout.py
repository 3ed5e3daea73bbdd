"""How a TIFF stores its samples, and which of these layouts Darkroom decodes itself.

Pillow decodes 8-bit samples and most of 16 bits. It takes unsigned samples of 32 bits as signed, ignores
that white is zero in 16 bits, and has no mode for floating-point colour, for deep grey with alpha, for deep
Lab and for CMYK with alpha.
"""

from typing import Literal, TypeAlias

from msgspec import Struct
from PIL import TiffImagePlugin
from PIL.TiffImagePlugin import ImageFileDirectory_v2

Kind: TypeAlias = Literal["grey", "rgb", "cmyk", "cielab", "icclab"]
Alpha: TypeAlias = Literal["none", "straight", "premultiplied"]

WHITE_IS_ZERO = 0
SEPARATE_PLANES = 2
_KINDS: dict[int, Kind] = {0: "grey", 1: "grey", 2: "rgb", 5: "cmyk", 8: "cielab", 9: "icclab"}
COLOURS: dict[Kind, int] = {"grey": 1, "rgb": 3, "cmyk": 4, "cielab": 3, "icclab": 3}
"""Samples of a pixel besides alpha."""

_UNSIGNED, _SIGNED, _FLOAT = 1, 2, 3  # SampleFormat
_FORMATS = {_UNSIGNED: "unsigned", _SIGNED: "signed", _FLOAT: "floating-point", 5: "complex", 6: "complex"}
_BITS = {_UNSIGNED: (8, 16, 32, 64), _SIGNED: (8, 16, 32, 64), _FLOAT: (16, 32, 64)}
_ALPHA: dict[int, Alpha] = {1: "premultiplied", 2: "straight"}  # ExtraSamples
_PHOTOMETRIC = {
    **{
        0: "grey",
        1: "grey",
        2: "RGB",
        3: "palette",
        4: "mask",
        5: "CMYK",
        6: "YCbCr",
        8: "CIELab",
        9: "ICCLab",
    },
    **{10: "ITULab", 32803: "camera sensor", 32844: "LogL", 32845: "LogLuv", 34892: "linear sensor"},
}
_COMPRESSION = {6: "old JPEG", 7: "JPEG", 34712: "JPEG 2000", 34887: "LERC", 50001: "WebP", 50002: "JPEG XL"}
_UNPACKED_BY_LIBTIFF = {1, 5, 8, 32773, 32946, 34925, 50000}
"""Compressions that know nothing of samples: none, LZW, Deflate, PackBits, LZMA, Zstandard."""


class Layout(Struct, frozen=True, kw_only=True):
    """The samples of a page that Darkroom decodes itself."""

    kind: Kind
    white_is_zero: bool
    sample: Literal["u", "i", "f"]  # NumPy's letter for unsigned, signed, floating point
    bits: int
    samples: int  # of a pixel
    alpha: Alpha

    @property
    def mode(self) -> str:
        """The mode of the decoded image; CMYK and Lab with alpha become RGBA."""
        if self.kind == "grey":
            return "I;16" if self.alpha == "none" else "LA"
        if self.alpha != "none":
            return "RGBA"
        return {"rgb": "RGB", "cmyk": "CMYK"}.get(self.kind, "LAB")


def own_layout(tags: ImageFileDirectory_v2) -> Layout | None:
    """Return the layout of a page if it is one that Darkroom decodes itself."""
    kind = _KINDS.get(tags.get(TiffImagePlugin.PHOTOMETRIC_INTERPRETATION, 0))
    formats = set(tags.get(TiffImagePlugin.SAMPLEFORMAT, (_UNSIGNED,)))
    depths = set(tags.get(TiffImagePlugin.BITSPERSAMPLE, (1,)))
    samples = tags.get(TiffImagePlugin.SAMPLESPERPIXEL, 1)
    compression = tags.get(TiffImagePlugin.COMPRESSION, 1)
    if kind == "cielab" and formats <= {_UNSIGNED, _SIGNED}:
        formats = {_UNSIGNED}  # L* is unsigned and the others are signed, whatever the tag says of them
    if kind is None or len(formats) != 1 or len(depths) != 1 or compression not in _UNPACKED_BY_LIBTIFF:
        return None
    (sample_format,), (bits,) = formats, depths
    if kind in {"cielab", "icclab"} and bits > 16:
        return None
    if bits not in _BITS.get(sample_format, ()) or samples < COLOURS[kind]:
        return None
    extra = tags.get(TiffImagePlugin.EXTRASAMPLES, ())[:1]
    unnamed_alpha = samples == COLOURS[kind] + 1 and not extra and kind in {"grey", "rgb"}
    layout = Layout(
        kind=kind,
        white_is_zero=tags.get(TiffImagePlugin.PHOTOMETRIC_INTERPRETATION, 0) == WHITE_IS_ZERO,
        sample="uif"[sample_format - 1],  # pyright: ignore[reportArgumentType]
        bits=bits,
        samples=samples,
        alpha="straight" if unnamed_alpha else _ALPHA.get(extra[0], "none") if extra else "none",
    )
    separate = tags.get(TiffImagePlugin.PLANAR_CONFIGURATION, 1) == SEPARATE_PLANES
    return None if _pillow_decodes(layout, separate=separate) else layout


def _pillow_decodes(layout: Layout, *, separate: bool) -> bool:
    """Return whether Pillow decodes a layout, and rightly; it mistakes planes of 16 bits for 8 bits."""
    if separate and layout.bits > 8:
        return False
    if layout.sample != "u" or layout.bits > 16 or layout.kind == "icclab":
        return False
    shallow = layout.bits == 8
    match layout.kind:
        case "grey":
            plain = layout.samples == 1 or (shallow and layout.samples == 2 and not layout.white_is_zero)
            return plain and (shallow or not layout.white_is_zero)
        case "rgb":
            return layout.samples <= (6 if shallow else 4)
        case "cmyk":
            return layout.alpha == "none" and layout.samples <= (6 if shallow else 4)
        case _:
            return shallow and layout.samples == 3


def unsupported(tags: ImageFileDirectory_v2) -> str:
    """Describe the layout of a page that cannot be decoded, for an error."""
    compression = tags.get(TiffImagePlugin.COMPRESSION, 1)
    if compression not in TiffImagePlugin.COMPRESSION_INFO:
        return f"TIFF with {_COMPRESSION.get(compression, 'unknown')} compression ({compression})"
    photometric = tags.get(TiffImagePlugin.PHOTOMETRIC_INTERPRETATION, 0)
    formats = tags.get(TiffImagePlugin.SAMPLEFORMAT, (_UNSIGNED,))
    depths = tags.get(TiffImagePlugin.BITSPERSAMPLE, (1,))
    samples = tags.get(TiffImagePlugin.SAMPLESPERPIXEL, 1)
    bits = "/".join(str(depth) for depth in sorted(set(depths)))
    sample_format = "/".join(sorted({_FORMATS.get(number, "untyped") for number in formats}))
    colours = _PHOTOMETRIC.get(photometric, f"photometric interpretation {photometric}")
    return f"TIFF with {samples} {sample_format} samples of {bits} bits ({colours})"

"""Choose which metadata the result keeps."""

from typing import ClassVar, Literal

from msgspec.structs import replace

from libs.imaging.operations.operation import Dpi, MetadataMode, Operation, Output


class Metadata(Operation, frozen=True, kw_only=True, tag="metadata"):
    """Choose what the result keeps of EXIF, XMP, IPTC, the resolution and the colour profile.

    `mode` is `strip` (keep nothing), `keep` (copy EXIF, XMP and IPTC, as far as the format has a place for
    them: IPTC in JPEG, PNG and TIFF, none in GIF and BMP), `strip_location` (the same without where the
    picture was taken, and without maker notes, which may say it too; descriptions and keywords stay) or
    `keep_copyright` (copy only the EXIF artist and copyright). Copied metadata keeps its bytes; only what is
    no longer true is changed or left out: orientation, sizes, colour space, thumbnails, gain maps. `dpi` is
    a number of dots per inch to write into the file, or `keep` for that of the source. `color` is `srgb`
    (convert colours from whatever the file says they are: a profile, code points, or a gamma and
    chromaticities) or `keep` (leave pixels as they are and say so in the result, if its format can and the
    pixels are not CMYK). PQ and HLG, of high dynamic range, are kept in PNG and AVIF only; in sRGB their
    highlights are compressed.
    """

    mode: MetadataMode = "strip"
    """What to keep of EXIF, XMP and IPTC."""
    dpi: Literal["keep"] | Dpi | None = None
    """Dots per inch to write, or `keep` for the source's."""
    color: Literal["srgb", "keep"] = "srgb"
    """`srgb` converts colours; `keep` leaves pixels as they are."""

    changes_pixels: ClassVar[bool] = False

    def update_output(self, output: Output) -> Output:
        return replace(output, metadata=self.mode, dpi=self.dpi, color=self.color)

"""Choose which metadata the result keeps."""

from typing import ClassVar, Literal

from msgspec.structs import replace

from libs.imaging.operations.operation import Operation, Output


class Metadata(Operation, frozen=True, kw_only=True, tag="metadata"):
    """Choose what the result keeps of EXIF, XMP, IPTC and the colour profile.

    `mode` is `strip` (keep nothing), `keep` (copy EXIF, XMP and IPTC if the format supports them, with the
    orientation set to upright) or `keep_copyright` (copy only the EXIF artist and copyright). `color` is
    `srgb` (convert colours by the embedded profile) or `keep` (leave pixels as they are and copy the
    profile, if the format supports profiles and the pixels are not CMYK).
    """

    mode: Literal["strip", "keep", "keep_copyright"] = "strip"
    color: Literal["srgb", "keep"] = "srgb"

    changes_pixels: ClassVar[bool] = False

    def update_output(self, output: Output) -> Output:
        return replace(output, metadata=self.mode, color=self.color)

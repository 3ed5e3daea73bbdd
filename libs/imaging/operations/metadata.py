"""What the result tells beside its pixels."""

from typing import ClassVar, Literal

from msgspec.structs import replace

from libs.imaging.operations.operation import Operation, Output


class Metadata(Operation, frozen=True, kw_only=True, tag="metadata"):
    """Say what becomes of EXIF, XMP, IPTC and the colour profile.

    `mode` is `strip`: nothing is left; `keep`: EXIF, XMP and IPTC go over where the format has them, the
    orientation set to upright; `keep_copyright`: only the EXIF artist and copyright. `color` is `srgb`:
    colours are converted by the embedded profile; `keep`: pixels stay as they are and the profile goes over,
    where the format has profiles and the pixels are not CMYK.
    """

    mode: Literal["strip", "keep", "keep_copyright"] = "strip"
    color: Literal["srgb", "keep"] = "srgb"

    changes_pixels: ClassVar[bool] = False

    def settle(self, output: Output) -> Output:
        return replace(output, metadata=self.mode, color=self.color)

"""Copy metadata from the source to the result, as far as the request asks for it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace
from PIL import Image, PngImagePlugin
from PIL.ImageFile import ImageFile

from libs.imaging.colour.icc_profiles import space_of
from libs.imaging.colour.source_colours import SourceColours
from libs.imaging.formats import FORMATS, FormatName
from libs.imaging.limits import MAX_TEXT_BYTES
from libs.imaging.metadata.blocks import MetadataBlocks, read_blocks
from libs.imaging.metadata.exif_changes import Changes, only_copyright, update_exif, without_place
from libs.imaging.metadata.exif_iptc import records_without_place
from libs.imaging.metadata.resolution import Resolution, put_resolution, read_resolution, resolution_options
from libs.imaging.metadata.tag_numbers import ORIENTATION
from libs.imaging.metadata.tag_values import values_of
from libs.imaging.metadata.tiff_block import Block, write_block
from libs.imaging.metadata.xmp_changes import update_xmp, xmp_without_place
from libs.imaging.operations import AnyOperation, Crop, Flip, Mirror, Pad, Resize, Rotate, Trim
from libs.imaging.orientation import UPRIGHT, swaps_sides
from libs.imaging.plan import Plan

_JPEG_SEGMENT_BYTES = 65_533
_EXIF_IN_JPEG = _JPEG_SEGMENT_BYTES - 6  # after its name, as the next
_XMP_IN_JPEG = _JPEG_SEGMENT_BYTES - 29
_LARGEST_TEXT = MAX_TEXT_BYTES - 1024
"""Largest XMP and IPTC of the other formats, with room for the names, so that the results can be read."""

_REFRAMING = (Crop, Trim, Pad, Rotate, Flip, Mirror)


class CopiedMetadata(Struct, frozen=True, kw_only=True):
    """What to copy of the source's metadata; it becomes true for the result when that is written."""

    exif: Block | None = None
    xmp: bytes | None = None
    iptc: bytes | None = None  # the datasets alone, without a Photoshop block around them
    profile: bytes | None = None
    resolution: Resolution | None = None
    original: Changes = Changes(size=(0, 0), scale=None)
    """The source's size and orientation, and what the pipeline does to the picture."""


class TiffMetadata(Struct, frozen=True, kw_only=True):
    """Metadata to add to a TIFF after its pixels are written."""

    exif: Block | None
    xmp: bytes | None
    iptc: bytes | None


def read_metadata(
    image: ImageFile, source: Path, plan: Plan, operations: Sequence[AnyOperation], colours: SourceColours
) -> CopiedMetadata:
    """Read the metadata that the plan says to keep; what cannot be read is left out.

    Args:
        image: The open source.
        source: The file that is open.
        plan: Says what to keep.
        operations: Those of the pipeline.
        colours: Those of the result; None is sRGB.
    """
    profile = colours if isinstance(colours, bytes) else None
    output = plan.output
    if output.metadata == "strip" and output.dpi is None:
        return CopiedMetadata(profile=profile)
    blocks = read_blocks(image, source)
    resolution = read_resolution(image, blocks.exif) if output.dpi == "keep" else None
    orientation = _orientation(plan, blocks)
    if resolution and swaps_sides(orientation):
        resolution = (resolution[1], resolution[0])
    if isinstance(output.dpi, int):
        resolution = (output.dpi, output.dpi)
    scaled = orientation == UPRIGHT and not any(_reframes(operation) for operation in operations)
    converted = not plan.facts.srgb and (colours is None or plan.facts.mode in {"CMYK", "LAB"})
    size = plan.facts.size
    original = Changes(
        size=size, orientation=orientation, scale=(1, 1) if scaled else None, converted=converted
    )
    kept = _kept(blocks, output.metadata)
    return replace(kept, profile=profile, resolution=resolution, original=original)


def _kept(blocks: MetadataBlocks, mode: str) -> CopiedMetadata:
    match mode:
        case "keep":
            return CopiedMetadata(exif=blocks.exif, xmp=blocks.xmp, iptc=blocks.iptc)
        case "strip_location":
            return CopiedMetadata(
                exif=without_place(blocks.exif) if blocks.exif else None,
                xmp=xmp_without_place(blocks.xmp) if blocks.xmp else None,
                iptc=records_without_place(blocks.iptc) if blocks.iptc else None,
            )
        case "keep_copyright":
            return CopiedMetadata(exif=only_copyright(blocks.exif) if blocks.exif else None)
        case _:
            return CopiedMetadata()


def _orientation(plan: Plan, blocks: MetadataBlocks) -> int:
    """Return the source's orientation; that of a TIFF is not in the plan, because Pillow applies it."""
    if plan.facts.format != "tiff" or blocks.exif is None:
        return plan.facts.orientation
    value = values_of(blocks.exif.root, blocks.exif.order).get(ORIENTATION)
    return value if isinstance(value, int) and 1 <= value <= 8 else UPRIGHT


def _reframes(operation: AnyOperation) -> bool:
    """Return whether an operation cuts, turns or extends the picture instead of scaling it whole."""
    return isinstance(operation, _REFRAMING) or (
        isinstance(operation, Resize) and operation.fit in {"cover", "contain"}
    )


def metadata_options(metadata: CopiedMetadata, name: FormatName, image: Image.Image) -> dict[str, Any]:
    """Return the encoder options that write `metadata`; drop what the format cannot hold."""
    options = resolution_options(metadata.resolution, name) if metadata.resolution else {}
    if not FORMATS[name].metadata:
        return options
    if (
        metadata.profile
        and FORMATS[name].profiles
        and space_of(metadata.profile) == ("GRAY" if image.mode in {"L", "LA"} else "RGB")
    ):
        options["icc_profile"] = metadata.profile
    if name == "tiff":
        return options  # see `tiff_metadata`
    exif, xmp = _updated(metadata, name, image)
    if exif:
        options |= _exif_options(exif, name)
    if name == "png":
        return options | _png_texts(xmp, metadata.iptc)
    if xmp:
        options["xmp"] = xmp
    if metadata.iptc and name == "jpeg":
        options["extra"] = _photoshop_segment(metadata.iptc)
    return options


def _png_texts(xmp: bytes | None, iptc: bytes | None) -> dict[str, Any]:
    """Return the option that writes XMP, and IPTC as ImageMagick and ExifTool store it in a PNG."""
    texts = PngImagePlugin.PngInfo()
    if xmp:
        texts.add_itxt("XML:com.adobe.xmp", xmp.decode(errors="replace"))
    if iptc and 2 * len(iptc) < _LARGEST_TEXT:  # two digits for each byte
        block = _photoshop_resource(iptc)
        text = f"\niptc\n{len(block):8}\n{block.hex()}\n"
        texts.add_text("Raw profile type iptc", text, zip=True)
    return {"pnginfo": texts}


def tiff_metadata(metadata: CopiedMetadata, image: Image.Image) -> TiffMetadata | None:
    """Return the metadata to add to a TIFF; None if there is none."""
    exif, xmp = _updated(metadata, "tiff", image)
    if exif is None and xmp is None and metadata.iptc is None:
        return None
    return TiffMetadata(exif=exif, xmp=xmp, iptc=metadata.iptc)


def _updated(
    metadata: CopiedMetadata, name: FormatName, image: Image.Image
) -> tuple[Block | None, bytes | None]:
    """Return EXIF and XMP as they are true for the result."""
    changes = _changes(metadata.original, name, image)
    exif = update_exif(metadata.exif, changes) if metadata.exif else None
    if metadata.resolution:
        exif = put_resolution(exif, metadata.resolution, name)
    if exif and not exif.root.tags and not exif.root.children:
        exif = None
    xmp = update_xmp(metadata.xmp, changes, FORMATS[name].mime) if metadata.xmp else None
    if xmp and len(xmp) > (_XMP_IN_JPEG if name == "jpeg" else _LARGEST_TEXT):
        xmp = None
    return exif, xmp


def _changes(original: Changes, name: FormatName, image: Image.Image) -> Changes:
    scale = original.scale
    if scale:
        scale = (image.width / original.size[0], image.height / original.size[1])
    return replace(original, size=image.size, scale=scale, is_jpeg=name == "jpeg")


def _exif_options(exif: Block, name: FormatName) -> dict[str, Any]:
    if name == "avif":  # its orientation has another place, and Pillow would rewrite the block
        exif = exif.copy()
        exif.root.remove({ORIENTATION})
    limit = _EXIF_IN_JPEG if name == "jpeg" else MAX_TEXT_BYTES
    data = write_block(exif)
    while len(data) > limit:
        exif = _without_largest(exif, len(data) - limit)
        data = write_block(exif)
    if not exif.root.tags and not exif.root.children:
        return {}
    prefix = {"jpeg": b"Exif\0\0", "jxl": bytes(4)}.get(name, b"")  # a JPEG XL gives an offset there
    return {"exif": prefix + data}


def _without_largest(exif: Block, excess: int) -> Block:
    """Return a copy without the largest tags, which together have at least `excess` bytes."""
    exif = exif.copy()
    tags = [tag for part in exif.root.walk() for tag in part.tags]
    dropped: set[int] = set()
    for tag in sorted(tags, key=lambda tag: len(tag.data), reverse=True):
        if excess > 0:
            dropped.add(id(tag))
            excess -= len(tag.data)
    for part in exif.root.walk():
        part.tags = [tag for tag in part.tags if id(tag) not in dropped]
    return exif


def _photoshop_resource(records: bytes) -> bytes:
    """Wrap IPTC records in one of Photoshop's image resource blocks."""
    return b"8BIM\x04\x04\0\0" + len(records).to_bytes(4, "big") + records + b"\0" * (len(records) % 2)


def _photoshop_segment(records: bytes) -> bytes:
    """Wrap IPTC records in a Photoshop APP13 segment; return nothing if they are too long for one."""
    payload = b"Photoshop 3.0\0" + _photoshop_resource(records)
    return b"\xff\xed" + (len(payload) + 2).to_bytes(2, "big") + payload if len(payload) < 65_534 else b""

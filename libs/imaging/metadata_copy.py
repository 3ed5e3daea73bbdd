"""Copy metadata from the source to the result, if the request asks for it."""

import re
from typing import Any, cast

from msgspec import Struct
from PIL import Image, PngImagePlugin
from PIL.ImageFile import ImageFile

from libs.imaging.errors import ImageTruncated, UnreadableImage
from libs.imaging.formats import FORMATS, FormatName
from libs.imaging.icc_profiles import space_of
from libs.imaging.operations.operation import Output
from libs.imaging.orientation import TAG as ORIENTATION
from libs.imaging.pillow_adapter import translated_errors

ARTIST, COPYRIGHT = 0x013B, 0x8298
XMP_TAG, IPTC_TAG = 700, 33_723
_DIRECTORIES = (0x8769, 0x8825, 0xA005)  # EXIF, GPS, interoperability
_PIXEL_TAGS = {*range(254, 270), *range(273, 282), 284, 292, 293, *range(301, 305), *range(317, 352)}
"""TIFF tags that describe how the source's pixels are stored."""

_FILE_TAGS = {XMP_TAG, IPTC_TAG, 34_377, 34_675, *_DIRECTORIES, 512, 513, 514, 529, 530, 531, 532}
"""Tags that hold other metadata, a thumbnail or JPEG tables; XMP, IPTC and directories are copied apart."""

_XMP_ORIENTATION = re.compile(rb"(tiff:Orientation(?:=[\"']|>))\d")


class CopiedMetadata(Struct, frozen=True, kw_only=True):
    """The metadata to write into the result."""

    exif: bytes | None = None
    xmp: bytes | None = None
    iptc: bytes | None = None  # the records alone, without a Photoshop block around them
    profile: bytes | None = None


def read_metadata(image: ImageFile, output: Output, profile: bytes | None) -> CopiedMetadata:
    """Read the metadata that `output` says to keep; damaged metadata is dropped."""
    if output.metadata == "strip":
        return CopiedMetadata(profile=profile)
    try:
        with translated_errors():
            exif = _exif_for_result(image.getexif(), everything=output.metadata == "keep")
            if output.metadata == "keep_copyright":
                return CopiedMetadata(exif=exif, profile=profile)
            xmp = read_xmp(image)
            if xmp:
                xmp = _XMP_ORIENTATION.sub(rb"\g<1>1", xmp)
            return CopiedMetadata(exif=exif, xmp=xmp, iptc=read_iptc(image), profile=profile)
    except (ImageTruncated, UnreadableImage):
        return CopiedMetadata(profile=profile)


def _exif_for_result(source: Image.Exif, *, everything: bool) -> bytes | None:
    """Copy the EXIF tags that still hold for the result, or only artist and copyright."""
    result = Image.Exif()
    for tag, value in source.items():
        if tag in {ARTIST, COPYRIGHT} or (everything and tag not in _PIXEL_TAGS | _FILE_TAGS):
            result[tag] = value
    if everything:
        for directory in _DIRECTORIES:
            if entries := source.get_ifd(directory):
                result.get_ifd(directory).update(entries)
        if ORIENTATION in source:
            result[ORIENTATION] = 1
    return result.tobytes() if len(result) else None


def read_xmp(image: ImageFile) -> bytes | None:
    """Return the XMP packet."""
    xmp = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp")
    if xmp is None and hasattr(image, "tag_v2"):
        xmp = cast(Any, image).tag_v2.get(XMP_TAG)
    if isinstance(xmp, str):
        xmp = xmp.encode()
    return xmp if isinstance(xmp, bytes) else None


def read_iptc(image: ImageFile) -> bytes | None:
    """Return the IPTC records of a JPEG or TIFF."""
    if hasattr(image, "tag_v2"):
        records = cast(Any, image).tag_v2.get(IPTC_TAG)
    else:
        blocks = image.info.get("photoshop")
        records = cast(dict[int, Any], blocks).get(0x0404) if isinstance(blocks, dict) else None
    return records if isinstance(records, bytes) else None


def metadata_options(metadata: CopiedMetadata, name: FormatName, image: Image.Image) -> dict[str, Any]:
    """Return the encoder options that write `metadata`; drop what the format cannot hold."""
    if not FORMATS[name].profiles:
        return {}
    options: dict[str, Any] = {}
    if metadata.exif:
        options["exif"] = metadata.exif
    if metadata.profile and space_of(metadata.profile) == ("GRAY" if image.mode in {"L", "LA"} else "RGB"):
        options["icc_profile"] = metadata.profile
    if metadata.xmp and name == "png":
        options["pnginfo"] = PngImagePlugin.PngInfo()
        options["pnginfo"].add_itxt("XML:com.adobe.xmp", metadata.xmp.decode(errors="replace"))
    elif metadata.xmp and name != "tiff":
        options["xmp"] = metadata.xmp
    if metadata.iptc and name == "jpeg":
        options["extra"] = _photoshop_segment(metadata.iptc)
    if name == "tiff" and (metadata.exif or metadata.xmp or metadata.iptc):
        options["exif"] = _tiff_tags(metadata)
        options["compression"] = None  # Pillow's compressing TIFF writer cannot write directories
    return options


def _photoshop_segment(records: bytes) -> bytes:
    """Wrap IPTC records in a Photoshop APP13 segment; return nothing if they are too long for one."""
    block = b"8BIM\x04\x04\0\0" + len(records).to_bytes(4, "big") + records + b"\0" * (len(records) % 2)
    payload = b"Photoshop 3.0\0" + block
    return b"\xff\xed" + (len(payload) + 2).to_bytes(2, "big") + payload if len(payload) < 65_534 else b""


def _tiff_tags(metadata: CopiedMetadata) -> Image.Exif:
    """Return EXIF, XMP and IPTC as TIFF tags."""
    tags = Image.Exif()
    if metadata.exif:
        tags.load(metadata.exif)
    for tag, value in ((XMP_TAG, metadata.xmp), (IPTC_TAG, metadata.iptc)):
        if value:
            tags[tag] = value
    return tags

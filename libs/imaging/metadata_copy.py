"""Metadata that goes over from the source to the result, where that was asked for."""

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
from libs.imaging.pillow_adapter import decoding

ARTIST, COPYRIGHT = 0x013B, 0x8298
XMP_TAG, IPTC_TAG = 700, 33_723
_DIRECTORIES = (0x8769, 0x8825, 0xA005)  # EXIF, GPS, interoperability
_OF_THE_PIXELS = {*range(254, 270), *range(273, 282), 284, 292, 293, *range(301, 305), *range(317, 352)}
_OF_THE_FILE = {XMP_TAG, IPTC_TAG, 34_377, 34_675, *_DIRECTORIES, 512, 513, 514, 529, 530, 531, 532}
_XMP_ORIENTATION = re.compile(rb"(tiff:Orientation(?:=[\"']|>))\d")


class Extras(Struct, frozen=True, kw_only=True):
    """What is written beside the pixels."""

    exif: bytes | None = None
    xmp: bytes | None = None
    iptc: bytes | None = None  # records, without any wrapping
    profile: bytes | None = None


def read_extras(image: ImageFile, output: Output, profile: bytes | None) -> Extras:
    """Read what `output` wants to be carried over; what is damaged is left behind."""
    if output.metadata == "strip":
        return Extras(profile=profile)
    try:
        with decoding():
            exif = _upright(image.getexif(), everything=output.metadata == "keep")
            if output.metadata == "keep_copyright":
                return Extras(exif=exif, profile=profile)
            xmp = read_xmp(image)
            if xmp:
                xmp = _XMP_ORIENTATION.sub(rb"\g<1>1", xmp)
            return Extras(exif=exif, xmp=xmp, iptc=read_iptc(image), profile=profile)
    except (ImageTruncated, UnreadableImage):
        return Extras(profile=profile)


def _upright(found: Image.Exif, *, everything: bool) -> bytes | None:
    """Copy EXIF without what describes the old pixels."""
    kept = Image.Exif()
    for tag, value in found.items():
        if tag in {ARTIST, COPYRIGHT} or (everything and tag not in _OF_THE_PIXELS | _OF_THE_FILE):
            kept[tag] = value
    if everything:
        for directory in _DIRECTORIES:
            if entries := found.get_ifd(directory):
                kept.get_ifd(directory).update(entries)
        if ORIENTATION in found:
            kept[ORIENTATION] = 1
    return kept.tobytes() if len(kept) else None


def read_xmp(image: ImageFile) -> bytes | None:
    """Give the XMP packet."""
    xmp = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp")
    if xmp is None and hasattr(image, "tag_v2"):
        xmp = cast(Any, image).tag_v2.get(XMP_TAG)
    if isinstance(xmp, str):
        xmp = xmp.encode()
    return xmp if isinstance(xmp, bytes) else None


def read_iptc(image: ImageFile) -> bytes | None:
    """Give the IPTC records of a JPEG or TIFF."""
    if hasattr(image, "tag_v2"):
        found = cast(Any, image).tag_v2.get(IPTC_TAG)
    else:
        blocks = image.info.get("photoshop")
        found = cast(dict[int, Any], blocks).get(0x0404) if isinstance(blocks, dict) else None
    return found if isinstance(found, bytes) else None


def options_of(extras: Extras, name: FormatName, image: Image.Image) -> dict[str, Any]:
    """Give what the saver of a format takes; what a format cannot hold is left out."""
    if not FORMATS[name].profiles:
        return {}
    options: dict[str, Any] = {}
    if extras.exif:
        options["exif"] = extras.exif
    if extras.profile and space_of(extras.profile) == ("GRAY" if image.mode in {"L", "LA"} else "RGB"):
        options["icc_profile"] = extras.profile
    if extras.xmp and name == "png":
        options["pnginfo"] = PngImagePlugin.PngInfo()
        options["pnginfo"].add_itxt("XML:com.adobe.xmp", extras.xmp.decode(errors="replace"))
    elif extras.xmp and name != "tiff":
        options["xmp"] = extras.xmp
    if extras.iptc and name == "jpeg":
        options["extra"] = _photoshop(extras.iptc)
    if name == "tiff" and (extras.exif or extras.xmp or extras.iptc):
        options["exif"] = _tags(extras)
        options["compression"] = None  # the compressing writer knows no directories
    return options


def _photoshop(records: bytes) -> bytes:
    """Wrap IPTC records the way a JPEG holds them."""
    block = b"8BIM\x04\x04\0\0" + len(records).to_bytes(4, "big") + records + b"\0" * (len(records) % 2)
    payload = b"Photoshop 3.0\0" + block
    return b"\xff\xed" + (len(payload) + 2).to_bytes(2, "big") + payload if len(payload) < 65_534 else b""


def _tags(extras: Extras) -> Image.Exif:
    """Give everything as tags, which is how a TIFF holds it."""
    tags = Image.Exif()
    if extras.exif:
        tags.load(extras.exif)
    for tag, value in ((XMP_TAG, extras.xmp), (IPTC_TAG, extras.iptc)):
        if value:
            tags[tag] = value
    return tags

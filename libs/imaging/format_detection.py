"""Detect a file's format from its first bytes."""

import re

from libs.imaging.containers import bmp
from libs.imaging.errors import FormatNotAccepted, NotAnImage
from libs.imaging.formats import FormatName

HEAD_BYTES = 4096
"""How many of a file's first bytes `detect_format` needs."""

_ACCEPTED: tuple[tuple[bytes, FormatName], ...] = (
    (b"\xff\xd8\xff", "jpeg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
    (b"II+\0", "tiff"),
    (b"MM\0+", "tiff"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "jxl"),
    (b"\xff\x0a", "jxl"),
)
_REFUSED: tuple[tuple[bytes, str], ...] = (
    (b"%PDF-", "PDF"),
    (b"%!PS", "EPS"),
    (b"\xc5\xd0\xd3\xc6", "EPS"),
    (b"8BPS", "PSD"),
    (b"\0\0\1\0", "ICO"),
    (b"\0\0\2\0", "CUR"),
    (b"icns", "ICNS"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"gimp xcf", "XCF"),
    (b"qoif", "QOI"),
    (b"DDS ", "DDS"),
    (b"v/1\1", "OpenEXR"),
    (b"#?RADIANCE", "Radiance HDR"),
    (b"SIMPLE  =", "FITS"),
    (b"\x01\xda\x01", "SGI"),
    (b"\n\5\1", "PCX"),
    (b"\xd7\xcd\xc6\x9a", "WMF"),
    (b"\x8aMNG\r\n\x1a\n", "MNG"),
    (b"\x8bJNG\r\n\x1a\n", "JNG"),
    (b"IIRO", "camera RAW (Olympus ORF)"),
    (b"IIRS", "camera RAW (Olympus ORF)"),
    (b"MMOR", "camera RAW (Olympus ORF)"),
    (b"IIU\0", "camera RAW (Panasonic RW2)"),
    (b"FUJIFILMCCD-RAW", "camera RAW (Fujifilm RAF)"),
    (b"FOVb", "camera RAW (Sigma X3F)"),
    (b"\0MRM", "camera RAW (Minolta MRW)"),
    (b"II\x1a\0\0\0HEAPCCDR", "camera RAW (Canon CRW)"),
    (b"PK\3\4", "ZIP"),
    (b"\x1a\x45\xdf\xa3", "Matroska"),
)
_NETPBM = re.compile(rb"P[1-7F][\s#]")
_SVG = re.compile(rb"<(?:\w+:)?svg[\s>]")
_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}


def detect_format(head: bytes) -> FormatName:
    """Return the accepted format whose signature `head` starts with.

    A match does not prove that the file is valid.

    Raises:
        FormatNotAccepted: The file is in another known format.
        NotAnImage: The file is in no known format.
    """
    for magic, name in _ACCEPTED:
        if head.startswith(magic):
            return name
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    if head[4:8] == b"ftyp":
        return _iso_media(head)
    if bmp.has_header(head):
        return "bmp"
    raise _refusal(head)


def _refusal(head: bytes) -> FormatNotAccepted | NotAnImage:
    for magic, name in _REFUSED:
        if head.startswith(magic):
            return FormatNotAccepted(name)
    if _NETPBM.match(head):
        return FormatNotAccepted("PNM")
    if _SVG.search(head.replace(b"\0", b"")):  # without the zero bytes of UTF-16
        return FormatNotAccepted("SVG")
    return NotAnImage()


def _iso_media(head: bytes) -> FormatName:
    """Distinguish AVIF, HEIC and video by the brands in their `ftyp` box."""
    length = min(int.from_bytes(head[:4], "big"), len(head))
    brands = {head[8:12], *(head[at : at + 4] for at in range(16, length, 4))}
    if brands & {b"avif", b"avis"}:
        return "avif"
    if head[8:12] == b"crx ":
        raise FormatNotAccepted("camera RAW (Canon CR3)")
    if brands & _HEIF_BRANDS:
        return "heic"
    raise FormatNotAccepted("MP4 or QuickTime")

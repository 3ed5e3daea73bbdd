"""Correct what XMP claims of a picture that was changed, or remove where it was taken."""

import re

from libs.imaging.metadata.exif_changes import Changes
from libs.imaging.metadata.xmp_edit import Change, Name, edit_xmp
from libs.imaging.orientation import UPRIGHT

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_TIFF = "http://ns.adobe.com/tiff/1.0/"
_EXIF = "http://ns.adobe.com/exif/1.0/"
_EXIF_EX = "http://cipa.jp/exif/1.0/"
_XMP = "http://ns.adobe.com/xap/1.0/"
_HISTORY = "http://ns.adobe.com/xap/1.0/mm/"
_NOTE = "http://ns.adobe.com/xmp/note/"
_DC = "http://purl.org/dc/elements/1.1/"
_PHOTOSHOP = "http://ns.adobe.com/photoshop/1.0/"
_CAMERA = "http://ns.google.com/photos/1.0/camera/"
_PANORAMA = "http://ns.google.com/photos/1.0/panorama/"
_REGIONS = "http://www.metadataworkinggroup.com/schemas/regions/"
_DIMENSIONS = "http://ns.adobe.com/xap/1.0/sType/Dimensions#"
_MICROSOFT = "http://ns.microsoft.com/photo/1.2/"
_IPTC = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"

_PARTS = (
    "http://ns.adobe.com/hdr-gain-map/",
    "http://ns.apple.com/HDRGainMap/",
    "http://ns.google.com/photos/1.0/container/",
    "http://ns.google.com/photos/1.0/depthmap/",
    "http://ns.google.com/photos/1.0/image/",
    "http://ns.google.com/photos/1.0/audio/",
    "http://ns.google.com/photos/dd/1.0/",
)
"""Namespaces about other pictures in the file: gain maps, depth maps, videos. They are not in the result."""

_STORAGE = {
    *("BitsPerSample", "Compression", "PhotometricInterpretation", "SamplesPerPixel", "PlanarConfiguration"),
    *("YCbCrSubSampling", "YCbCrPositioning", "YCbCrCoefficients", "ReferenceBlackWhite", "NativeDigest"),
}
_COLOUR = {"TransferFunction", "WhitePoint", "PrimaryChromaticities", "Gamma", "ICCProfile", "ColorMode"}
_SUBJECT = {"SubjectArea", "SubjectLocation", "FocalPlaneXResolution", "FocalPlaneYResolution"}
_EMBEDDED = {(_NOTE, "HasExtendedXMP"), (_XMP, "Thumbnails"), (_PHOTOSHOP, "TextLayers")}
_WIDTHS = {(_TIFF, "ImageWidth"), (_EXIF, "PixelXDimension")}
_HEIGHTS = {(_TIFF, "ImageLength"), (_EXIF, "PixelYDimension")}
_MOTION = re.compile("MotionPhoto|MicroVideo")

_PLACE = re.compile(
    r"gps|latitude|longt?itude|altitude|(?<!subject)location|^rtk|^geo(?!m)"
    r"|^(city|state|country.*|province.*|worldregion|continent|county|locality|coverage|lat|long?)$",
    re.IGNORECASE,
)
"""Names of properties that say where a picture was taken: of EXIF, IPTC, drones and geography."""


def update_xmp(packet: bytes, changes: Changes, mime: str) -> bytes | None:
    """Return the packet with its claims true for a result of this media type; None if it cannot be read."""

    def rule(name: Name, above: tuple[Name, ...]) -> Change | None:
        if any(element.namespace == _HISTORY for element in above):
            return None  # it is about other files
        for find in (_about_parts, _about_sizes, _about_regions, _about_colours):
            if change := find(name, above, changes):
                return change
        return _set(mime) if name == (_DC, "format") else None

    return edit_xmp(packet, rule)


def xmp_without_place(packet: bytes) -> bytes | None:
    """Return the packet without where the picture was taken; None if it cannot be read."""

    def rule(name: Name, _: tuple[Name, ...]) -> Change | None:
        return _remove if name.namespace != _RDF and _PLACE.search(name.local) else None

    return edit_xmp(packet, rule)


def _remove(_: str) -> None:
    return None


def _set(value: str | int) -> Change:
    return lambda _: str(value)


def _about_parts(name: Name, _: tuple[Name, ...], __: Changes) -> Change | None:
    gone = (
        name.namespace.startswith(_PARTS)
        or name in _EMBEDDED
        or (name.namespace == _CAMERA and _MOTION.match(name.local))
        or (name.namespace in {_TIFF, _EXIF, _EXIF_EX} and name.local in _STORAGE)
        or name == (_EXIF, "CompressedBitsPerPixel")
    )
    return _remove if gone else None


def _about_sizes(name: Name, above: tuple[Name, ...], changes: Changes) -> Change | None:
    width, height = changes.size
    if name == (_TIFF, "Orientation"):
        return _set(UPRIGHT)
    if name in _WIDTHS:
        return _set(width)
    if name in _HEIGHTS:
        return _set(height)
    if any(element == (_REGIONS, "AppliedToDimensions") for element in above) and changes.scale:
        sides = {(_DIMENSIONS, "w"): width, (_DIMENSIONS, "h"): height, (_DIMENSIONS, "unit"): "pixel"}
        return _set(sides[name]) if name in sides else None
    if changes.scale == (1, 1):
        return None
    if name.namespace == _PANORAMA:
        return _about_panorama(name.local, changes.scale)
    return _remove if name.namespace == _EXIF and name.local in _SUBJECT else None


def _about_panorama(local: str, scale: tuple[float, float] | None) -> Change | None:
    """Scale the sizes of a panorama; a part of one is a panorama no more."""
    if scale is None:
        return _remove
    if not local.endswith("Pixels"):
        return None
    factor = scale[0] if "Width" in local or "Left" in local else scale[1]

    def scaled(value: str) -> str | None:
        try:
            return str(round(float(value) * factor))
        except (ValueError, OverflowError):
            return None

    return scaled


def _about_regions(name: Name, _: tuple[Name, ...], changes: Changes) -> Change | None:
    """Remove the places of faces in a picture that was cut or turned; scaled pictures keep relative ones."""
    if changes.scale == (1, 1):
        return None
    if name in {(_REGIONS, "Regions"), (_MICROSOFT, "RegionInfo")}:
        return _remove if changes.scale is None else None
    if name == (_IPTC, "ImageRegion"):
        return _remove if changes.scale is None else _only_relative
    return None


def _only_relative(content: str) -> str | None:
    return None if re.search(r"rbUnit\W+pixel", content) else content


def _about_colours(name: Name, _: tuple[Name, ...], changes: Changes) -> Change | None:
    if not changes.converted:
        return None
    if name.namespace in {_TIFF, _EXIF, _EXIF_EX, _PHOTOSHOP} and name.local in _COLOUR:
        return _remove
    if name == (_EXIF, "ColorSpace"):
        return _set(1)
    return _set("R98") if name == (_EXIF_EX, "InteroperabilityIndex") else None

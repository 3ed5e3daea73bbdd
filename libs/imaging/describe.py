"""What is told of a stored image."""

from io import BytesIO
from pathlib import Path

from msgspec import Struct
from PIL import ImageCms
from PIL.ImageFile import ImageFile

from libs.imaging.blurhash import blurhash, dominant_colours
from libs.imaging.errors import ImageTruncated, OutOfMemory, UnreadableImage
from libs.imaging.exif_iptc import Camera, Caption, read_camera, read_caption
from libs.imaging.formats import FormatName
from libs.imaging.hashing import digest, hashes
from libs.imaging.header import Header, read_header
from libs.imaging.limits import Limits
from libs.imaging.metadata_copy import read_iptc, read_xmp
from libs.imaging.orientation import read_orientation
from libs.imaging.pillow_adapter import decoding, opened
from libs.imaging.truncation import require_whole


class Description(Struct, frozen=True, kw_only=True):
    """Facts about the file as it is stored."""

    format: FormatName
    mime: str
    width: int  # of the stored pixels, before EXIF turning
    height: int
    frames: int
    duration_ms: float | None  # of all frames; None for a still
    size_bytes: int
    md5: str
    sha256: str
    phash: str  # 16 hexadecimal digits
    dhash: str
    average_hash: str
    colorhash: str
    blurhash: str
    colors: tuple[str, ...]  # at most five, the most frequent first
    mode: str  # Pillow's name of the pixel layout
    has_alpha: bool  # some pixels may be clear
    orientation: int  # EXIF, 1 to 8
    dpi: tuple[float, float] | None  # across and down
    profile: str | None  # the colour profile's own name
    exif: Camera | None
    iptc: Caption | None
    xmp: str | None  # the packet as it is
    metadata_error: str | None  # what could not be read of EXIF, XMP or IPTC


def describe(source: Path, limits: Limits) -> Description:
    """Decode the file and describe it; malformed metadata is told of, and fails nothing.

    Raises:
        SourceFault: The file is no accepted image, damaged, or beyond `limits`.
        OutOfMemory: Its pixels do not fit into memory.
    """
    header = read_header(source, limits)
    require_whole(source, header.format, limits)
    try:
        with opened(source, header.format) as image:
            return _describe(image, header, source)
    except MemoryError as error:
        raise OutOfMemory from error


def _describe(image: ImageFile, header: Header, source: Path) -> Description:
    orientation = read_orientation(image)
    mode, dpi = image.mode, _read_dpi(image)
    told = _read_told(image)
    profile = _name(image.info.get("icc_profile"))
    with decoding():
        image.load()
        found = hashes(image)
        pixels = image.convert("RGBA" if image.has_transparency_data else "RGB")
        alpha = image.has_transparency_data
        duration_ms = _duration_ms(image, header.frames)
    digests = digest(source)
    return Description(
        format=header.format,
        mime=header.mime,
        width=header.width,
        height=header.height,
        frames=header.frames,
        duration_ms=duration_ms,
        size_bytes=source.stat().st_size,
        md5=digests.md5,
        sha256=digests.sha256,
        phash=found.phash,
        dhash=found.dhash,
        average_hash=found.average_hash,
        colorhash=found.colorhash,
        blurhash=blurhash(pixels),
        colors=dominant_colours(pixels),
        mode=mode,
        has_alpha=alpha,
        orientation=orientation,
        dpi=dpi,
        profile=profile,
        exif=told.camera,
        iptc=told.caption,
        xmp=told.xmp,
        metadata_error=told.error,
    )


class _Told(Struct, frozen=True, kw_only=True):
    camera: Camera | None = None
    caption: Caption | None = None
    xmp: str | None = None
    error: str | None = None


def _read_told(image: ImageFile) -> _Told:
    """Read all metadata; each part that fails leaves the others."""
    camera = caption = xmp = error = None
    try:
        with decoding():
            exif = image.getexif()
            reading = read_camera(exif)
            camera, error = reading.camera, reading.error
            if image.info.get("exif") and not len(exif):
                error = error or "the EXIF block is damaged"
    except (ImageTruncated, UnreadableImage):
        error = "the EXIF block is damaged"
    try:
        with decoding():
            records, packet = read_iptc(image), read_xmp(image)
            caption = read_caption(records) if records else None
            xmp = packet.decode(errors="replace").strip("\0") if packet else None
    except (ImageTruncated, UnreadableImage):
        error = error or "the XMP or IPTC block is damaged"
    return _Told(camera=camera, caption=caption, xmp=xmp, error=error)


def _duration_ms(image: ImageFile, frames: int) -> float | None:
    """Add up the durations of all frames; a WebP tells each only once it is decoded."""
    if frames == 1 or image.format == "TIFF":
        return None
    total = 0.0
    hidden = 1 if getattr(image, "default_image", False) else 0
    for number in range(hidden, hidden + frames):
        image.seek(number)
        image.load()
        total += float(image.info.get("duration") or 0)
    return total


def _name(profile: object) -> str | None:
    if not isinstance(profile, bytes) or not profile:
        return None
    try:
        name = ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(BytesIO(profile)))
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None
    return name.replace("\0", "").strip() or None


def _read_dpi(image: ImageFile) -> tuple[float, float] | None:
    match image.info.get("dpi"):
        case (across, down):
            try:
                return round(float(across), 2), round(float(down), 2)
            except (TypeError, ValueError, ArithmeticError):
                return None
        case _:
            return None

"""Describe a stored image: its pixels, hashes and metadata."""

from io import BytesIO
from pathlib import Path

from msgspec import Struct
from PIL import ImageCms
from PIL.ImageFile import ImageFile

from libs.imaging.blurhash import blurhash
from libs.imaging.dominant_colours import dominant_colours
from libs.imaging.formats import FORMATS, FormatName
from libs.imaging.frames.frame_composer import read_composition
from libs.imaging.frames.frame_decoder import total_duration_ms
from libs.imaging.hashing import HASH_VERSION, file_digests, perceptual_hashes
from libs.imaging.header import Header, read_header
from libs.imaging.limits import Limits
from libs.imaging.memory_errors import memory_errors
from libs.imaging.metadata.blocks import read_blocks
from libs.imaging.metadata.exif_iptc import Camera, Caption, read_camera, read_caption
from libs.imaging.metadata.resolution import Resolution, read_resolution
from libs.imaging.orientation import UPRIGHT, read_orientation
from libs.imaging.pillow_adapter import open_image, translated_errors
from libs.imaging.step_times import timed
from libs.imaging.truncation import check_not_truncated


class Description(Struct, frozen=True, kw_only=True):
    """Facts about a stored file."""

    format: FormatName
    """The format of the file, read from its bytes."""
    mime: str
    """The media type of the file."""
    width: int
    """The width of the stored pixels, before EXIF orientation."""
    height: int
    """The height of the stored pixels, before EXIF orientation."""
    frames: int
    """How many frames an animation has; 1 for a still image."""
    duration_ms: float | None
    """How long all frames together last; null for a still image."""
    size_bytes: int
    """The size of the file."""
    md5: str
    """The MD5 of the file."""
    sha256: str
    """The SHA-256 of the file."""
    hash_version: int
    """The way in which the four perceptual hashes are computed; see `hashing.HASH_VERSION`."""
    phash: str
    """The DCT hash of the upright picture, 16 hex digits."""
    dhash: str
    """The gradient hash of the upright picture, 16 hex digits."""
    average_hash: str
    """The mean hash of the upright picture, 16 hex digits."""
    colorhash: str
    """The colour hash of the upright picture."""
    blurhash: str
    """A placeholder of the upright picture."""
    colors: tuple[str, ...]
    """At most five colours as `#rrggbb`, the most frequent first."""
    mode: str
    """Pillow's name of the pixel mode."""
    has_alpha: bool
    """Whether pixels may be transparent."""
    orientation: int
    """The EXIF orientation, 1 to 8."""
    dpi: tuple[float, float] | None
    """Dots per inch, horizontal and vertical."""
    profile: str | None
    """The description of the colour profile."""
    exif: Camera | None
    """What the camera recorded."""
    iptc: Caption | None
    """What an editor recorded."""
    xmp: str | None
    """The XMP packet, unparsed."""
    metadata_error: str | None
    """What could not be read of EXIF, XMP or IPTC."""


def describe(source: Path, limits: Limits) -> Description:
    """Decode the file and describe it. Malformed metadata is reported in `metadata_error` and raises nothing.

    Raises:
        SourceFault: The file is not an accepted image, is damaged, or is above `limits`.
        OutOfMemory: The pixels do not fit into memory.
    """
    with memory_errors():
        header = read_header(source, limits)
        check_not_truncated(source, header.format, limits)
        with timed("describe"), open_image(source, header.format) as image:
            return _describe(image, header, source)


def _describe(image: ImageFile, header: Header, source: Path) -> Description:
    orientation = read_orientation(image)
    mode = image.mode
    metadata = _read_metadata(image, source)
    profile = _profile_description(image.info.get("icc_profile"))
    with translated_errors():
        image.load()
        turned = UPRIGHT if header.format == "tiff" else orientation  # Pillow turns a TIFF when it loads it
        hashes = perceptual_hashes(image, turned)
        pixels = image.convert("RGBA" if image.has_transparency_data else "RGB")
        composition = read_composition(source, header.format, header.frames)
        alpha = image.has_transparency_data or (composition is not None and composition.uncovers)
        plays = header.frames > 1 and not FORMATS[header.format].pages
        duration_ms = total_duration_ms(image, header, composition) if plays else None
    digests = file_digests(source)
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
        hash_version=HASH_VERSION,
        phash=hashes.phash,
        dhash=hashes.dhash,
        average_hash=hashes.average_hash,
        colorhash=hashes.colorhash,
        blurhash=blurhash(pixels, turned),
        colors=dominant_colours(pixels),
        mode=mode,
        has_alpha=alpha,
        orientation=orientation,
        dpi=metadata.resolution,
        profile=profile,
        exif=metadata.camera,
        iptc=metadata.caption,
        xmp=metadata.xmp,
        metadata_error=metadata.error,
    )


class _Metadata(Struct, frozen=True, kw_only=True):
    camera: Camera | None = None
    caption: Caption | None = None
    xmp: str | None = None
    resolution: Resolution | None = None
    error: str | None = None


def _read_metadata(image: ImageFile, source: Path) -> _Metadata:
    """Read all metadata; a damaged part does not affect the others."""
    blocks = read_blocks(image, source)
    parsed = read_camera(blocks.exif) if blocks.exif else None
    error = "the EXIF block is damaged" if blocks.damaged else None
    return _Metadata(
        camera=parsed.camera if parsed else None,
        caption=read_caption(blocks.iptc) if blocks.iptc else None,
        xmp=blocks.xmp.decode(errors="replace") if blocks.xmp else None,
        resolution=read_resolution(image, blocks.exif),
        error=parsed.error if parsed else error,
    )


def _profile_description(profile: object) -> str | None:
    if not isinstance(profile, bytes) or not profile:
        return None
    try:
        name = ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(BytesIO(profile)))
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None
    return name.replace("\0", "").strip() or None

"""WebP: the headers of the RIFF chunks (RFC 9649)."""

import struct
from collections.abc import Iterator

from libs.imaging.containers.shape import Buffer, Shape
from libs.imaging.errors import ImageTruncated, UnreadableImage
from libs.imaging.limits import MAX_PROFILE_BYTES, check_metadata

MAX_CHUNKS = 100_000
"""Limit of chunks; only a hostile file has more."""

_ALPHA, _ANIMATION = 0x10, 0x02  # flags of the chunk VP8X
_FLAGS_AT = 20
_FRAME_HEADER_BYTES = 16  # of the chunk ANMF
_DISPOSE = 0x01  # flag of the chunk ANMF: the frame's rectangle becomes transparent after it


def lacks_alpha_flag(data: Buffer) -> bool:
    """Return whether the file shows transparent pixels, and its header denies that.

    Browsers show them as transparent. Decoders that believe the header show them as black.
    """
    if data[12:16] != b"VP8X" or len(data) < 30 or data[_FLAGS_AT] & _ALPHA:
        return False
    if not data[_FLAGS_AT] & _ANIMATION:
        return any(_has_alpha(data, name, body) for name, body in chunks(data, 12, len(data)))
    canvas = data[24:30]
    exposed = True  # parts of the canvas that no frame covers
    for name, body in chunks(data, 12, len(data)):
        if name != b"ANMF" or body.stop - body.start < _FRAME_HEADER_BYTES:
            continue
        frame = data[body.start : body.start + _FRAME_HEADER_BYTES]
        covers = frame[:6] == bytes(6) and frame[6:12] == canvas
        frame_chunks = chunks(data, body.start + _FRAME_HEADER_BYTES, body.stop)
        if (exposed and not covers) or any(_has_alpha(data, *chunk) for chunk in frame_chunks):
            return True
        exposed = bool(frame[-1] & _DISPOSE)
    return False


def with_alpha_flag(data: bytes) -> bytes:
    """Return the file with a header that announces transparent pixels."""
    return data[:_FLAGS_AT] + bytes([data[_FLAGS_AT] | _ALPHA]) + data[_FLAGS_AT + 1 :]


def _has_alpha(data: Buffer, name: bytes, body: slice) -> bool:
    """Return whether a chunk has transparent pixels: an alpha channel, or a lossless bitstream with one."""
    if name == b"VP8L" and body.stop - body.start >= 5:
        (bits,) = struct.unpack_from("<I", data, body.start + 1)
        return bool(bits >> 28 & 1)
    return name == b"ALPH"


def chunks(data: Buffer, start: int, end: int) -> Iterator[tuple[bytes, slice]]:
    """Yield the name and the extent of the data of each chunk; the last one may be cut off.

    Raises:
        UnreadableImage: There are more than `MAX_CHUNKS` chunks.
    """
    at = start
    for _ in range(MAX_CHUNKS):
        if at + 8 > end:
            return
        name, length = struct.unpack_from("<4sI", data, at)
        yield name, slice(at + 8, min(at + 8 + length, end))
        at += 8 + length + (length & 1)
    raise UnreadableImage("it has too many chunks")


def is_complete(data: Buffer) -> bool:
    """Return whether the file is as long as its RIFF header says."""
    return _missing_bytes(data) <= 0


def without_cut_metadata(data: Buffer) -> bytes | None:
    """Return a file that ends too early without its last, cut chunk; None if pixels are missing.

    Pixels come before EXIF and XMP. An animation does not say how many frames it has, so it has all of them
    only where metadata begins after them, or where nothing but a byte of padding is missing.
    """
    missing = _missing_bytes(data)
    if missing <= 0:
        return None
    kept, in_metadata = 12, False
    has_pixels = False
    for name, body in chunks(data, 12, len(data)):
        (length,) = struct.unpack_from("<I", data, body.start - 4)
        if name in {b"EXIF", b"XMP "}:
            in_metadata = True
        if body.start + length > len(data):
            break
        has_pixels = has_pixels or name in {b"VP8 ", b"VP8L", b"ANMF"}
        kept = body.stop
    animated = data[12:16] == b"VP8X" and bool(data[_FLAGS_AT] & _ANIMATION)
    if not has_pixels or (animated and not in_metadata and missing > 1):
        return None
    body = bytes(data[8:kept]) + b"\0" * (kept % 2)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _missing_bytes(data: Buffer) -> int:
    (length,) = struct.unpack_from("<I", data, 4)
    return int(length) + 8 - len(data)


def measure(data: Buffer, max_frames: int) -> Shape:
    """Read the size and count the frames, up to one more than `max_frames`.

    Raises:
        ImageTruncated: The file ends before its size.
        TooMuchMetadata: The colour profile, EXIF or XMP is too large.
        UnreadableImage: The first chunk is not one of WebP's, or there are more than `MAX_CHUNKS` chunks.
    """
    try:
        _check_metadata_chunks(data)
        width, height, frames = _read_first_chunk(data)
    except struct.error as error:
        raise ImageTruncated from error
    return Shape(width, height, _count_frames(data, max_frames) if frames == 0 else frames)


def _read_first_chunk(data: Buffer) -> Shape:
    """Read the size; `frames` is 0 for an animation, whose frames must be counted."""
    match data[12:16]:
        case b"VP8 ":
            start, width, height = struct.unpack_from("<3sHH", data, 23)
            if start != b"\x9d\x01\x2a":
                raise UnreadableImage("its WebP frame has no start code")
            return Shape(width & 0x3FFF, height & 0x3FFF)
        case b"VP8L":
            (bits,) = struct.unpack_from("<I", data, 21)
            return Shape((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
        case b"VP8X":
            flags, low_width, high_width, low_height, high_height = struct.unpack_from("<BxxxHBHB", data, 20)
            animated = bool(flags & 0x02)
            size = (low_width | high_width << 16) + 1, (low_height | high_height << 16) + 1
            return Shape(*size, frames=0 if animated else 1)
        case _:
            raise UnreadableImage("its first WebP chunk is unknown")


def _check_metadata_chunks(data: Buffer) -> None:
    at = 12
    for _ in range(MAX_CHUNKS):
        if at + 8 > len(data):
            return
        name, length = struct.unpack_from("<4sI", data, at)
        if name in {b"EXIF", b"XMP "}:
            check_metadata("text", length)
        elif name == b"ICCP":
            check_metadata("colour profile", length, MAX_PROFILE_BYTES)
        at += 8 + length + (length & 1)


def _count_frames(data: Buffer, max_frames: int) -> int:
    at, frames = 12, 0
    for _ in range(MAX_CHUNKS):
        if at + 8 > len(data) or frames > max_frames:
            return max(frames, 1)
        name, length = struct.unpack_from("<4sI", data, at)
        frames += name == b"ANMF"
        at += 8 + length + (length & 1)
    raise UnreadableImage("it has too many chunks")

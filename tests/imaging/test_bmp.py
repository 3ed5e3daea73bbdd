"""BMP files with all headers and arrangements of channels."""

import struct
from itertools import product

import numpy as np
import pytest
from PIL import Image

from libs.imaging.errors import NotAnImage, SourceFault
from libs.imaging.header import read_header
from libs.imaging.limits import Limits
from libs.imaging.pipeline import first_frame
from tests.imaging.conftest import Save

LIMITS = Limits()
ARRANGEMENTS = {
    "RGB565": (16, (0xF800, 0x07E0, 0x001F, 0)),
    "RGB555": (16, (0x7C00, 0x03E0, 0x001F, 0)),
    "BGR565": (16, (0x001F, 0x07E0, 0xF800, 0)),
    "ARGB1555": (16, (0x7C00, 0x03E0, 0x001F, 0x8000)),
    "ARGB4444": (16, (0x0F00, 0x00F0, 0x000F, 0xF000)),
    "XRGB4444": (16, (0x0F00, 0x00F0, 0x000F, 0)),
    "RGB332": (16, (0x00E0, 0x001C, 0x0003, 0)),
    "BGRX": (32, (0xFF0000, 0xFF00, 0xFF, 0)),
    "BGRA": (32, (0xFF0000, 0xFF00, 0xFF, 0xFF000000)),
    "RGBA": (32, (0xFF, 0xFF00, 0xFF0000, 0xFF000000)),
    "RGBX": (32, (0xFF, 0xFF00, 0xFF0000, 0)),
    "ABGR": (32, (0xFF000000, 0xFF0000, 0xFF00, 0xFF)),
    "GRBX": (32, (0xFF00, 0xFF0000, 0xFF, 0)),
    "R10G10B10A2": (32, (0x3FF, 0xFFC00, 0x3FF00000, 0xC0000000)),
}


def bitmap(
    stored: np.ndarray[tuple[int, ...], np.dtype[np.uint32]],
    bits: int,
    masks: tuple[int, int, int, int],
    header_bytes: int = 124,
    *,
    top_down: bool = False,
) -> bytes:
    """Return a BMP of stored pixel values, whose channels `masks` state."""
    height, width = stored.shape
    rows = [row.astype("<u2" if bits == 16 else "<u4").tobytes() for row in stored]
    body = b"".join(row + bytes(-len(row) % 4) for row in (rows if top_down else reversed(rows)))
    fields = (width, -height if top_down else height, 1, bits, 3, len(body), 0, 0, 0, 0)
    header = struct.pack("<IiiHHIIiiII", header_bytes, *fields) + struct.pack("<IIII", *masks)
    header = header[: 40 + 12] if header_bytes == 40 else header.ljust(header_bytes, b"\0")[:header_bytes]
    return b"BM" + struct.pack("<IHHI", 14 + len(header) + len(body), 0, 0, 14 + len(header)) + header + body


@pytest.mark.parametrize("name", ARRANGEMENTS)
def test_channels_lie_where_the_masks_say(name: str, save: Save) -> None:
    bits, masks = ARRANGEMENTS[name]
    stored = np.random.default_rng(8).integers(0, 2**bits, (5, 7), np.uint32)
    for header_bytes, top_down in product((40, 52, 56, 108, 124), (False, True)):
        has_alpha = bool(masks[3]) and header_bytes >= 56
        source = save(bitmap(stored, bits, masks, header_bytes, top_down=top_down), "in.bmp")
        header = read_header(source, LIMITS)
        assert (header.format, header.width, header.height) == ("bmp", 7, 5)
        got = np.asarray(first_frame(source, LIMITS).convert("RGBA"), dtype=np.float64)
        for channel, mask in enumerate(masks):
            expected = (stored & mask) / mask * 255 if mask else np.full((5, 7), 255)
            if channel == 3 and not has_alpha:
                expected = np.full((5, 7), 255)
            # Pillow widens 5 and 6 bits by repeating them, which differs by less than 1 from the quotient.
            assert np.abs(got[..., channel] - expected).max() <= 1, (header_bytes, channel)


def test_an_alpha_channel_that_is_0_everywhere_counts_as_absent(save: Save) -> None:
    stored = np.full((4, 4), 0x00FF8040, np.uint32)
    for name in ("BGRA", "ARGB1555", "R10G10B10A2"):
        bits, masks = ARRANGEMENTS[name]
        colour = stored & ~np.uint32(masks[3]) & np.uint32(2**bits - 1)
        assert first_frame(save(bitmap(colour, bits, masks), "in.bmp"), LIMITS).mode == "RGB"


def test_reserved_fields_do_not_matter_and_text_is_no_bitmap(save: Save) -> None:
    data = bytearray(save(Image.new("RGB", (8, 6), "teal"), "in.bmp").read_bytes())
    data[6:10] = b"made"
    assert read_header(save(bytes(data), "in.bmp"), LIMITS).format == "bmp"
    with pytest.raises(NotAnImage):
        read_header(save(b"BM is how this letter begins, and it goes on", "in.bmp"), LIMITS)


@pytest.mark.parametrize(("compression", "name"), [(4, "JPEG"), (5, "PNG"), (11, "11")])
def test_a_compression_that_is_not_supported_is_named(compression: int, name: str, save: Save) -> None:
    data = bytearray(save(Image.new("RGB", (8, 6)), "in.bmp").read_bytes())
    data[30] = compression
    with pytest.raises(SourceFault, match=f"compression {name} is not supported") as caught:
        read_header(save(bytes(data), "in.bmp"), LIMITS)
    assert caught.value.code == "image_unreadable"

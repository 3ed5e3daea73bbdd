"""A file is accepted if all its pixels are there, and truncated if some are missing."""

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from libs.imaging.describe import describe
from libs.imaging.errors import SourceFault
from libs.imaging.limits import Limits
from libs.imaging.pipeline import first_frame, render
from tests.imaging.animation_files import GifFrame, WebpFrame, chunk, gif, webp
from tests.imaging.conftest import Run, Save

LIMITS = Limits()
PALETTE = bytes(range(128)) * 3


def pixels(source: Path) -> bytes:
    """Return the pixels of a file that is accepted."""
    return first_frame(source, LIMITS).tobytes()


def refusal(source: Path) -> str:
    """Return the code of the error that a file is refused with."""
    with pytest.raises(SourceFault) as caught:
        first_frame(source, LIMITS)
    return caught.value.code


def test_a_gif_without_its_trailer_is_accepted(save: Save, run: Run) -> None:
    frames = [GifFrame(np.full((4, 5), number, np.uint8)) for number in range(3)]
    facts, _ = run(save(gif((5, 4), frames, PALETTE, end=b""), "in.gif"))
    assert facts.frames == 3


def test_a_gif_is_truncated_where_a_frame_that_was_begun_lacks_pixels(save: Save, run: Run) -> None:
    random = np.random.default_rng(6)
    first, second = (GifFrame(random.integers(0, 128, (9, 9), np.uint8)) for _ in range(2))
    data, between = gif((9, 9), [first, second], PALETTE), len(gif((9, 9), [first], PALETTE, end=b""))
    last_pixel = len(data) - 3  # before the end code, the block's terminator and the trailer
    for length in range(between - 20, len(data)):
        source = save(data[:length], "cut.gif")
        if length >= last_pixel:
            assert run(source)[0].frames == 2, length
        elif length in {between, between - 1, between - 2}:  # nothing shows that there was a second frame
            assert run(source)[0].frames == 1, length
        else:
            assert refusal(source) == "image_truncated", length


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_blocks": 3}], ids=repr)
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_a_jpeg_lacks_pixels_or_only_the_marker_of_its_end(
    options: dict[str, Any], mode: str, photos: Path, save: Save
) -> None:
    with Image.open(photos / "chelsea.png") as image:
        data = save(image.resize((75, 50)).convert(mode), "whole.jpg", **options).read_bytes()
    whole = pixels(save(data, "whole.jpg"))
    for missing in (1, 2):
        source = save(data[:-missing], "cut.jpg")
        assert pixels(source) == whole
        assert describe(source, LIMITS).width == 75
    for missing in (*range(3, 20), *range(20, len(data) - 640, 61)):
        assert refusal(save(data[:-missing], "cut.jpg")) == "image_truncated", missing


def test_the_scans_of_a_progressive_jpeg_are_all_needed(photos: Path, save: Save) -> None:
    with Image.open(photos / "chelsea.png") as image:
        data = save(image.resize((75, 50)), "whole.jpg", progressive=True).read_bytes()
    scans = [at for at in range(len(data)) if data[at : at + 2] == b"\xff\xda"]
    assert len(scans) > 5
    for at in scans[1:]:  # a cut between two scans; Huffman tables of the next one may stand before it
        assert refusal(save(data[:at], "cut.jpg")) == "image_truncated", at


@pytest.mark.parametrize(("kind", "count"), [(1, 1), (2, 0), (3, 1), (5, 0), (7, 1), (12, 1)])
def test_a_jpeg_whose_exif_gives_no_resolution_is_accepted(kind: int, count: int, save: Save) -> None:
    resolution, unit = (struct.pack("<HHII", *tag) for tag in ((0x011A, kind, count, 9), (0x0128, 3, 1, 2)))
    exif = b"Exif\0\0II*\0" + struct.pack("<IH", 8, 2) + resolution + unit + bytes(4)
    data = save(Image.new("RGB", (9, 8)), "in.jpg", exif=exif).read_bytes()
    assert data[13] == 0, "the JFIF header gives no unit, so that Pillow would look into EXIF"
    assert describe(save(data, "in.jpg"), LIMITS).width == 9


TEXT = chunk(b"tEXt", b"Comment\0hello")
DAMAGED_CHUNKS = {
    "checksum of a text": TEXT[:-1] + b"!",
    "checksum of a time": chunk(b"tIME", bytes(7))[:-1] + b"!",
    "short gamma": chunk(b"gAMA", b"\0"),
    "short pixel size": chunk(b"pHYs", b"\0\0"),
    "empty sRGB": chunk(b"sRGB", b""),
    "text with an unknown compression": chunk(b"zTXt", b"a\0\7abc"),
    "profile with an unknown compression": chunk(b"iCCP", b"a\0\7abc"),
    "profile that is cut": chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(99))[:9]),
    "unknown": chunk(b"prIv", b"abc")[:-1] + b"!",
}


@pytest.mark.parametrize("damaged", DAMAGED_CHUNKS.values(), ids=DAMAGED_CHUNKS)
def test_a_png_with_a_damaged_ancillary_chunk_keeps_its_pixels(damaged: bytes, save: Save) -> None:
    image = Image.effect_noise((20, 10), 80)
    data = save(image, "whole.png").read_bytes()
    start, end = data.index(b"IDAT") - 4, data.index(b"IEND") - 4
    for at in (start, end):
        source = save(data[:at] + TEXT + damaged + data[at:], "in.png")
        assert pixels(source) == image.tobytes()
        assert describe(source, LIMITS).width == 20
    assert pixels(save(data[:end], "in.png")) == image.tobytes()  # without IEND


def test_a_png_with_a_damaged_critical_chunk_is_refused(save: Save) -> None:
    data = bytearray(save(Image.new("P", (20, 10)), "whole.png").read_bytes())
    data[data.index(b"PLTE") + 5] ^= 1
    assert refusal(save(bytes(data), "in.png")) == "image_unreadable"


@pytest.mark.parametrize("lossless", [True, False])
def test_a_webp_lacks_pixels_or_only_metadata(lossless: bool, photos: Path, save: Save) -> None:
    with Image.open(photos / "chelsea.png") as image:
        small = image.resize((75, 50))
    bare = save(small, "bare.webp", lossless=lossless).read_bytes()
    data = save(small, "whole.webp", lossless=lossless, xmp=b"<x:xmpmeta/>" * 20).read_bytes()
    end = data.index(b"XMP ")
    for length in (end, end + 1, end + 7, end + 8, end + 50, len(data) - 1):
        assert first_frame(save(data[:length], "cut.webp"), LIMITS).size == (75, 50), length
    for length in (end - 2, end - 9, end // 2):
        assert refusal(save(data[:length], "cut.webp")) == "image_truncated", length
    assert refusal(save(bare[:-2], "cut.webp")) == "image_truncated"


def test_an_animated_webp_that_ends_between_frames_is_truncated(save: Save) -> None:
    frames = [WebpFrame(np.full((4, 4, 4), number, np.uint8)) for number in range(3)]
    data = webp((4, 4), frames)
    assert render(save(data, "in.webp"), save(b"", "out"), [], LIMITS).frames == 3
    assert refusal(save(data[: data.rindex(b"ANMF")], "cut.webp")) == "image_truncated"


def test_a_bmp_may_lack_the_padding_of_its_last_row(save: Save) -> None:
    image = Image.effect_noise((5, 4), 80).convert("RGB")  # rows of 15 bytes, padded to 16
    data = save(image, "whole.bmp").read_bytes()
    assert pixels(save(data[:-1], "cut.bmp")) == image.tobytes()
    assert refusal(save(data[:-2], "cut.bmp")) == "image_truncated"

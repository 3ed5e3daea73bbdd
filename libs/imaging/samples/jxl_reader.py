"""Open JPEG XL with libjxl, through pillow-jxl-plugin.

Pillow's own plugin is not used: it would also restore a JPEG that the file was made of, and decode that.
"""

from mmap import mmap
from typing import Any, BinaryIO, cast

from PIL import Image
from PIL.ImageFile import ImageFile
from pillow_jxl import Decoder

from libs.imaging.containers import jxl, jxl_frames
from libs.imaging.errors import ImageTruncated, UnreadableImage
from libs.imaging.limits import MAX_TEXT_BYTES, check_metadata

_OFFSET_BYTES = 4  # before EXIF


class JxlReader(ImageFile):
    """A JPEG XL, turned upright as its header says. It is decoded when it is opened."""

    format = "JXL"
    format_description = "JPEG XL"

    def _open(self) -> None:
        data = cast(BinaryIO, self.fp).read()
        header = jxl.read_header(data)
        stream = jxl.codestream(data)
        try:
            _, facts, pixels, profile, _ = cast(Any, Decoder(num_threads=0))(stream)
        except RuntimeError as error:
            if jxl_frames.ends_early(stream):
                raise ImageTruncated from error
            raise UnreadableImage("its data is damaged") from error
        self._mode, self._size = facts.mode, (facts.width, facts.height)
        if self._size != header.shape[:2]:
            raise UnreadableImage("its picture has another size than its header says")
        if self._mode == "F;16":
            self._mode = "F"
        self.im = Image.frombytes(self._mode, self._size, bytes(pixels)).im
        self.info.update(_metadata(data))
        if profile and header.colours == "icc":
            self.info["icc_profile"] = bytes(profile)
        self.tile = []

    def load(self) -> "Image.core.PixelAccess | None":
        return Image.Image.load(self)


def _metadata(data: bytes | mmap) -> dict[Any, Any]:
    found: dict[Any, Any] = {}
    for name, content in jxl.metadata_boxes(data):
        check_metadata("text", len(content), MAX_TEXT_BYTES)
        if name == b"Exif":
            skipped = int.from_bytes(content[:_OFFSET_BYTES], "big")
            # Some encoders leave the offset out.
            start = 0 if content[:2] in {b"II", b"MM"} else _OFFSET_BYTES + skipped
            found.setdefault("exif", content[start:])
        elif name == b"xml ":
            found.setdefault("xmp", content)
    return found

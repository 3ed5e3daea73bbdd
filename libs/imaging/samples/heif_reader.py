"""Open HEIC and other HEIF with libheif, through pi-heif, which has no encoder.

The plugin of pi-heif for Pillow is not used: it also reads thumbnails and depth maps, rewrites the
orientation in EXIF and XMP, and reduces deep samples before it converts them to RGB.
"""

from typing import TYPE_CHECKING, Any, BinaryIO, cast

import pi_heif  # pyright: ignore[reportMissingTypeStubs]
from msgspec import Struct
from PIL import Image
from PIL.ImageFile import ImageFile

from libs.imaging.containers import heif
from libs.imaging.errors import (
    FeatureNotSupported,
    ImageTruncated,
    OutOfMemory,
    SourceFault,
    UnreadableImage,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

pi_heif.options.THUMBNAILS = False
pi_heif.options.DEPTH_IMAGES = False
pi_heif.options.AUX_IMAGES = False
pi_heif.options.DECODE_THREADS = 1  # the other cores have work of their own

_DEEP = ";16"
_OTHER_CODEC = "a HEIF whose pictures are not in HEVC"


class HeifReader(ImageFile):
    """The pictures of a file, cut out and turned as their properties say; frame 0 is the primary one."""

    format = "HEIF"
    format_description = "HEIF"

    deep_samples: "NDArray[np.uint16] | None" = None
    """The decoded samples of a file of 10 or 12 bits, without alpha; 65,535 is the greatest."""

    def _open(self) -> None:
        data = cast(BinaryIO, self.fp).read()
        exif, xmp = heif.read_metadata(data)
        self._metadata = {key: block for key, block in (("exif", exif), ("xmp", xmp)) if block}
        self._data = heif.without_metadata(data)
        pictures = self._pictures()
        primary = next((number for number, picture in enumerate(pictures) if picture.info["primary"]), 0)
        self._order = [primary, *(number for number in range(len(pictures)) if number != primary)]
        self._frames = [_read_facts(pictures[number]) for number in self._order]
        self._frame = 0
        self._become()

    @property
    def n_frames(self) -> int:
        return len(self._frames)

    @property
    def is_animated(self) -> bool:
        return False

    def seek(self, frame: int) -> None:
        """Go to a picture."""
        if not 0 <= frame < self.n_frames:
            raise EOFError("no more pictures")
        if frame != self._frame:
            self._frame = frame
            self._become()

    def tell(self) -> int:
        return self._frame

    def load(self) -> "Image.core.PixelAccess | None":
        """Decode the current picture.

        Raises:
            SourceFault: It is damaged.
            OutOfMemory: It does not fit into memory.
        """
        if not self._decoded:
            self._decode()
            self._decoded = True
        return Image.Image.load(self)

    def _pictures(self) -> list[Any]:
        try:
            opened = cast(Any, pi_heif).open_heif(self._data, convert_hdr_to_8bit=False, remove_stride=False)
        except (ValueError, SyntaxError, RuntimeError, EOFError, OSError) as error:
            raise _translated(error) from error
        pictures = list(opened)
        if not pictures:
            raise FeatureNotSupported(_OTHER_CODEC)
        return pictures

    def _become(self) -> None:
        facts = self._frames[self._frame]
        self._size, self._mode, self.info = facts.size, facts.mode, facts.info | self._metadata
        self._decoded, self.deep_samples, self.tile = False, None, []

    def _decode(self) -> None:
        picture = self._pictures()[self._order[self._frame]]
        try:
            data, stride = picture.data, picture.stride
        except (ValueError, SyntaxError, RuntimeError, EOFError, OSError) as error:
            raise _translated(error) from error
        if picture.size != self._size:
            raise UnreadableImage("its picture has another size than its header says")
        if picture.mode.endswith(_DEEP):
            from libs.imaging.samples.heif_samples import reduced  # NumPy is for few files

            pixels, self.deep_samples = reduced(
                data, self._size, stride, self._mode, picture.info["bit_depth"]
            )
        else:
            pixels = Image.frombytes(self._mode, self._size, data, "raw", self._mode, stride)
        self.im = pixels.im


class _Facts(Struct, frozen=True):
    """What is known of a picture before it is decoded."""

    size: tuple[int, int]
    mode: str
    info: dict[Any, Any]


def _read_facts(picture: "pi_heif.HeifImage") -> _Facts:
    read = cast(dict[Any, Any], picture.info)
    profile = read.get("icc_profile")
    info = {"icc_profile": profile} if profile else {}
    mode = "L" if picture.mode.startswith("I;") else picture.mode.removesuffix(_DEEP)
    return _Facts(picture.size, mode, info)


def _translated(error: Exception) -> SourceFault | OutOfMemory:
    """Translate an error of libheif by its message."""
    message = str(error)
    lower = message.lower()
    if isinstance(error, EOFError) or "end of file" in lower or "insufficient input" in lower:
        return ImageTruncated()
    if "security limit" in lower or "invalid image size" in lower:
        return UnreadableImage("its header is damaged")
    if "memory" in lower:
        return OutOfMemory()
    if "not been built in" in lower or "unsupported codec" in lower:
        return FeatureNotSupported(_OTHER_CODEC)
    if isinstance(error, SyntaxError) or "unsupported" in lower:
        return FeatureNotSupported(f"this kind of HEIC ({message.rpartition(':')[2].strip()})")
    return UnreadableImage("its data is damaged")

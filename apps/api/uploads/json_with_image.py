"""JSON whose `image_url` may be a `data:` URL: its bytes are taken out while they arrive."""

import re

from apps.api.uploads.errors import BadUpload, UploadTooLarge
from libs.outbound import DataUrlDecoder, is_data_url

MAX_TEXT_BYTES = 1_000_000  # of a body without its `data:` URL
HEAD_BYTES = 1024
KEY_CHARS = 64  # enough for the key, the colon and some blanks between them
IMAGE_URL = re.compile(rb'"image_url"\s*:\s*"$')
CONTENT = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)  # of a string, whole escapes only
CUT_ESCAPE = re.compile(rb"\\u[0-9A-Fa-f]{0,3}$")
ESCAPE = re.compile(rb"\\(?:u([0-9A-Fa-f]{4})|(.))", re.DOTALL)
CONTROLS = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t"}


class JsonWithImage:
    """Splits a JSON object into its text and the bytes of its `data:` URL.

    In the text, the URL remains without its data. A URL whose key is spelled with escapes remains whole.
    """

    def __init__(self, *, max_file_bytes: int) -> None:
        self.text = bytearray()
        self.has_file = False
        self._max_file_bytes = max_file_bytes
        self._rest = b""  # of the last chunk: the start of an escape
        self._depth = 0
        self._decoder: DataUrlDecoder | None = None  # while inside the URL
        self._string_start: int | None = None  # in the text; None outside strings
        self._may_be_url = False

    def feed(self, chunk: bytes) -> bytes:
        """Return the bytes of the image in a chunk of the body.

        Raises:
            UploadTooLarge: The text is too long.
            BadUpload: There are two images.
            UrlTooLarge, UrlNotAnImage: As `DataUrlDecoder`.
        """
        chunk, self._rest = self._rest + chunk, b""
        image = bytearray()
        at = 0
        while at < len(chunk):
            inside = self._string_start is not None
            at = self._inside(chunk, at, image) if inside else self._outside(chunk, at)
        if len(self.text) > MAX_TEXT_BYTES:
            raise UploadTooLarge(f"the limit on a JSON body without its image is {MAX_TEXT_BYTES} bytes")
        return bytes(image)

    def _outside(self, chunk: bytes, at: int) -> int:
        """Copy up to the next string."""
        quote = chunk.find(b'"', at)
        end = len(chunk) if quote < 0 else quote + 1
        between = chunk[at:end]
        self.text += between
        self._depth += between.count(b"{") + between.count(b"[") - between.count(b"}") - between.count(b"]")
        if quote >= 0:
            self._string_start = len(self.text)
            key = IMAGE_URL.search(self.text, max(0, len(self.text) - KEY_CHARS))
            self._may_be_url = self._depth == 1 and key is not None
        return end

    def _inside(self, chunk: bytes, at: int, image: bytearray) -> int:
        """Copy or decode up to the end of the string, or of the chunk."""
        match = CONTENT.match(chunk, at)
        end = match.end() if match else at
        content = chunk[at:end]
        if end == len(chunk) and (cut := CUT_ESCAPE.search(content)):
            content, self._rest = content[: cut.start()], content[cut.start() :]
        elif end < len(chunk) and chunk[end : end + 1] == b"\\":
            self._rest = chunk[end:]
        self._add(content, image)
        if self._rest or end == len(chunk):
            return len(chunk)
        self._end_string(image)
        return end + 1

    def _add(self, content: bytes, image: bytearray) -> None:
        if self._decoder is not None:
            image += self._decoder.feed(_unescaped(content))
            return
        self.text += content
        if self._may_be_url:
            self._look_for_url(image)

    def _look_for_url(self, image: bytearray) -> None:
        """Start to decode when the string's head is complete and is that of a `data:` URL."""
        start = self._string_start or 0
        comma = self.text.find(b",", start)
        if comma < 0 and len(self.text) - start <= HEAD_BYTES:
            return
        self._may_be_url = False
        head = _unescaped(bytes(self.text[start : comma + 1]))
        if not is_data_url(head.decode("latin-1")):
            return
        if self.has_file:
            raise BadUpload("`image_url` is given twice")
        self.has_file = True
        self._decoder = DataUrlDecoder(max_bytes=self._max_file_bytes)
        content = bytes(self.text[comma + 1 :])
        del self.text[comma + 1 :]
        image += self._decoder.feed(head + _unescaped(content))

    def _end_string(self, image: bytearray) -> None:
        if self._decoder is not None:
            image += self._decoder.finish()
        self.text += b'"'
        self._decoder = self._string_start = None
        self._may_be_url = False


def _unescaped(content: bytes) -> bytes:
    return ESCAPE.sub(_of_escape, content) if b"\\" in content else content


def _of_escape(match: re.Match[bytes]) -> bytes:
    digits, character = match.groups()
    if digits:
        return chr(int(digits, 16)).encode(errors="replace")
    return CONTROLS.get(character, character)

"""`data:` URLs (RFC 2397), which contain the bytes themselves."""

import binascii
from collections.abc import Iterator
from urllib.parse import unquote_to_bytes

from libs.outbound.errors import UrlNotAnImage, UrlTooLarge

SCHEME = "data:"
HEAD_BYTES = 1024  # of the scheme and the media type
PIECE_CHARS = 256 * 1024
BLANKS = b" \t\r\n"
STANDARD_ALPHABET = bytes.maketrans(b"-_", b"+/")


def is_data_url(text: str) -> bool:
    """Return whether the text is a `data:` URL, well-formed or not."""
    return text.lstrip()[: len(SCHEME)].lower() == SCHEME


def decoded_data_url(text: str, *, max_bytes: int) -> Iterator[bytes]:
    """Yield the bytes of a `data:` URL, less than a megabyte at a time.

    Raises:
        UrlTooLarge, UrlNotAnImage: As `DataUrlDecoder`.
    """
    decoder = DataUrlDecoder(max_bytes=max_bytes)
    for start in range(0, len(text), PIECE_CHARS):
        yield decoder.feed(text[start : start + PIECE_CHARS].encode(errors="replace"))
    yield decoder.finish()


class DataUrlDecoder:
    """Decodes a `data:` URL that comes in pieces; base64 may use either alphabet and omit its padding."""

    def __init__(self, *, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._size = 0
        self._rest = b""  # of the last piece: a head without its comma, or the start of an escape
        self._digits = b""  # of base64: less than a group of four
        self._is_base64: bool | None = None  # None: the comma has not come yet
        self._padded = False

    def feed(self, piece: bytes) -> bytes:
        """Return the bytes that are complete with this piece.

        Raises:
            UrlTooLarge: The URL has more than `max_bytes`.
            UrlNotAnImage: It is malformed.
        """
        piece, self._rest = self._rest + piece, b""
        if self._is_base64 is None:
            head, comma, piece = piece.partition(b",")
            if not comma:
                self._rest = head
                if len(head) > HEAD_BYTES:
                    raise UrlNotAnImage("the data: URL has no comma")
                return b""
            self._is_base64 = head.rpartition(b";")[2].strip().lower() == b"base64"
        escape = piece.rfind(b"%", max(0, len(piece) - 2))
        if escape >= 0:
            piece, self._rest = piece[:escape], piece[escape:]
        return self._counted(self._content(unquote_to_bytes(piece)))

    def finish(self) -> bytes:
        """Return the last bytes.

        Raises:
            UrlTooLarge, UrlNotAnImage: As `feed`.
        """
        if self._is_base64 is None:
            raise UrlNotAnImage("the data: URL has no comma")
        content = self._content(self._rest)
        digits = self._digits
        return self._counted(content + _decode(digits + b"=" * (-len(digits) % 4)))

    def _content(self, piece: bytes) -> bytes:
        if not self._is_base64:
            return piece
        digits, padding, more = piece.translate(STANDARD_ALPHABET, BLANKS).partition(b"=")
        if (digits and self._padded) or more.strip(b"="):
            raise UrlNotAnImage("the data: URL is not base64")
        self._padded = self._padded or bool(padding)
        digits = self._digits + digits
        whole = len(digits) - len(digits) % 4
        self._digits = digits[whole:]
        return _decode(digits[:whole])

    def _counted(self, content: bytes) -> bytes:
        self._size += len(content)
        if self._size > self._max_bytes:
            raise UrlTooLarge(f"the data: URL holds more than {self._max_bytes} bytes, which is the limit")
        return content


def _decode(digits: bytes) -> bytes:
    try:
        return binascii.a2b_base64(digits, strict_mode=True)
    except binascii.Error as error:
        raise UrlNotAnImage("the data: URL is not base64") from error

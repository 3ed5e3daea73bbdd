"""Read numbers of any count of bits."""

from libs.imaging.errors import ImageTruncated


class BitReader:
    """Reads bits one after another, from the highest or from the lowest of each byte."""

    def __init__(self, data: bytes, *, lowest_first: bool) -> None:
        self._value = int.from_bytes(data, "little" if lowest_first else "big")
        self._length = 8 * len(data)
        self._lowest_first = lowest_first
        self.position = 0

    def bits(self, count: int) -> int:
        """Return the next `count` bits as a number.

        Raises:
            ImageTruncated: There are fewer.
        """
        if self.position + count > self._length:
            raise ImageTruncated
        shift = self.position if self._lowest_first else self._length - self.position - count
        self.position += count
        return self._value >> shift & (1 << count) - 1

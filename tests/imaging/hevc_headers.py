"""Write the configuration of an HEVC decoder that announces any size (ITU-T H.265, 7.3.2.2)."""

import struct


def configuration(width: int, height: int) -> bytes:
    """Return the contents of a box hvcC with one sequence parameter set."""
    bits = f"{0x4201:016b}" + "0000" + "000" + "1" + "0" * 96  # header, its number, layers, profile
    bits += _golomb(0) + _golomb(1) + _golomb(width) + _golomb(height) + "1"
    bits += "0" * (-len(bits) % 8)
    unit = int(bits, 2).to_bytes(len(bits) // 8, "big")
    return bytes([1]) + bytes(21) + struct.pack(">BBHH", 1, 33, 1, len(unit)) + unit


def _golomb(value: int) -> str:
    digits = f"{value + 1:b}"
    return "0" * (len(digits) - 1) + digits

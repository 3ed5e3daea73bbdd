"""Parse EXIF (CIPA DC-008) and IPTC-IIM metadata into typed values."""

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from msgspec import Struct
from PIL.Image import Exif

T = TypeVar("T")

_EXIF, _GPS = 0x8769, 0x8825  # tags of the directories
_MAX_TEXT = 1000  # characters
_DATE_TIME = re.compile(r"(\d{4}):(\d\d):(\d\d) (\d\d):(\d\d):(\d\d)")
_UTC_OFFSET = re.compile(r"[+-]\d\d:\d\d|Z")


class Place(Struct, frozen=True, kw_only=True):
    """Where an image was taken."""

    latitude: float  # decimal degrees, south is negative
    longitude: float  # decimal degrees, west is negative
    altitude_m: float | None = None  # below sea level is negative


class Camera(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a camera records; missing values are left out."""

    make: str | None = None
    model: str | None = None
    lens: str | None = None
    exposure_s: float | None = None
    f_number: float | None = None
    iso: int | None = None
    focal_length_mm: float | None = None
    focal_length_35mm: int | None = None  # 35 mm equivalent
    flash: bool | None = None
    taken_at: str | None = None  # ISO 8601, with a UTC offset if the camera recorded one
    software: str | None = None
    description: str | None = None
    artist: str | None = None
    copyright: str | None = None
    gps: Place | None = None


class Caption(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an editor records as IPTC."""

    title: str | None = None
    headline: str | None = None
    caption: str | None = None
    creator: str | None = None
    credit: str | None = None
    copyright: str | None = None
    city: str | None = None
    country: str | None = None
    keywords: tuple[str, ...] = ()


class ParsedExif(Struct, frozen=True, kw_only=True):
    """The values that could be parsed, and the first error."""

    camera: Camera | None
    error: str | None


def read_camera(exif: Exif) -> ParsedExif:
    """Parse each tag by itself, so that a damaged tag does not affect the others."""
    errors: list[str] = []
    exif_ifd, gps_ifd = _directory(exif, _EXIF, errors), _directory(exif, _GPS, errors)
    ifd0: Mapping[int, Any] = dict(exif)

    def read(name: str, tags: Mapping[int, Any], tag: int, parse: Callable[[Any], T]) -> T | None:
        try:
            return parse(tags[tag]) if tag in tags else None
        except (TypeError, ValueError, ArithmeticError, LookupError, AttributeError):
            errors.append(f"{name} is malformed")
            return None

    camera = Camera(
        make=read("make", ifd0, 0x010F, _text),
        model=read("model", ifd0, 0x0110, _text),
        lens=read("lens", exif_ifd, 0xA434, _text),
        exposure_s=read("exposure", exif_ifd, 0x829A, _positive),
        f_number=read("f-number", exif_ifd, 0x829D, _positive),
        iso=read("iso", exif_ifd, 0x8827, _integer),
        focal_length_mm=read("focal length", exif_ifd, 0x920A, _positive),
        focal_length_35mm=read("focal length at 35 mm", exif_ifd, 0xA405, _integer),
        flash=read("flash", exif_ifd, 0x9209, lambda value: bool(_integer(value) & 1)),
        taken_at=read("time", exif_ifd, 0x9003, lambda value: _date_time(value, exif_ifd)),
        software=read("software", ifd0, 0x0131, _text),
        description=read("description", ifd0, 0x010E, _text),
        artist=read("artist", ifd0, 0x013B, _text),
        copyright=read("copyright", ifd0, 0x8298, _text),
        gps=read("position", gps_ifd, 2, lambda _: _place(gps_ifd)),
    )
    return ParsedExif(camera=camera if camera != Camera() else None, error=errors[0] if errors else None)


def read_caption(records: bytes) -> Caption | None:
    """Parse the datasets of the IPTC application record (record 2)."""
    texts: dict[int, list[str]] = {}
    at = 0
    while at + 5 <= len(records) and records[at] == 0x1C:
        length = int.from_bytes(records[at + 3 : at + 5], "big")
        if records[at + 1] == 2:
            texts.setdefault(records[at + 2], []).append(_text(records[at + 5 : at + 5 + length]))
        at += 5 + length
    names = {5: "title", 105: "headline", 120: "caption", 80: "creator", 110: "credit", 116: "copyright"}
    names |= {90: "city", 101: "country"}
    known: dict[str, Any] = {name: texts[tag][0] for tag, name in names.items() if tag in texts}
    caption = Caption(**known, keywords=tuple(texts.get(25, ())))
    return caption if caption != Caption() else None


def _directory(exif: Exif, tag: int, errors: list[str]) -> Mapping[int, Any]:
    try:
        return dict(exif.get_ifd(tag))
    except Exception:  # noqa: BLE001 - Pillow's parser raises many exceptions for damaged bytes
        errors.append("the EXIF block is damaged")
        return {}


def _text(value: object) -> str:
    if isinstance(value, bytes):
        try:
            value = value.decode()
        except UnicodeDecodeError:
            value = value.decode("latin-1")
    if not isinstance(value, str):
        raise TypeError(value)
    return value.replace("\0", "").strip()[:_MAX_TEXT]


def _number(value: object) -> float:
    number = float(value)  # pyright: ignore[reportArgumentType] - a rational converts too
    if not math.isfinite(number):
        raise ValueError(value)
    return number


def _positive(value: object) -> float:
    number = _number(value)
    if number <= 0:
        raise ValueError(value)
    return round(number, 6)


def _integer(value: object) -> int:
    return int(_number(value[0] if isinstance(value, tuple) else value))  # pyright: ignore


def _date_time(value: object, exif_ifd: Mapping[int, Any]) -> str | None:
    text = _text(value)
    if not text.strip(" :0"):
        return None  # the camera's clock was not set
    found = _DATE_TIME.match(text)
    if not found:
        raise ValueError(text)
    year, month, day, *time = found.groups()
    offset_tag = exif_ifd.get(0x9011)
    offset = _text(offset_tag) if offset_tag is not None else ""
    return f"{year}-{month}-{day}T{':'.join(time)}{offset if _UTC_OFFSET.fullmatch(offset) else ''}"


def _place(gps_ifd: Mapping[int, Any]) -> Place:
    latitude = _degrees(gps_ifd[2], _text(gps_ifd.get(1, "N")).upper() == "S", 90)
    longitude = _degrees(gps_ifd[4], _text(gps_ifd.get(3, "E")).upper() == "W", 180)
    altitude = None
    if 6 in gps_ifd:
        below = gps_ifd.get(5, 0) in {1, b"\x01"}
        altitude = round(-_number(gps_ifd[6]) if below else _number(gps_ifd[6]), 2)
    return Place(latitude=latitude, longitude=longitude, altitude_m=altitude)


def _degrees(parts: tuple[object, ...], negative: bool, limit: int) -> float:
    degrees, minutes, seconds = (_number(part) for part in parts)
    value = degrees + minutes / 60 + seconds / 3600
    if not 0 <= value <= limit:
        raise ValueError(parts)
    return round(-value if negative else value, 7)

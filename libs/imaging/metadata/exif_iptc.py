"""Parse EXIF (CIPA DC-008) and IPTC-IIM metadata into typed values."""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from fractions import Fraction
from typing import Any, NamedTuple, TypeVar, cast

from msgspec import Struct

from libs.imaging.metadata.tag_values import values_of
from libs.imaging.metadata.tiff_block import EXIF, GPS, Block

T = TypeVar("T")

_MAX_TEXT = 1000  # characters
_DATE_TIME = re.compile(
    r"(\d{4})[:/.-](\d\d)[:/.-](\d\d)[ T]+(\d\d):(\d\d):(\d\d)(?:\.\d*)? ?([+-]\d\d:\d\d|Z)?"
)
_UTC_OFFSET = re.compile(r"[+-]\d\d:\d\d|Z")
_ORIGINAL, _DIGITIZED, _CHANGED = (0x9003, 0x9011), (0x9004, 0x9012), (0x0132, 0x9010)
"""Tags of a date and of its UTC offset: when the picture was taken, digitized, and the file changed."""

_PLACE_DATASETS = {26, 27, 90, 92, 95, 100, 101}
"""IPTC datasets: code and name of the content's location, city, sublocation, province, country."""


class Place(Struct, frozen=True, kw_only=True):
    """Where an image was taken."""

    latitude: float
    """Decimal degrees; south is negative."""
    longitude: float
    """Decimal degrees; west is negative."""
    altitude_m: float | None = None
    """Metres above sea level; below is negative."""


class Camera(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a camera records; missing values are left out."""

    make: str | None = None
    """The maker of the camera."""
    model: str | None = None
    """The model of the camera."""
    lens: str | None = None
    """The model of the lens."""
    exposure_s: float | None = None
    """The exposure time in seconds."""
    f_number: float | None = None
    """The aperture."""
    iso: int | None = None
    """The sensitivity."""
    focal_length_mm: float | None = None
    """The focal length."""
    focal_length_35mm: int | None = None
    """The focal length as of a 35 mm camera."""
    flash: bool | None = None
    """Whether the flash fired."""
    taken_at: str | None = None
    """When the picture was taken: ISO 8601, with a UTC offset if the camera recorded one."""
    software: str | None = None
    """The program that wrote the file."""
    description: str | None = None
    """The description of the picture."""
    artist: str | None = None
    """The photographer."""
    copyright: str | None = None
    """Whose rights the picture is."""
    gps: Place | None = None
    """Where the picture was taken."""


class Caption(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an editor records as IPTC."""

    title: str | None = None
    """The title of the picture."""
    headline: str | None = None
    """The headline of the picture."""
    caption: str | None = None
    """The description of the picture."""
    creator: str | None = None
    """The photographer."""
    credit: str | None = None
    """Whom to name."""
    copyright: str | None = None
    """Whose rights the picture is."""
    city: str | None = None
    """The city in the picture."""
    country: str | None = None
    """The country in the picture."""
    keywords: tuple[str, ...] = ()
    """Keywords."""


class ParsedExif(Struct, frozen=True, kw_only=True):
    """The values that could be parsed, and the first error."""

    camera: Camera | None
    error: str | None


def read_camera(block: Block) -> ParsedExif:
    """Parse each tag by itself, so that a damaged tag does not affect the others."""
    errors: list[str] = []
    ifd0 = values_of(block.root, block.order)
    # a damaged pointer may lead to no directory
    exif_ifd = values_of(block.child(EXIF), block.order)
    gps_ifd = values_of(block.child(GPS), block.order)

    def read(name: str, tags: Mapping[int, Any], tag: int, parse: Callable[[Any], T]) -> T | None:
        try:
            return parse(tags[tag]) if tag in tags else None
        except (TypeError, ValueError, ArithmeticError, LookupError, AttributeError):
            errors.append(f"{name} is malformed")
            return None

    def read_time() -> str | None:
        """Return the first date that can be read."""
        for tags, (date, offset) in ((exif_ifd, _ORIGINAL), (exif_ifd, _DIGITIZED), (ifd0, _CHANGED)):
            if found := read("time", tags, date, lambda value: _date_time(value, exif_ifd.get(offset))):  # noqa: B023
                return found
        return read("time", gps_ifd, 29, lambda value: _gps_time(value, gps_ifd.get(7)))

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
        taken_at=read_time(),
        software=read("software", ifd0, 0x0131, _text),
        description=read("description", ifd0, 0x010E, _text),
        artist=read("artist", ifd0, 0x013B, _text),
        copyright=read("copyright", ifd0, 0x8298, _text),
        gps=read("position", gps_ifd, 2, lambda _: _place(gps_ifd)),
    )
    if block.damaged:
        errors.append("a part of the EXIF block is damaged")
    return ParsedExif(camera=camera if camera != Camera() else None, error=errors[0] if errors else None)


class _Dataset(NamedTuple):
    record: int
    number: int
    start: int  # of the whole dataset
    data: bytes
    end: int


def _datasets(records: bytes) -> Iterator[_Dataset]:
    """Yield the datasets (IIM 4.2, 1.5), up to the first that is damaged."""
    at = 0
    while at + 5 <= len(records) and records[at] == 0x1C:
        length, data = int.from_bytes(records[at + 3 : at + 5], "big"), at + 5
        if length & 0x8000:  # an extended dataset: this is the length of its length
            data += length & 0x7FFF
            length = int.from_bytes(records[at + 5 : data][:8], "big")
        if data + length > len(records):
            return
        content = records[data : data + length]
        yield _Dataset(records[at + 1], records[at + 2], at, content, data + length)
        at = data + length


def records_without_place(records: bytes) -> bytes | None:
    """Return the datasets that do not say where the picture was taken."""
    kept = (
        records[dataset.start : dataset.end]
        for dataset in _datasets(records)
        if dataset.record != 2 or dataset.number not in _PLACE_DATASETS
    )
    return b"".join(kept) or None


def read_caption(records: bytes) -> Caption | None:
    """Parse the datasets of the IPTC application record (record 2)."""
    texts: dict[int, list[str]] = {}
    for dataset in _datasets(records):
        if dataset.record == 2:
            texts.setdefault(dataset.number, []).append(_text(dataset.data))
    names = {5: "title", 105: "headline", 120: "caption", 80: "creator", 110: "credit", 116: "copyright"}
    names |= {90: "city", 101: "country"}
    known: dict[str, Any] = {name: texts[tag][0] for tag, name in names.items() if tag in texts}
    caption = Caption(**known, keywords=tuple(texts.get(25, ())))
    return caption if caption != Caption() else None


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
    if not isinstance(value, (int, float, Fraction)):
        raise TypeError(value)
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(value)
    return number


def _positive(value: object) -> float:
    number = _number(value)
    if number <= 0:
        raise ValueError(value)
    return round(number, 6)


def _integer(value: object) -> int:
    return int(_number(cast(tuple[object, ...], value)[0] if isinstance(value, tuple) else value))


def _date_time(value: object, offset_tag: object) -> str | None:
    """Convert to ISO 8601; None if the camera's clock was not set."""
    text = _text(value)
    if not text.strip(" :0-/.T"):
        return None
    found = _DATE_TIME.match(text)
    if not found:
        raise ValueError(text)
    *parts, offset = found.groups()
    datetime.fromisoformat("{}-{}-{}T{}:{}:{}".format(*parts))  # raises ValueError if there is no such time
    if not offset:
        offset = _text(offset_tag) if isinstance(offset_tag, bytes) else ""
    year, month, day, *time = parts
    return f"{year}-{month}-{day}T{':'.join(time)}{offset if _UTC_OFFSET.fullmatch(offset) else ''}"


def _gps_time(date: object, time: object) -> str | None:
    """Convert GPS's date and time, which is in UTC; None if there is only a date."""
    if not isinstance(time, tuple):
        return None
    hours, minutes, seconds = (int(_number(part)) for part in cast(tuple[object, ...], time))
    return _date_time(f"{_text(date)} {hours:02}:{minutes:02}:{seconds:02}Z", None)


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

"""Change single properties of an XMP packet, and leave all other bytes as they are (ISO 16684-1)."""

import re
from collections.abc import Callable
from typing import NamedTuple, TypeAlias
from xml.parsers import expat

from msgspec import Struct


class Name(NamedTuple):
    """The name of an element or attribute."""

    namespace: str
    local: str


Change: TypeAlias = Callable[[str], str | None]
"""Returns the new text of a property, given the old one or the XML within it; None removes the property."""

Rule: TypeAlias = Callable[[Name, tuple[Name, ...]], Change | None]
"""Returns how to change the property of this name within these elements; None leaves it as it is."""

_START_TAG = re.compile(rb"<[^\s/>]+(?:\s+[^\s=>]+\s*=\s*(?:\"[^\"]*\"|'[^']*'))*\s*/?>")
_ATTRIBUTE = re.compile(rb"\s+([^\s=>]+)\s*=\s*(\"[^\"]*\"|'[^']*')")

_USUAL_PREFIXES = {
    "tiff": "http://ns.adobe.com/tiff/1.0/",
    "exif": "http://ns.adobe.com/exif/1.0/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
}
"""Used where a packet does not declare them, which readers that search for text accept."""

MAX_ELEMENTS, MAX_DEPTH = 50_000, 50
"""Limits of elements, and of those within each other; real packets have a few hundred, and twenty."""


def edit_xmp(packet: bytes, rule: Rule) -> bytes | None:
    """Return the packet with the changes that the rule asks for; None if it is not well-formed XML.

    A packet with a document type is not read, because that is how XML bombs are written.
    """
    if packet[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        packet = packet.decode("utf-16", "replace").encode()
    packet = packet.rstrip(b"\0 \t\r\n")
    editor = _Editor(packet, rule)
    try:
        editor.run()
    except (expat.ExpatError, _NotReadable, ValueError):
        return None
    pieces: list[bytes] = []
    at = 0
    for start, end, text in editor.edits:
        pieces += [packet[at:start], text]
        at = end
    return b"".join([*pieces, packet[at:]])


class _NotReadable(Exception):
    """The packet is XML of a kind that is not read."""


class _Element(Struct):
    name: Name
    start: int
    content: int  # offset of what is between the tags
    empty: bool
    change: Change | None
    prefixes: dict[str, str]


class _Editor:
    def __init__(self, packet: bytes, rule: Rule) -> None:
        self._packet = packet
        self._rule = rule
        self._open: list[_Element] = []
        self._elements = 0
        self.edits: list[tuple[int, int, bytes]] = []
        """Start, end and new bytes of each place, in order and without overlap."""

    def run(self) -> None:
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.StartDoctypeDeclHandler = self._refuse
        self._parser.Parse(self._packet, True)

    def _refuse(self, *_: object) -> None:
        raise _NotReadable

    def _start(self, qualified: str, attributes: dict[str, str]) -> None:
        at = self._parser.CurrentByteIndex
        tag = _START_TAG.match(self._packet, at)
        self._elements += 1
        if tag is None or len(self._open) >= MAX_DEPTH or self._elements > MAX_ELEMENTS:
            raise _NotReadable
        prefixes = self._open[-1].prefixes if self._open else _USUAL_PREFIXES
        declared = {key[6:]: value for key, value in attributes.items() if key.startswith("xmlns:")}
        prefixes = prefixes | declared if declared else prefixes
        name = _resolved(qualified, prefixes)
        above = tuple(element.name for element in self._open)
        inside_removed = any(element.change for element in self._open)
        element = _Element(
            name=name,
            start=at,
            content=tag.end(),
            empty=tag[0].endswith(b"/>"),
            change=None if inside_removed else self._rule(name, above),
            prefixes=prefixes,
        )
        self._open.append(element)
        if not element.change and not inside_removed:
            self._edit_attributes(tag, attributes, (*above, name), prefixes)

    def _edit_attributes(
        self,
        tag: re.Match[bytes],
        values: dict[str, str],
        above: tuple[Name, ...],
        prefixes: dict[str, str],
    ) -> None:
        for found in _ATTRIBUTE.finditer(self._packet, tag.start(), tag.end()):
            qualified = found[1].decode(errors="replace")
            if ":" not in qualified or qualified.startswith("xmlns:") or qualified not in values:
                continue
            change = self._rule(_resolved(qualified, prefixes), above)
            if change is None:
                continue
            old = values[qualified]
            new = change(old)
            if new is None:
                self.edits.append((*found.span(), b""))
            elif new != old:
                self.edits.append((*found.span(2), b'"' + _escaped(new) + b'"'))

    def _end(self, _: str) -> None:
        element = self._open.pop()
        if element.change is None:
            return
        if element.empty:
            content_end = end = element.content
        else:
            content_end = self._parser.CurrentByteIndex
            end = self._packet.index(b">", content_end) + 1
        old = self._packet[element.content : content_end].decode(errors="replace")
        new = element.change(old)
        if new is None:
            self.edits.append((element.start, end, b""))
        elif new != old and not element.empty:
            self.edits.append((element.content, content_end, _escaped(new)))


def _resolved(qualified: str, prefixes: dict[str, str]) -> Name:
    prefix, _, local = qualified.rpartition(":")
    return Name(prefixes.get(prefix, ""), local)


def _escaped(text: str) -> bytes:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;").encode()

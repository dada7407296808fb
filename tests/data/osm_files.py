"""Recorded OpenStreetMap elements written as the files that extracts come in: .osm (XML) and .osm.pbf.

The binary format is Protocol Buffers: https://wiki.openstreetmap.org/wiki/PBF_Format. Only the messages that a
small file takes are written, by hand, so that the tests need no writer of it.
"""

import struct
import zlib
from collections.abc import Iterable
from typing import Any
from xml.etree import ElementTree as ET

KINDS = {"node": 0, "way": 1, "relation": 2}
# Coordinates are whole numbers of 100 nanodegrees, the granularity of the format unless it says otherwise.
PER_DEGREE = 10**7


def osm_xml(elements: list[dict[str, Any]]) -> bytes:
    """Write elements as .osm."""
    root = ET.Element("osm", version="0.6", generator="tests")
    for element in elements:
        place = {name: f"{element[name]:.7f}" for name in ("lat", "lon") if name in element}
        item = ET.SubElement(root, element["type"], id=str(element["id"]), version="1", **place)
        for ref in element.get("nodes", []):
            ET.SubElement(item, "nd", ref=str(ref))
        for member in element.get("members", []):
            ET.SubElement(item, "member", {name: str(value) for name, value in member.items()})
        for key, value in element.get("tags", {}).items():
            ET.SubElement(item, "tag", k=key, v=value)
    return ET.tostring(root, encoding="utf-8", xml_declaration=True)


def osm_pbf(elements: list[dict[str, Any]]) -> bytes:
    """Write elements as .osm.pbf: a header and one block with a group for each kind."""
    header = b"".join(_bytes(4, name) for name in (b"OsmSchema-V0.6",))
    texts = _Texts()
    groups = b"".join(
        _bytes(2, b"".join(_bytes(field, make(element, texts)) for element in chosen))
        for kind, field, make in (
            ("node", 1, _node),
            ("way", 3, _way),
            ("relation", 4, _relation),
        )
        if (chosen := [element for element in elements if element["type"] == kind])
    )
    block = _bytes(1, b"".join(_bytes(1, text) for text in texts.held)) + groups
    return _blob(b"OSMHeader", header) + _blob(b"OSMData", block)


class _Texts:
    """The table of strings that elements refer to; number 0 stays empty."""

    def __init__(self) -> None:
        self.held: dict[bytes, int] = {b"": 0}

    def number(self, text: str) -> int:
        return self.held.setdefault(text.encode(), len(self.held))


def _node(element: dict[str, Any], texts: _Texts) -> bytes:
    place = [round(element[name] * PER_DEGREE) for name in ("lat", "lon")]
    return b"".join(
        [
            _number(1, _zigzag(element["id"])),
            *_tags(element, texts),
            _number(8, _zigzag(place[0])),
            _number(9, _zigzag(place[1])),
        ]
    )


def _way(element: dict[str, Any], texts: _Texts) -> bytes:
    refs = _packed(8, map(_zigzag, _steps(element["nodes"])))
    return b"".join([_number(1, element["id"]), *_tags(element, texts), refs])


def _relation(element: dict[str, Any], texts: _Texts) -> bytes:
    members = element["members"]
    return b"".join(
        [
            _number(1, element["id"]),
            *_tags(element, texts),
            _packed(8, (texts.number(member["role"]) for member in members)),
            _packed(9, map(_zigzag, _steps([member["ref"] for member in members]))),
            _packed(10, (KINDS[member["type"]] for member in members)),
        ]
    )


def _tags(element: dict[str, Any], texts: _Texts) -> list[bytes]:
    if not (tags := element.get("tags")):
        return []
    return [_packed(2, map(texts.number, tags)), _packed(3, map(texts.number, tags.values()))]


def _steps(numbers: list[int]) -> list[int]:
    return [now - before for before, now in zip([0, *numbers], numbers, strict=False)]


def _blob(kind: bytes, content: bytes) -> bytes:
    blob = _number(2, len(content)) + _bytes(3, zlib.compress(content))
    header = _bytes(1, kind) + _number(3, len(blob))
    return struct.pack(">I", len(header)) + header + blob


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _zigzag(number: int) -> int:
    return number << 1 if number >= 0 else (-number << 1) - 1


def _number(field: int, number: int) -> bytes:
    return _varint(field << 3) + _varint(number)


def _bytes(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _packed(field: int, numbers: Iterable[int]) -> bytes:
    return _bytes(field, b"".join(map(_varint, numbers)))

"""KML as a stream of elements: what a document of features consists of, in the order that OGC KML 2.2 asks for."""

import html
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import TextIO
from xml.sax.saxutils import escape, quoteattr

import numpy as np
import shapely

KML, ATOM = "http://www.opengis.net/kml/2.2", "http://www.w3.org/2005/Atom"
DECIMALS = 7
# Parsers read a bare return as the end of a line.
RETURN = {"\r": "&#13;"}
# Balloons show the description, whose values are escaped, and nothing by name: a reader puts `$[name]` in as it is.
BALLOON = "$[description]"


class Kml:
    """Writes elements one after the other; nothing is kept.

    Parameters
    ----------
    stream
        Takes text; buffered, as every element is a write.
    """

    def __init__(self, stream: TextIO) -> None:
        self._write = stream.write

    @contextmanager
    def document(self) -> Generator[None]:
        """Open and close the file and its Document."""
        self._write('<?xml version="1.0" encoding="UTF-8"?>\n')
        with self.element("kml", {"xmlns": KML, "xmlns:atom": ATOM}), self.element("Document"):
            yield

    @contextmanager
    def element(self, name: str, attributes: Mapping[str, str] | None = None) -> Generator[None]:
        """Open and close an element on lines of its own."""
        self._write(f"<{name}{_attributes(attributes)}>\n")
        yield
        self._write(f"</{name}>\n")

    def leaf(self, name: str, text: object, attributes: Mapping[str, str] | None = None) -> None:
        """Write an element that holds text."""
        self._write(f"<{name}{_attributes(attributes)}>{escape(str(text), RETURN)}</{name}>\n")

    def look_at(self, bounds: np.ndarray) -> None:
        """Write from where all of a box is seen: west, south, east, north in degrees."""
        west, south, east, north = (float(edge) for edge in bounds)
        across_m = max((east - west) * np.cos(np.deg2rad((south + north) / 2)), north - south)
        with self.element("LookAt"):
            self.leaf("longitude", round((west + east) / 2, DECIMALS))
            self.leaf("latitude", round((south + north) / 2, DECIMALS))
            self.leaf("heading", 0)
            self.leaf("tilt", 0)
            # A viewer sees about as far across as it is high.
            self.leaf("range", round(max(across_m * 111_320 * 1.2, 1_000)))

    def style(self, name: str, fill: str, outline: str) -> None:
        """Write a style of areas, lines and points; colours as KML has them, aabbggrr."""
        with self.element("Style", {"id": name}):
            with self.element("IconStyle"):
                self.leaf("color", outline)
                self.leaf("scale", 0.8)
            with self.element("LineStyle"):
                self.leaf("color", outline)
                self.leaf("width", 1)
            with self.element("PolyStyle"):
                self.leaf("color", fill)
            with self.element("BalloonStyle"):
                self.leaf("text", BALLOON)

    def legend(self, name: str, href: str) -> None:
        """Write a picture that stays at the lower left of the window, in its own size."""
        with self.element("ScreenOverlay"):
            self.leaf("name", name)
            with self.element("Icon"):
                self.leaf("href", href)
            places = {"overlayXY": ("0", "0"), "screenXY": ("0.01", "0.07"), "size": ("0", "0")}
            for what, (x, y) in places.items():
                units = {"xunits": "fraction", "yunits": "fraction"}
                self.leaf(what, "", {"x": x, "y": y} | units)

    def geometry(self, shape: shapely.Geometry | None) -> None:
        """Write a geometry in lon/lat, outer rings counter-clockwise as KML asks; nothing for None."""
        if shape is None:
            return
        parts = shapely.get_parts(shape)
        if shape.geom_type.startswith("Multi") or shape.geom_type == "GeometryCollection":
            with self.element("MultiGeometry"):
                for part in parts:
                    self.geometry(part)
        elif shape.geom_type == "Polygon":
            turned = shapely.orient_polygons(shape)
            with self.element("Polygon"):
                self._ring("outerBoundaryIs", shapely.get_exterior_ring(turned))
                for number in range(shapely.get_num_interior_rings(turned)):
                    self._ring("innerBoundaryIs", shapely.get_interior_ring(turned, number))
        else:
            name = "Point" if shape.geom_type == "Point" else "LineString"
            with self.element(name):
                self.leaf("coordinates", _coordinates(shape))

    def _ring(self, where: str, ring: shapely.Geometry) -> None:
        with self.element(where), self.element("LinearRing"):
            self.leaf("coordinates", _coordinates(ring))


def colour(hexadecimal: str, opacity: int) -> str:
    """Turn #rrggbb into KML's aabbggrr, opacity 0 to 255."""
    red, green, blue = (hexadecimal[k : k + 2] for k in (1, 3, 5))
    return f"{opacity:02x}{blue}{green}{red}"


def shown(text: str) -> str:
    """Give text as HTML that shows it, and that no viewer takes for one of its `$[name]`."""
    return html.escape(text).replace("$[", "&#36;[")


def _attributes(attributes: Mapping[str, str] | None) -> str:
    return "".join(f" {key}={quoteattr(value)}" for key, value in (attributes or {}).items())


def _coordinates(shape: shapely.Geometry) -> str:
    rounded = np.round(shapely.get_coordinates(shape), DECIMALS).tolist()
    return " ".join(f"{x!r},{y!r}" for x, y in rounded)

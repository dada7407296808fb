"""A layer of an ArcGIS service: ids, counts and pages of features, as GeoJSON or in Esri's own form.

The forms are those of the ArcGIS REST API (Query of a feature layer). A filter (`where`) is not
evaluated beyond its bounds of object ids: the layer holds what is asked for.
"""

import re
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from tests.upstream.server import Answer, Request, Response, reply

LON_LAT = 4326
ESRI_TYPES = {
    "Point": "esriGeometryPoint",
    "MultiPoint": "esriGeometryMultipoint",
    "LineString": "esriGeometryPolyline",
    "MultiLineString": "esriGeometryPolyline",
    "Polygon": "esriGeometryPolygon",
    "MultiPolygon": "esriGeometryPolygon",
}


class ArcgisLayer:
    """A layer that answers at most `limit` features at once.

    Parameters
    ----------
    ids
        Object ids of its features.
    limit
        What it states as maxRecordCount, and keeps to.
    wkid
        Answers stand in this system whatever `outSR` asks; None follows `outSR`. (Esri JSON alone:
        GeoJSON is always in degrees.)
    about
        More of what the layer says of itself, such as `supportedQueryFormats` or `editingInfo`.
    """

    def __init__(
        self, ids: list[int], *, limit: int = 3, wkid: int | None = None, **about: Any
    ) -> None:
        self.ids = ids
        self.limit = limit
        self.wkid = wkid
        self.about = {"maxRecordCount": limit, "supportedQueryFormats": "JSON, geoJSON"} | about
        self.count: int | None = None
        self.drop: set[int] = set()
        self.field = "OID"
        self.properties: dict[int, dict[str, Any]] = {n: {"NAME": f"line {n}"} for n in ids}
        self.names = ["NAME"]
        self.shapes: dict[int, BaseGeometry | None] = {
            n: shapely.Point(-100 + n / 100, 40) for n in ids
        }

    @classmethod
    def of(cls, frame: gpd.GeoDataFrame, *, limit: int = 1000, **options: Any) -> "ArcgisLayer":
        """Make a layer of the rows of a frame in any system, numbered from 1."""
        ids = list(range(1, len(frame) + 1))
        layer = cls([], limit=limit, **options)
        layer.ids = ids
        degrees = frame.to_crs(LON_LAT) if frame.crs else frame
        layer.shapes = dict(zip(ids, degrees.geometry, strict=True))
        table = frame.drop(columns=frame.geometry.name)
        layer.names = list(table.columns)
        records = table.to_dict("records")
        layer.properties = {
            number: {name: _plain(value) for name, value in record.items()}
            for number, record in zip(ids, records, strict=True)
        }
        return layer

    def edited(self, milliseconds: int) -> None:
        """Say when the layer was edited last."""
        self.about["editingInfo"] = {"lastEditDate": milliseconds}

    def routes(self, path: str) -> dict[str, Answer]:
        return {path: lambda _: reply(self.said()), f"{path}/query": self.query}

    def said(self) -> dict[str, Any]:
        """Return what the layer says of itself."""
        fields = [{"name": self.field, "type": "esriFieldTypeOID"}]
        fields += [{"name": name, "type": self._type_of(name)} for name in self.names]
        return {"fields": fields, "geometryType": self._geometry_type()} | self.about

    def query(self, request: Request) -> Response:
        query = request.query
        if "returnIdsOnly" in query:
            return reply({"objectIdFieldName": self.field, "objectIds": self.ids[::-1]})
        if "returnCountOnly" in query:
            return reply({"count": len(self.ids) if self.count is None else self.count})
        wanted = self._wanted(query)
        given = [number for number in wanted[: self.limit] if number not in self.drop]
        is_cut = len(wanted) > self.limit
        if query.get("f") == "geojson":
            return reply(self._geojson(given, is_cut=is_cut))
        return reply(self._esri(given, int(query.get("outSR", LON_LAT)), is_cut=is_cut))

    def _wanted(self, query: dict[str, str]) -> list[int]:
        if "objectIds" in query:
            asked = {int(word) for word in query["objectIds"].split(",")}
            return [number for number in self.ids if number in asked]
        where = query.get("where", "")
        low = re.findall(rf"{self.field} >= (-?\d+)", where)
        high = re.findall(rf"{self.field} <= (-?\d+)", where)
        first = int(low[-1]) if low else min(self.ids, default=0)
        last = int(high[-1]) if high else max(self.ids, default=0)
        return [number for number in self.ids if first <= number <= last]

    def _geojson(self, ids: list[int], *, is_cut: bool) -> dict[str, Any]:
        answer: dict[str, Any] = {
            "type": "FeatureCollection",
            "features": [
                {
                    "type": "Feature",
                    "id": number,
                    "geometry": shapely.geometry.mapping(shape) if shape else None,
                    "properties": {self.field: number} | self.properties[number],
                }
                for number in ids
                for shape in [self.shapes[number]]
            ],
        }
        if is_cut:
            answer["properties"] = {"exceededTransferLimit": True}
        return answer

    def _esri(self, ids: list[int], asked: int, *, is_cut: bool) -> dict[str, Any]:
        wkid = self.wkid or asked
        shapes = gpd.GeoSeries([self.shapes[number] for number in ids], crs=LON_LAT)
        if wkid != LON_LAT and len(shapes):
            shapes = shapes.to_crs(wkid)
        answer = {
            "objectIdFieldName": self.field,
            "geometryType": self._geometry_type(),
            "spatialReference": {"wkid": wkid, "latestWkid": wkid},
            "fields": self.said()["fields"],
            "features": [
                {
                    "attributes": {self.field: number} | self.properties[number],
                    "geometry": esri_geometry(shape),
                }
                for number, shape in zip(ids, shapes, strict=True)
            ],
        }
        return answer | ({"exceededTransferLimit": True} if is_cut else {})

    def _geometry_type(self) -> str:
        known = (shape.geom_type for shape in self.shapes.values() if shape is not None)
        return ESRI_TYPES.get(next(known, "Point"), "esriGeometryPoint")

    def _type_of(self, name: str) -> str:
        values = [row.get(name) for row in self.properties.values()]
        known = [value for value in values if value is not None]
        if known and all(isinstance(value, int) for value in known):
            return "esriFieldTypeInteger"
        is_number = known and all(isinstance(value, int | float) for value in known)
        return "esriFieldTypeDouble" if is_number else "esriFieldTypeString"


def esri_geometry(shape: BaseGeometry | None) -> dict[str, Any] | None:
    """Write a geometry as Esri JSON: outer rings clockwise, holes the other way."""
    if shape is None or shape.is_empty:
        return None
    parts = list(getattr(shape, "geoms", [shape]))
    if isinstance(shape, shapely.Point):
        return {"x": shape.x, "y": shape.y}
    if isinstance(parts[0], shapely.Point):
        return {"points": [[part.x, part.y] for part in parts]}
    if isinstance(parts[0], shapely.LineString):
        return {"paths": [shapely.get_coordinates(part).tolist() for part in parts]}
    rings = []
    for part in parts:
        turned = shapely.geometry.polygon.orient(part, sign=-1.0)
        rings += [shapely.get_coordinates(turned.exterior).tolist()]
        rings += [shapely.get_coordinates(hole).tolist() for hole in turned.interiors]
    return {"rings": rings}


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    return None if value is None or (np.isscalar(value) and pd.isna(value)) else value

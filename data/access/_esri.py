"""Features of an ArcGIS answer, as GeoJSON in longitude and latitude, whatever form and system it has."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import shapely

from data.errors import GridsteadError, PullError

CRS84 = "OGC:CRS84"
# How GeoJSON of before 2016, and servers that speak it, name longitude and latitude.
_LON_LAT = ("CRS84", "EPSG:4326", "EPSG::4326")

Feature = dict[str, Any]


def from_geojson(url: str, answer: dict[str, Any]) -> list[Feature]:
    """Return the features of a GeoJSON answer.

    Raises
    ------
    PullError
        It stands in a system that is not understood, or coordinates are no degrees.
    """
    features = answer["features"]
    stated = ((answer.get("crs") or {}).get("properties") or {}).get("name")
    if stated and not str(stated).endswith(_LON_LAT):
        shapes = [feature.get("geometry") for feature in features]
        wkb = [shapely.to_wkb(shapely.geometry.shape(s)) if s else None for s in shapes]
        turned = _degrees(url, wkb, stated)
        return [feature | {"geometry": g} for feature, g in zip(features, turned, strict=True)]
    for feature in features:
        x, y = _first_point((feature.get("geometry") or {}).get("coordinates"))
        if abs(x) > 360 or abs(y) > 90:
            message = f"{url} gives coordinates that are no degrees ({x:g}, {y:g})."
            raise PullError(message, "The server does not say in which system: use another layer.")
    return features


def from_esri(url: str, answer: dict[str, Any], field: str) -> list[Feature]:
    """Return the features of an answer in Esri's own JSON, through GDAL.

    Attributes stay as they are (dates in milliseconds, as in GeoJSON answers); geometry comes in the
    system that the answer states, whatever was asked for.

    Raises
    ------
    PullError
        The geometry cannot be read, or the answer does not say in which system it stands.
    """
    features = answer["features"]
    rows = [feature.get("attributes") or {} for feature in features]
    if any(feature.get("geometry") for feature in features):
        shapes = _degrees(url, *_read_esri(url, answer))
    else:
        shapes = [None] * len(features)
    return [
        {"type": "Feature", "id": row.get(field), "properties": row, "geometry": shape}
        for row, shape in zip(rows, shapes, strict=True)
    ]


def _read_esri(url: str, answer: dict[str, Any]) -> tuple[Sequence[bytes | None], str]:
    from pyogrio.errors import DataSourceError
    from pyogrio.raw import read

    # Without attributes: their types are not GDAL's to guess.
    bare = {
        "geometryType": answer.get("geometryType"),
        "spatialReference": answer.get("spatialReference"),
        "fields": [{"name": "row", "type": "esriFieldTypeInteger"}],
        "features": [
            {"attributes": {"row": row}, "geometry": feature.get("geometry")}
            for row, feature in enumerate(answer["features"])
        ],
    }
    try:
        meta, _, wkb, _ = read(json.dumps(bare).encode(), columns=["row"])
    except (DataSourceError, ValueError) as error:
        message = (
            f"{url} gives geometry that cannot be read: {str(error).splitlines()[0].rstrip('.')}."
        )
        raise PullError(message, "Use another layer or a file of the same data.") from error
    if meta["crs"] is None:
        message = f"{url} does not say in which system its coordinates stand."
        raise PullError(message, "Use another layer or a file of the same data.")
    if len(wkb) != len(bare["features"]):
        message = f"{url} gives {len(bare['features'])} features of which {len(wkb)} can be read."
        raise PullError(message, "Use another layer or a file of the same data.")
    return list(wkb), meta["crs"]


def _degrees(url: str, wkb: Sequence[bytes | None], crs: Any) -> list[dict[str, Any] | None]:
    """Bring WKB to longitude and latitude, as GeoJSON geometries."""
    # Readers bring files to degrees in the same way; few layers need it here.
    from data.readers._geometry import to_crs84

    try:
        turned = to_crs84(pa.array(wkb, pa.binary()), crs, url)
    except GridsteadError as error:
        raise PullError(error.message, "Use another layer or a file of the same data.") from error
    shapes = shapely.from_wkb(np.asarray(turned.to_pylist(), dtype=object))
    return [None if shape is None else shapely.geometry.mapping(shape) for shape in shapes]


def _first_point(coordinates: Any) -> tuple[float, float]:
    """Take the first point out of the coordinates of a geometry; (0, 0) where there is none."""
    while isinstance(coordinates, list | tuple) and coordinates:
        if isinstance(coordinates[0], int | float):
            return float(coordinates[0]), float(coordinates[1])
        coordinates = coordinates[0]
    return 0.0, 0.0

"""Parcels as the engine takes them: their columns in a frame, their outlines in flat arrays."""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import geopandas as gpd
import numpy as np
import pandas as pd

from geo.errors import GeoError
from geo.polygons import Polygons
from geo.shape import area_and_perimeter, inner_points

# Distances are taken from the edge of assessors' parcels, and from the point of generated cells.
EDGE_KIND = "assessor"


@dataclass(frozen=True, eq=False)
class Parcels:
    """Parcels to be measured.

    Attributes
    ----------
    frame
        One row a parcel: `parcel_id`, `parcel_kind` (assessor or h3_cell), `lon`, `lat` (its point,
        degrees), `county_id`, `state_id`, `area_acres`, `acres` (the assessor's), `lake_share`; its
        index is the index of what is measured.
    polygons
        The outlines, in the same order.
    """

    frame: pd.DataFrame
    polygons: Polygons

    def __post_init__(self) -> None:
        """Hold columns and outlines against each other."""
        if len(self.frame) != len(self.polygons):
            msg = f"{len(self.frame)} rows of parcels have {len(self.polygons)} outlines; pass one a row."
            raise GeoError(msg)

    @classmethod
    def of(cls, frame: pd.DataFrame, polygons: Polygons) -> Self:
        """Take columns and outlines, and work out the columns that are missing.

        Without `parcel_kind` they are assessors' parcels; the id is the index's label, the point one
        inside, the area that of the outline; county, state, assessor's acres and lakes are unknown.
        """
        frame = frame.copy(deep=False)
        if "parcel_id" not in frame:
            frame["parcel_id"] = frame.index.astype(str)
        if "parcel_kind" not in frame:
            frame["parcel_kind"] = EDGE_KIND
        if "lon" not in frame or "lat" not in frame:
            frame["lon"], frame["lat"] = inner_points(polygons)
        if "area_acres" not in frame:
            frame["area_acres"] = area_and_perimeter(polygons)[0]
        for name in ("county_id", "state_id"):
            if name not in frame:
                frame[name] = None
        for name in ("acres", "lake_share"):
            if name not in frame:
                frame[name] = np.nan
        return cls(frame, polygons)

    @classmethod
    def from_geodataframe(cls, parcels: gpd.GeoDataFrame) -> Self:
        """Take a GeoDataFrame apart; columns that are missing are worked out as in `of`.

        Raises
        ------
        CrsError
            For a CRS that is neither EPSG:4326 nor OGC:CRS84.
        GeometryError
            For a geometry that is missing, empty or no polygon, and coordinates that are no degrees.
        """
        polygons = Polygons.from_shapes(parcels.geometry)
        return cls.of(pd.DataFrame(parcels.drop(columns=parcels.geometry.name)), polygons)

    def __len__(self) -> int:
        """Count the parcels."""
        return len(self.frame)

    @property
    def index(self) -> pd.Index:
        """Labels of the parcels."""
        return self.frame.index

    @cached_property
    def lon(self) -> np.ndarray:
        """Longitudes of the points, degrees, shape (n,)."""
        return np.ascontiguousarray(self.frame["lon"].to_numpy(dtype=np.float64))

    @cached_property
    def lat(self) -> np.ndarray:
        """Latitudes of the points, degrees, shape (n,)."""
        return np.ascontiguousarray(self.frame["lat"].to_numpy(dtype=np.float64))

    @cached_property
    def county(self) -> tuple[np.ndarray, pd.Index]:
        """Counties: codes, shape (n,), -1 unknown, and the names that they count."""
        code, names = pd.factorize(self.frame["county_id"])
        return code, pd.Index(names)

    @cached_property
    def state(self) -> tuple[np.ndarray, pd.Index]:
        """States, as `county`."""
        code, names = pd.factorize(self.frame["state_id"])
        return code, pd.Index(names)

    @cached_property
    def is_edge(self) -> np.ndarray:
        """Whether distances are taken from the edge, shape (n,)."""
        return (self.frame["parcel_kind"] == EDGE_KIND).to_numpy(dtype=bool)

    @cached_property
    def edges(self) -> Polygons:
        """Outlines of the parcels that are measured from their edge."""
        return self.polygons if self.is_edge.all() else self.polygons.take(self.is_edge)

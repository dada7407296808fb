"""Measure parcels: every metric of every parcel, from canonical layers given as frames."""

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from geo._data_center import DataCenterMetrics
from geo._feeds import FeedMetrics, SharedMegawatts
from geo._fiber import FiberMetrics
from geo._grid import GridMetrics
from geo._land import LandMetrics
from geo._latency import LatencyMetrics
from geo._local import LocalMetrics
from geo._people import PeopleMetrics
from geo._raster import Raster
from geo.exclusion import ExclusionIndex
from geo.fiber.latency import FiberIndex
from geo.layers import Layers
from geo.parcels import Parcels
from geo.people import PeopleSource
from geo.tie_line import TieLineCosts


@dataclass(frozen=True, eq=False)
class Engine:
    """Layers with their search indexes: prepared once, used for any number of chunks of parcels."""

    groups: tuple[
        LandMetrics
        | GridMetrics
        | FeedMetrics
        | PeopleMetrics
        | FiberMetrics
        | LatencyMetrics
        | LocalMetrics
        | DataCenterMetrics,
        ...,
    ]


def prepare(
    layers: Layers,
    substation_headroom: pd.DataFrame,
    tie_lines: TieLineCosts,
    *,
    shared: SharedMegawatts | None = None,
    exclusions: ExclusionIndex | None = None,
    slope: Raster | None = None,
    slope_crs: Any = None,
    fiber: FiberIndex | None = None,
    people: PeopleSource | None = None,
) -> Engine:
    """Prepare layers for measuring.

    Parameters
    ----------
    layers
        Canonical layers.
    substation_headroom
        Columns `substation_id`, `headroom_mw_low`, `headroom_mw_mid`, `headroom_mw_high`; where known,
        `connect_kv` (else a parcel connects at the highest voltage), `headroom_n0_mw`,
        `flexible_025_mw_mid`, `flexible_100_mw_mid`, `reserve_zone_mw`, `reserve_interconnection_mw`.
    tie_lines
        Unit costs of lines from a substation to a parcel.
    shared
        What substations leave each other, by rows of `substation_headroom`; without it a second feed adds
        all that it has.
    exclusions
        What cannot be built on; without it the metrics of buildable land are unknown.
    slope
        Open raster of slopes in percent, which has to stay open while the engine is used; without it
        the metrics of slope are unknown.
    slope_crs
        Overrides the CRS that the slope raster states.
    fiber
        Fiber nodes with round trips between them; without it the metrics of latency are unknown.
    people
        People that are counted, where they are not those of the layer `people`.

    Raises
    ------
    CrsError
        When the slope raster has no CRS and none is given.
    """
    return Engine(
        (
            LandMetrics.of(layers, exclusions, slope, slope_crs),
            GridMetrics.of(layers),
            FeedMetrics.of(layers.substation, substation_headroom, tie_lines, shared),
            PeopleMetrics.of(layers, people),
            FiberMetrics.of(layers),
            LatencyMetrics.of(fiber, people),
            LocalMetrics.of(layers),
            DataCenterMetrics.of(layers),
        )
    )


def measure(parcels: gpd.GeoDataFrame | Parcels, engine: Engine) -> pd.DataFrame:
    """Measure every parcel.

    Parameters
    ----------
    parcels
        Polygons in lon/lat, with the columns of `geo.divide`, or without: see `Parcels.of`.
        `parcel_kind` decides whether distances are taken from the parcel's edge (assessor) or from
        its point (h3_cell).
    engine
        From `prepare`.

    Returns
    -------
    DataFrame
        One row a parcel on the same index, one column a metric (unit in its name; NaN or NA is
        unknown), beside `zone_id`, `region_metro_id` and `parcel_name`. "Within 100 miles" and
        the people and carriers within a radius are always taken from the parcel's point. A row
        depends on its parcel and the layers alone, to the last bit; so do the columns' types.

    Raises
    ------
    CrsError
        For a CRS that is neither EPSG:4326 nor OGC:CRS84.
    GeometryError
        For a geometry that is missing, empty or no polygon, and coordinates that are no degrees;
        `geo.mend` finds and mends them before.
    """
    held = parcels if isinstance(parcels, Parcels) else Parcels.from_geodataframe(parcels)
    out = {
        "parcel_id": held.frame["parcel_id"],
        "distance_basis": np.where(held.is_edge, "edge", "centroid"),
    }
    for group in engine.groups:
        out.update(group.measure(held))
    frame = pd.DataFrame(out, index=held.index)
    text = [name for name, kind in frame.dtypes.items() if pd.api.types.is_object_dtype(kind)]
    return frame.astype(dict.fromkeys(text, "string"))

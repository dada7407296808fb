"""Metrics of the land itself: acres, shape, slope, lakes, parks, what is excluded and developable."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np

from geo._raster import Raster, raster_crs
from geo.contiguous import buildable
from geo.exclusion import ExclusionIndex, excluded_share
from geo.layers import Layers
from geo.parcels import Parcels
from geo.sample import ShareGrid
from geo.shape import shape_measures
from geo.zonal import zonal

# Slopes of data-center ground are usually at most this; its cost breaks at 2 % and 8 % (NREL, reVX).
GENTLE_SLOPE_PCT = 5.0
# A parcel with less than this share of its area on known cells has no slope: no figure is made of a corner.
LEAST_KNOWN_SHARE = 0.5


@dataclass(frozen=True, eq=False)
class LandMetrics:
    """Layers of the land, ready to be measured against."""

    layers: Layers
    exclusions: ExclusionIndex | None
    slope: Raster | None
    slope_crs: Any

    @classmethod
    def of(
        cls,
        layers: Layers,
        exclusions: ExclusionIndex | None,
        slope: Raster | None = None,
        slope_crs: Any = None,
    ) -> Self:
        """Take the layers and the open slope raster; each layer is prepared when a parcel needs it."""
        if slope is not None:
            raster_crs(slope, slope_crs)
        return cls(layers, exclusions, slope, slope_crs)

    @cached_property
    def developable(self) -> ShareGrid | None:
        """Cells with developable land."""
        grid = self.layers.developable
        if grid.empty:
            return None
        return ShareGrid.of(
            grid["lon"].to_numpy(),
            grid["lat"].to_numpy(),
            grid["developable_share"].to_numpy(),
            grid["cell_km"].to_numpy() / np.sqrt(2),
        )

    @cached_property
    def covered_states(self) -> set[str]:
        """States that the cells with developable land cover."""
        return set(self.layers.developable["state_id"])

    @cached_property
    def park(self) -> ExclusionIndex | None:
        """Parks, merged."""
        return None if self.layers.park.empty else ExclusionIndex.build(self.layers.park.geometry)

    @cached_property
    def lake(self) -> ExclusionIndex | None:
        """Lakes, merged."""
        return None if self.layers.lake.empty else ExclusionIndex.build(self.layers.lake.geometry)

    def measure(self, parcels: Parcels) -> dict[str, Any]:
        """Acres, shape, slope, and shares under lakes, in parks, excluded and developable."""
        frame, shape = parcels.frame, shape_measures(parcels.polygons)
        is_edge = parcels.is_edge
        developable = self._developable(parcels)
        area = frame["area_acres"].to_numpy(float)
        assessed = frame["acres"].to_numpy(float)
        lake = frame["lake_share"].to_numpy(float).copy()
        # Lakes are cut out of cells before, and their share of the whole cell is known from then.
        if self.lake is not None and is_edge.any():
            lake[is_edge] = excluded_share(self.lake, parcels.edges)
        out = {
            "area_acres": area,
            "lake_share": lake,
            "park_share": np.nan
            if self.park is None
            else excluded_share(self.park, parcels.polygons),
            "developable_share": developable,
            "acres": np.where(
                is_edge, np.where(np.isnan(assessed), area, assessed), area * developable
            ),
            "compactness": shape.compactness,
            "minimum_width_m": shape.minimum_width_m,
            "inscribed_diameter_m": shape.inscribed_diameter_m,
            "excluded_share": np.nan,
            "buildable_acres": np.nan,
            "contiguous_acres": np.nan,
            **self._slopes(parcels),
        }
        if self.exclusions is not None:
            left = buildable(self.exclusions, parcels.polygons)
            out["excluded_share"] = left.excluded_share
            out["buildable_acres"] = left.buildable_acres
            out["contiguous_acres"] = left.contiguous_acres
        return out

    def _slopes(self, parcels: Parcels) -> dict[str, Any]:
        names = ("slope_mean_pct", "slope_max_pct", "gentle_share")
        if self.slope is None:
            return dict.fromkeys(names, np.nan)
        found = zonal(self.slope, parcels.polygons, below=(GENTLE_SLOPE_PCT,), crs=self.slope_crs)
        is_known = found.known_share >= LEAST_KNOWN_SHARE
        values = (found.mean, found.max, found.below_share[:, 0])
        return {
            name: np.where(is_known, value, np.nan)
            for name, value in zip(names, values, strict=True)
        }

    def _developable(self, parcels: Parcels) -> np.ndarray:
        if self.developable is None:
            return np.full(len(parcels), np.nan)
        lon, lat = _sample_points(parcels)
        covered = parcels.frame["state_id"].isin(self.covered_states).to_numpy()
        return self.developable.mean(lon, lat, covered[:, None])


def _sample_points(parcels: Parcels) -> tuple[np.ndarray, np.ndarray]:
    """Seven points a cell: its own and six halfway to the corners of its box; one for a parcel."""
    is_cell = ~parcels.is_edge
    west, south, east, north = parcels.polygons.bounds.T
    half_lon = np.where(is_cell, (east - west) / 2, 0.0)
    half_lat = np.where(is_cell, (north - south) / 2, 0.0)
    # Centres of the seven hexagons that make up one: at 2/3 of the inradius, 60 degrees apart.
    angle = np.arange(6) * np.pi / 3
    step_lon = np.concatenate([[0.0], np.cos(angle)]) * 2 / 3
    step_lat = np.concatenate([[0.0], np.sin(angle)]) * 2 / 3
    return (
        parcels.lon[:, None] + half_lon[:, None] * step_lon[None, :],
        parcels.lat[:, None] + half_lat[:, None] * step_lat[None, :],
    )

"""Metrics of the grid: nearest substations and lines, generation around."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd

from geo._around import Features, NearestColumns
from geo.layers import Layers
from geo.parcels import Parcels
from geo.radius import RadiusIndex

VOLTAGE_CLASSES_KV = (69, 138, 230, 345)
# 220 kV is the lower end of the public record's class 220-287, which is the 230 kV class.
BULK_LINE_KV = 220.0
GENERATION_RADII_MI = (10.0, 25.0, 50.0)
FUEL_KINDS = ("firm", "variable")
# Plants that close later free nothing in time; those that closed since 2018 are in the layer whatever their year.
RETIRING_RADIUS_MI = 25.0
RETIRING_BY_YEAR = 2035
RETIRED = "retired"
# Radius sums are exact in integers: whole kilowatts, finer than any nameplate.
KW_PER_MW = 1000


@dataclass(frozen=True, eq=False)
class GridMetrics:
    """Substations, lines and plants, ready to be measured against."""

    nearest: tuple[NearestColumns, ...]
    generation: RadiusIndex | None
    retiring: RadiusIndex | None

    @classmethod
    def of(cls, layers: Layers) -> Self:
        """Prepare the searches."""
        nearest = (*_substations(layers.substation), _lines(layers))
        return cls(nearest, _plants(layers), _retiring(layers.retiring_plant))

    def measure(self, parcels: Parcels) -> dict[str, Any]:
        """Nearest substation of each class and line, generation around, and what of it retires."""
        out: dict[str, Any] = {}
        for group in self.nearest:
            out.update(group.measure(parcels))
        out.update(self._generation(parcels))
        out.update(self._retirement(parcels))
        return out

    def _generation(self, parcels: Parcels) -> dict[str, Any]:
        """Firm and variable capacity within each radius of the parcel's point, MW."""
        names = [
            f"{kind}_generation_{int(radius)}mi_mw"
            for radius in GENERATION_RADII_MI
            for kind in FUEL_KINDS
        ]
        if self.generation is None:
            return dict.fromkeys(names, np.nan)
        sums = self.generation.sums(parcels.lon, parcels.lat, GENERATION_RADII_MI)
        return dict(zip(names, sums.reshape(len(parcels), len(names)).T / KW_PER_MW, strict=True))

    def _retirement(self, parcels: Parcels) -> dict[str, Any]:
        """Capacity, as far as it is known, and number of the plants that retire around the point."""
        names = ("retiring_generation_25mi_mw", "retiring_generation_25mi_count")
        if self.retiring is None:
            return dict.fromkeys(names, np.nan)
        sums = self.retiring.sums(parcels.lon, parcels.lat, (RETIRING_RADIUS_MI,))
        kw, count = sums.reshape(len(parcels), len(names)).T
        return dict(zip(names, (kw / KW_PER_MW, count), strict=True))


def _substations(substation: pd.DataFrame) -> list[NearestColumns]:
    """Nearest substation of each voltage class: miles, id and highest kV."""
    lowest = substation["kv_max"].min()
    groups = []
    for kv in VOLTAGE_CLASSES_KV:
        name = f"substation_{kv}kv"
        # A record that starts at 230 kV cannot say where the nearest 69 kV substation is.
        is_known = kv >= BULK_LINE_KV or lowest < BULK_LINE_KV
        able = substation[(substation["kv_max"] >= kv) & is_known]
        taken = {f"{name}_id": "substation_id", f"{name}_kv": "kv_max"}
        groups.append(NearestColumns.of(able, f"{name}_mi", taken))
    return groups


def _lines(layers: Layers) -> NearestColumns:
    """Nearest AC line that is certainly of the 230 kV class or above: miles, id, kV class."""
    is_dc = layers.line["is_dc"].fillna(False).astype(bool)
    line = layers.line[(layers.line["kv_min"] >= BULK_LINE_KV) & ~is_dc]
    taken = {
        "line_230kv_id": "line_id",
        "line_230kv_kv_min": "kv_min",
        "line_230kv_kv_max": "kv_max",
    }
    return NearestColumns.of(line, "line_230kv_mi", taken, make=Features.of_lines)


def _plants(layers: Layers) -> RadiusIndex | None:
    # Of a user's network case units may have no place.
    is_known = layers.plant[["capacity_mw", "fuel_kind", "lon", "lat"]].notna().all(axis=1)
    plant = layers.plant[is_known]
    if plant.empty:
        return None
    kw = np.rint(plant["capacity_mw"].to_numpy(float) * KW_PER_MW).astype(np.int64)
    kinds = np.column_stack([np.where(plant["fuel_kind"] == kind, kw, 0) for kind in FUEL_KINDS])
    return RadiusIndex.of(plant["lon"].to_numpy(), plant["lat"].to_numpy(), kinds)


def _retiring(plant: pd.DataFrame) -> RadiusIndex | None:
    """Plants that retire in time; None where a study knows of no retirement at all."""
    if plant.empty:
        return None
    is_soon = plant["retirement_year"] <= RETIRING_BY_YEAR
    soon = plant[is_soon | (plant["retirement_status"] == RETIRED)]
    kw = np.rint(soon["capacity_mw"].fillna(0.0).to_numpy(float) * KW_PER_MW).astype(np.int64)
    values = np.column_stack([kw, np.ones(len(soon), dtype=np.int64)])
    return RadiusIndex.of(soon["lon"].to_numpy(float), soon["lat"].to_numpy(float), values)

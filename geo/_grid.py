"""Metrics of the grid: nearest substations and lines, headroom, generation around."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd

from geo._around import Features, NearestColumns
from geo.feeding import Feeding
from geo.layers import Layers
from geo.parcels import Parcels
from geo.radius import RadiusIndex

VOLTAGE_CLASSES_KV = (69, 138, 230, 345)
# 220 kV is the lower end of the public record's class 220-287, which is the 230 kV class.
BULK_LINE_KV = 220.0
GENERATION_RADII_MI = (10.0, 25.0, 50.0)
FUEL_KINDS = ("firm", "variable")
# Radius sums are exact in integers: whole kilowatts, finer than any nameplate.
KW_PER_MW = 1000
ENDS = ("low", "mid", "high")


@dataclass(frozen=True, eq=False)
class GridMetrics:
    """Substations, lines and plants, ready to be measured against."""

    nearest: tuple[NearestColumns, ...]
    generation: RadiusIndex | None
    feeding: Feeding | None
    fed_by: Features | None

    @classmethod
    def of(cls, layers: Layers, headroom: pd.DataFrame) -> Self:
        """Prepare the searches; `headroom` gives `headroom_mw_low/mid/high` by `substation_id`."""
        substation = layers.substation.merge(headroom, on="substation_id", validate="one_to_one")
        known = substation[substation["headroom_mw_mid"].notna()].reset_index(drop=True)
        feeding, fed_by = None, None
        if not known.empty:
            columns = ["substation_id", "kv_max", *(f"headroom_mw_{end}" for end in ENDS)]
            fed_by = Features.of_points(known, columns)
            feeding = Feeding.of(
                *(known[name].to_numpy(float) for name in ("lon", "lat", "headroom_mw_mid"))
            )
        return cls(
            (*_substations(layers.substation), _lines(layers)), _plants(layers), feeding, fed_by
        )

    def measure(self, parcels: Parcels) -> dict[str, Any]:
        """Nearest substation of each class and line, generation around, and the feeding substation."""
        out: dict[str, Any] = {}
        for group in self.nearest:
            out.update(group.measure(parcels))
        out.update(self._generation(parcels))
        out.update(self._headroom(parcels))
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

    def _headroom(self, parcels: Parcels) -> dict[str, Any]:
        """Headroom of the feeding substation of each parcel."""
        if self.feeding is None or self.fed_by is None:
            unknown = dict.fromkeys((*(f"headroom_mw_{end}" for end in ENDS),), np.nan)
            missing = pd.Series(None, index=parcels.index, dtype="string")
            return {
                **unknown,
                "headroom_substation_mi": np.nan,
                "headroom_substation_id": missing,
                "headroom_substation_kv": np.nan,
            }
        number, miles = _feeding(self.feeding, parcels)
        fed_by, index = self.fed_by, parcels.index
        return {
            **{
                f"headroom_mw_{end}": fed_by.take(f"headroom_mw_{end}", number, index)
                for end in ENDS
            },
            "headroom_substation_mi": miles,
            "headroom_substation_id": fed_by.take("substation_id", number, index),
            "headroom_substation_kv": fed_by.take("kv_max", number, index),
        }


def _feeding(feeding: Feeding, parcels: Parcels) -> tuple[np.ndarray, np.ndarray]:
    """Choose from the edge of assessors' parcels and from the point of cells."""
    is_edge = parcels.is_edge
    if is_edge.all():
        return feeding.choose(parcels.lon, parcels.lat, parcels.edges)
    number, miles = feeding.choose(parcels.lon, parcels.lat)
    if is_edge.any():
        lon, lat = parcels.lon[is_edge], parcels.lat[is_edge]
        number[is_edge], miles[is_edge] = feeding.choose(lon, lat, parcels.edges)
    return number, miles


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
    plant = layers.plant[layers.plant["capacity_mw"].notna() & layers.plant["fuel_kind"].notna()]
    if plant.empty:
        return None
    kw = np.rint(plant["capacity_mw"].to_numpy(float) * KW_PER_MW).astype(np.int64)
    kinds = np.column_stack([np.where(plant["fuel_kind"] == kind, kw, 0) for kind in FUEL_KINDS])
    return RadiusIndex.of(plant["lon"].to_numpy(), plant["lat"].to_numpy(), kinds)

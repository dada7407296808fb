"""Metrics of people: metros and the population around a parcel."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd

from geo._around import NearestColumns
from geo.layers import Layers
from geo.parcels import Parcels
from geo.people import PeopleSource
from geo.people_units import whole_people

PEOPLE_RADII_MI = (5.0, 25.0, 50.0, 100.0)
METRO_REACH_MI = 100.0
# Land within this distance of a metro's centre is its region where no list of counties is given.
METRO_REGION_MI = 50.0


@dataclass(frozen=True, eq=False)
class PeopleMetrics:
    """Metros and people, ready to be measured against."""

    metros: tuple[NearestColumns, NearestColumns]
    metro_of_county: pd.Series | None
    people: PeopleSource | None

    @classmethod
    def of(cls, layers: Layers, people: PeopleSource | None = None) -> Self:
        """Prepare the searches; people are those of the layer unless a source of them is given."""
        is_major = layers.metro["is_major"].astype(bool)
        metros = tuple(
            NearestColumns.of(
                metro,
                f"{prefix}_mi",
                {f"{prefix}_{what}": f"metro_{what}" for what in ("id", "name", "people")},
                is_from_point=True,
            )
            for prefix, metro in (("metro", layers.metro), ("major_metro", layers.metro[is_major]))
        )
        counties = layers.metro_county
        of_county = None if counties.empty else counties.set_index("county_id")["metro_id"]
        if people is None and not layers.people.empty:
            people = PeopleSource.of_points(
                *(layers.people[name].to_numpy(float) for name in ("lon", "lat", "people"))
            )
        return cls((metros[0], metros[1]), of_county, people)

    def measure(self, parcels: Parcels) -> dict[str, Any]:
        """Metros by name and distance, and people within each radius, all from the parcel's point."""
        out: dict[str, Any] = {}
        for metro in self.metros:
            out.update(metro.measure(parcels))
        near = pd.Series(
            out["major_metro_mi"] <= METRO_REACH_MI, index=parcels.index, dtype="boolean"
        )
        out["is_within_100mi_of_major_metro"] = near.where(~np.isnan(out["major_metro_mi"]))
        out["region_metro_id"] = self._region(parcels, out)
        out.update(self._people(parcels))
        return out

    def _region(self, parcels: Parcels, found: dict[str, Any]) -> pd.Series:
        if self.metro_of_county is not None:
            return parcels.frame["county_id"].map(self.metro_of_county)
        near = pd.Series(found["metro_mi"] <= METRO_REGION_MI, index=parcels.index)
        return found["metro_id"].where(near)

    def _people(self, parcels: Parcels) -> dict[str, Any]:
        names = [f"population_{int(radius)}mi" for radius in PEOPLE_RADII_MI]
        if self.people is None:
            return dict.fromkeys(names, pd.Series(pd.NA, index=parcels.index, dtype="Int64"))
        milli, is_known = self.people.within(parcels.lon, parcels.lat, PEOPLE_RADII_MI)
        return {
            name: pd.Series(column, index=parcels.index, dtype="Int64").where(known)
            for name, column, known in zip(names, whole_people(milli).T, is_known.T, strict=True)
        }

"""What is known of the place a parcel lies in: figures by state, county or cell, zone and name."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd

from geo._around import Features
from geo.geodesy import KM_PER_MILE
from geo.layers import Layers
from geo.parcels import Parcels

WINDS = np.array(["N", "NE", "E", "SE", "S", "SW", "W", "NW"], dtype=object)
DEGREE_DAYS = ("heating_degree_days_65f", "cooling_degree_days_65f")


@dataclass(frozen=True, eq=False)
class LocalMetrics:
    """Figures of states, counties and cells, zones and places, ready to be looked up."""

    of_county: dict[str, pd.Series]
    of_state: dict[str, pd.Series]
    climate: Features | None
    land_value: Features | None
    land_value_mi: float
    zones: Features | None
    zones_of_state: dict[str, Features]
    places: Features | None

    @classmethod
    def of(cls, layers: Layers) -> Self:
        """Prepare the tables and searches."""
        state = layers.state.set_index("state_id")
        county = layers.county_fact.set_index("county_id")
        people = county["population_people"].where(county["population_people"] > 0)
        of_county = {
            "industrial_usd_per_mwh": county["industrial_usd_per_mwh"],
            "generation_queue_mw": county["generation_queue_mw"],
            "hazard_usd_per_person": county["hazard_usd"] / people,
            "fiber_coverage_share": county["fiber_coverage_share"],
        }
        names = ("industrial_usd_per_mwh", "generation_queue_mw", *DEGREE_DAYS)
        value = layers.land_value
        return cls(
            of_county,
            {name: state[name] for name in names},
            _points(layers.climate_point, DEGREE_DAYS),
            _points(value, ["land_value_usd_per_acre"]),
            0.0 if value.empty else float(value["cell_km"].max()) / np.sqrt(2) / KM_PER_MILE,
            _points(layers.zone_point, ["zone_id", "state_id"]),
            {
                str(state_id): Features.of_points(points, ["zone_id"])
                for state_id, points in layers.zone_point.groupby("state_id")
            },
            _points(layers.place, ["place_name", "state_id", "lon", "lat"]),
        )

    def measure(self, parcels: Parcels) -> dict[str, Any]:
        """Averages of the finest area that is known, the grid zone, and a name in words."""
        return {
            **self._averages(parcels),
            "zone_id": self._zone(parcels),
            "parcel_name": self._name(parcels),
        }

    def _averages(self, parcels: Parcels) -> dict[str, Any]:
        out: dict[str, Any] = {
            name: _looked_up(parcels.county, values) for name, values in self.of_county.items()
        }
        for name in ("industrial_usd_per_mwh", "generation_queue_mw"):
            # A state's average price stands in for a county's; a state's sum is no county's.
            is_sum = name.endswith("_mw") and self.of_county[name].notna().any()
            if not is_sum:
                of_state = _looked_up(parcels.state, self.of_state[name])
                out[name] = np.where(np.isnan(out[name]), of_state, out[name])
        number = None if self.climate is None else self.climate.nearest(parcels)[0]
        for name in DEGREE_DAYS:
            if self.climate is None or number is None:
                out[name] = _looked_up(parcels.state, self.of_state[name])
            else:
                out[name] = self.climate.take(name, number, parcels.index).astype(float)
        out["land_value_usd_per_acre"] = self._land_value(parcels)
        return out

    def _land_value(self, parcels: Parcels) -> Any:
        if self.land_value is None:
            return np.nan
        number, _ = self.land_value.nearest_to_point(parcels, max_mi=self.land_value_mi)
        return self.land_value.take("land_value_usd_per_acre", number, parcels.index).astype(float)

    def _zone(self, parcels: Parcels) -> pd.Series:
        """Zone of the nearest grid point of the parcel's state, or of any where its state has none."""
        if self.zones is None:
            return pd.Series(None, index=parcels.index, dtype="string")
        number, _ = self.zones.nearest_to_point(parcels)
        zone = self.zones.columns["zone_id"].to_numpy(dtype=object)[number]
        own = self.zones.columns["state_id"].to_numpy(dtype=object)[number]
        code, names = parcels.state
        # Most nearest points are of the parcel's own state already.
        foreign = np.flatnonzero(own != np.array([*names, None], dtype=object)[code])
        for state_code in np.unique(code[foreign]):
            features = self.zones_of_state.get(str(names[state_code])) if state_code >= 0 else None
            if features is not None:
                here = foreign[code[foreign] == state_code]
                number, _ = features.nearest_at(parcels.lon[here], parcels.lat[here])
                zone[here] = features.columns["zone_id"].to_numpy(dtype=object)[number]
        return pd.Series(zone, index=parcels.index, dtype="string")

    def _name(self, parcels: Parcels) -> pd.Series:
        if self.places is None:
            return pd.Series(None, index=parcels.index, dtype="string")
        number, miles = self.places.nearest_to_point(parcels)
        place = self.places.columns
        full = (place["place_name"] + ", " + place["state_id"]).to_numpy(dtype=object)[number]
        lon, lat = (place[name].to_numpy(float)[number] for name in ("lon", "lat"))
        east = (parcels.lon - lon) * np.cos(np.radians(parcels.lat))
        wind = np.round(np.degrees(np.arctan2(east, parcels.lat - lat)) / 45).astype(int) % 8
        text = [
            name if mile < 1 else f"{mile:.0f} mi {wind} of {name}"
            for name, mile, wind in zip(full, miles, WINDS[wind], strict=True)
        ]
        return pd.Series(text, index=parcels.index, dtype="string")


def _points(frame: pd.DataFrame, columns: Any) -> Features | None:
    return None if frame.empty else Features.of_points(frame, columns)


def _looked_up(area: tuple[np.ndarray, pd.Index], values: pd.Series) -> np.ndarray:
    """Values by the codes and names of areas; NaN where the area, or its value, is unknown."""
    code, names = area
    known = values.reindex(names).to_numpy(dtype=float, na_value=np.nan)
    return np.append(known, np.nan)[code]

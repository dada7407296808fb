"""What a back-test measures: keys that rank parcels, and where sites stand among matched land."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from geo.decide.backtest import TOP_SHARES, Places, at_random, bootstrap, interval, verdict
from geo.decide.draws import Draws

COUNT = 2_000
# Miles from the nearest metro at which one band ends and the next begins.
BANDS_MI = (10.0, 25.0, 50.0, 100.0, 200.0)
MATCHES = {
    "state": "land of the same state",
    "metro": "land as far from a metro (bands that end at 10, 25, 50, 100 and 200 miles)",
    "all": "all land of the build",
}
TESTED, UNGATED, PUBLISHED, RANDOM = "tested", "ungated", "published", "random"
BASELINES = {
    "substation_230kv": "nearest substation >= 230 kV only",
    "population": "people within 50 miles only",
}
MEASURES = ("auc", *(f"lift_{share * 100:g}pct" for share in TOP_SHARES))
# Points of a score are whole billionths: more than any score, so that what passes all gates comes first.
ABOVE_ALL_SCORES = 200_000_000_000


@dataclass
class Standing:
    """Everything that is measured: keys by ranking, and places, draws and verdicts by match."""

    parcel: pd.DataFrame
    tested: pd.DataFrame
    site: np.ndarray
    keys: dict[str, np.ndarray]
    places: dict[str, dict[str, Places]] = field(default_factory=dict)
    drawn: dict[str, dict[str, np.ndarray]] = field(default_factory=dict)

    @classmethod
    def of(
        cls, parcel: pd.DataFrame, tested: pd.DataFrame, site: np.ndarray, draws: Draws
    ) -> "Standing":
        """Measure sites, given as positions in `parcel`, by every ranking and every match."""
        keys = {
            TESTED: _key(tested),
            # Tells whether it is the gates or the weights that put sites where they are.
            UNGATED: tested["score_e9"].to_numpy(float),
            PUBLISHED: _key(parcel),
            "substation_230kv": _nearness(parcel["substation_230kv_mi"], -1.0),
            "population": _nearness(parcel["population_50mi"], 1.0),
        }
        test = cls(parcel, tested, site, keys)
        for match in MATCHES:
            test._measure(match, draws)
        return test

    def _measure(self, match: str, draws: Draws) -> None:
        group = _groups(self.parcel, match)
        is_land = np.ones(len(self.parcel), dtype=bool)
        is_land[self.site] = False
        acres = self.parcel["acres"].to_numpy(float)[is_land]
        county = pd.factorize(self.parcel["county_id"], use_na_sentinel=False)[0][self.site]
        self.places[match] = {
            name: Places.of(key[self.site], group[self.site], key[is_land], group[is_land], acres)
            for name, key in self.keys.items()
        }
        known = self.places[match][TESTED].is_known
        self.drawn[match] = {}
        if known.any():
            for name, places in self.places[match].items():
                values = places.measures()[known]
                self.drawn[match][name] = bootstrap(values, county[known], draws)
            chance = at_random(int(known.sum()), draws)
            self.drawn[match][RANDOM] = chance

    def estimates(self, match: str) -> list[dict[str, Any]]:
        """AUC and lifts with their intervals, a row a ranking."""
        rows = []
        for name, drawn in self.drawn[match].items():
            if name == RANDOM:
                middle = np.array([0.5, *np.ones(len(TOP_SHARES))])
            else:
                places = self.places[match][name]
                middle = places.measures()[places.is_known].mean(axis=0)
            low, high = interval(drawn)
            row: dict[str, Any] = {"ranking": name, "match": match}
            for number, measure in enumerate(MEASURES):
                row |= {
                    measure: float(middle[number]),
                    f"{measure}_low": float(low[number]),
                    f"{measure}_high": float(high[number]),
                }
            rows.append(row)
        return rows

    def verdicts(self, match: str) -> dict[str, str]:
        """How what is tested compares with each baseline, by AUC."""
        drawn = self.drawn[match]
        if not drawn:
            return {}
        tested = drawn[TESTED][:, 0]
        found = {name: verdict(tested, drawn[name][:, 0]) for name in BASELINES}
        # Of random land the AUC is known: half.
        found[RANDOM] = verdict(tested, np.full(len(tested), 0.5))
        return found

    def ranks(self) -> tuple[np.ndarray, int]:
        """Rank of every parcel in what is tested, 0 where a gate fails, and how many are ranked."""
        key = self.keys[TESTED]
        order = np.lexsort((np.arange(len(key)), -key))
        rank = np.empty(len(key), dtype=np.int64)
        rank[order] = np.arange(1, len(key) + 1)
        return np.where(key < 0, 0, rank), int((key >= 0).sum())


def _key(scored: pd.DataFrame) -> np.ndarray:
    """Rank by gates, then by score; all that fails a gate is last, and level."""
    gate = scored["gate_status"].to_numpy(object)
    score = scored["score_e9"].to_numpy(np.int64)
    lifted = np.where(gate == "pass", score + ABOVE_ALL_SCORES, score)
    return np.where(gate == "fail", -1, lifted).astype(float)


def _nearness(values: pd.Series, sign: float) -> np.ndarray:
    """Key of a baseline; what is unknown is last."""
    return np.where(values.notna(), sign * values.fillna(0.0).to_numpy(float), -np.inf)


def _groups(parcel: pd.DataFrame, match: str) -> np.ndarray:
    """Tell the number of the group of land that each parcel belongs to."""
    if match == "state":
        return pd.factorize(parcel["state_id"], use_na_sentinel=False)[0]
    if match == "metro":
        # Unknown distances are a band of their own, after the last.
        return np.searchsorted(BANDS_MI, parcel["metro_mi"].to_numpy(float))
    return np.zeros(len(parcel), dtype=np.int64)

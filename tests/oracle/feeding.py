"""The feeding substations by looking at every one, with Geod distances and prices one at a time."""

import csv
from pathlib import Path

import numpy as np

from tests.oracle.geodesic import GEOD, METRES_PER_MILE, edge_to_point_m

TABLE = Path(__file__).parents[2] / "data" / "reference" / "tie_line.csv"
with TABLE.open(encoding="utf-8", newline="") as handle:
    CLASSES = [
        {name: float(value) for name, value in row.items() if name != "source"}
        for row in csv.DictReader(handle)
    ]
REACH_MI, USEFUL_MW = 20.0, 1000.0


def class_of(kv):
    return min(CLASSES, key=lambda row: max(row["kv"] / kv, kv / row["kv"]))


def circuit_musd(kv, miles):
    """One circuit over so many straight miles, 30 % longer by road."""
    short = 1.5 if miles < 3 else 1.2 if miles <= 10 else 1.0
    return class_of(kv)["line_musd_per_mi"] * miles * short * 1.3


def tie_line_musd(kv, miles, mw):
    """Whole circuits, at least one, and a substation."""
    circuits = 1
    while circuits * class_of(kv)["circuit_mva"] < mw:
        circuits += 1
    return circuits * circuit_musd(kv, miles) + class_of(kv)["substation_musd"]


def rate(kv, miles, mw):
    """M$ a MW of at most a gigawatt, circuits beyond the first by the share in use."""
    mw = min(mw, USEFUL_MW)
    if mw < 1e-6:
        return np.inf
    circuits = max(mw / class_of(kv)["circuit_mva"], 1.0)
    return (circuits * circuit_musd(kv, miles) + class_of(kv)["substation_musd"]) / mw


def feeding(lon, lat, shape, stations, kv, headroom_mw):
    """(rate, miles, number) of all within reach of a parcel, the best first; `shape` None: from the point."""
    found = []
    for number, ((x, y), volts, mw) in enumerate(zip(stations, kv, headroom_mw, strict=True)):
        metres = GEOD.inv(lon, lat, x, y)[2] if shape is None else edge_to_point_m(shape, x, y)
        miles = metres / METRES_PER_MILE
        if miles <= REACH_MI:
            found.append((rate(volts, miles, mw), miles, number))
    return sorted(found)

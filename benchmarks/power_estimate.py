"""How the estimate without a network compares with the load flow, where both can be had."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from data.stage import REFERENCE_DIR
from geo.geodesy import METRES_PER_MILE, to_ecef
from geo.power.calibration import LEAST_SUBSTATIONS, Calibration, covered_share
from geo.power.import_estimate import LineClasses, import_estimate, is_bound_by_length
from geo.power.substations import spearman

PLACES = ("Texas", "Western", "Eastern")
CALIBRATION = REFERENCE_DIR / "import_calibration.csv"
SOURCE = (
    "Load flow's N-1 capacity (mid) over the estimate at the same substations of the Texas A&M synthetic grid, "
    "PowerSimData 0.5.5; benchmarks/power.py --calibrate"
)
LOW_KV = 230.0
# What a map leaves out: parallel circuits, and a share of all.
WORSE = {
    "as it is": None,
    "parallel circuits as one": 0.0,
    "and 10 % missing": 0.1,
    "and 25 % missing": 0.25,
}


def circuits_of(frames: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Lines between substations as a map would know them: ends, voltage and length, straight."""
    bus, where = frames["bus"].set_index("bus_id"), frames["substation"].set_index("substation_id")
    branch = frames["branch"]
    one, other = (branch[name].map(bus["substation_id"]) for name in ("from_bus_id", "to_bus_id"))
    held = ((branch["branch_kind"] == "line") & (one != other)).to_numpy()
    one, other = one[held], other[held]
    xyz = [
        to_ecef(where["lon"][ids].to_numpy(), where["lat"][ids].to_numpy()) for ids in (one, other)
    ]
    return pd.DataFrame(
        {
            "from_substation_id": one.to_numpy(),
            "to_substation_id": other.to_numpy(),
            "kv": branch.loc[held, "from_bus_id"].map(bus["kv"]).to_numpy(),
            "length_mi": np.linalg.norm(xyz[0] - xyz[1], axis=1) / METRES_PER_MILE,
        }
    )


def compared(
    frames: dict[str, pd.DataFrame], answer: pd.DataFrame, circuit: pd.DataFrame
) -> pd.DataFrame:
    """Estimate and load flow of every substation; rows that have both."""
    classes = pd.read_csv(REFERENCE_DIR / "line_class.csv")
    found = import_estimate(frames["substation"], circuit, frames["plant"], classes)
    found = found.merge(answer, on="substation_id").rename(
        columns={"headroom_mw_mid": "estimate_mw"}
    )
    return found[found["estimate_mw"].notna() & found["secure_mw"].notna()]


def figures(frames: dict[str, pd.DataFrame], answer: pd.DataFrame) -> dict[str, Any]:
    """Rank correlations, coverage of held-out interconnections, and what the map's faults would do."""
    circuit = circuits_of(frames)
    whole = compared(frames, answer, circuit)
    places = [name for name in PLACES if (whole["interconnect"] == name).any()]
    out: dict[str, Any] = {
        "ranks": _ranks(whole, places),
        "overall": {name: _rank(whole[whole["interconnect"] == name]) for name in places},
        "length_binds": _length_binds(circuit),
        "worse": _worse(frames, answer, circuit, places),
        "single_fed": int(whole["is_single_fed"].sum()),
        "least": float((whole["estimate_mw"] <= 0).mean()),
    }
    if len(places) > 2:
        out["held_out"] = [held_out(whole, name) for name in places]
        out["factors"] = fit(whole).to_frame().to_numpy().tolist()
    return out


def held_out(whole: pd.DataFrame, third: str) -> dict[str, Any]:
    """Fit on the other interconnections, look at this one."""
    calibration = fit(whole[whole["interconnect"] != third])
    seen = whole[whole["interconnect"] == third]
    interval = calibration.interval(seen["estimate_mw"].to_numpy(), seen["kv_class"].to_numpy())
    told = seen.assign(**dict(zip(("low", "mid", "high"), interval.T, strict=True)))
    groups = [(None, told), *told.groupby("kv_class")]
    return {"place": third, "rows": [_coverage(kv, part) for kv, part in groups]}


def fit(whole: pd.DataFrame) -> Calibration:
    """Calibrate on interconnections."""
    columns = ("estimate_mw", "secure_mw", "kv_class")
    return Calibration.fit(
        *(whole[name].to_numpy(float) for name in columns), whole["interconnect"].to_numpy(str)
    )


def calibrate(frames: dict[str, pd.DataFrame], answer: pd.DataFrame) -> Path:
    """Fit on all interconnections and write the reference table."""
    whole = compared(frames, answer, circuits_of(frames))
    table = fit(whole).to_frame()
    counts = whole.pivot_table(
        index="kv_class", columns="interconnect", values="estimate_mw", aggfunc="size", fill_value=0
    )
    counts = counts.where(counts >= LEAST_SUBSTATIONS, 0)
    table["substation_count"] = table["kv_class"].map(counts.sum(axis=1))
    table["substation_count"] = table["substation_count"].fillna(len(whole)).astype(int)
    for place in PLACES:
        shares = {row["kv"]: row["covered"] for row in held_out(whole, place)["rows"]}
        rest = shares.pop(None)
        table[f"covered_share_{place.lower()}"] = table["kv_class"].map(shares)
        table.loc[table["kv_class"].isna(), f"covered_share_{place.lower()}"] = rest
    table = table.round(3)
    table["kv_class"] = table["kv_class"].astype("Int64")
    table.assign(source=SOURCE).to_csv(CALIBRATION, index=False)
    return CALIBRATION


def _coverage(kv: float | None, part: pd.DataFrame) -> dict[str, Any]:
    interval = part[["low", "mid", "high"]].to_numpy()
    answer = part["secure_mw"].to_numpy()
    return {
        "kv": kv,
        "count": len(part),
        "covered": covered_share(interval, answer),
        "below": float((answer < interval[:, 0]).mean()),
        "above": float((answer > interval[:, 2]).mean()),
        "median_interval": np.median(interval, axis=0).tolist(),
        "median_answer": float(np.median(answer)),
        "no_low": float((interval[:, 0] <= 0).mean()),
    }


def _ranks(whole: pd.DataFrame, places: Sequence[str]) -> list[dict[str, Any]]:
    rows = []
    for kv, of_class in whole.groupby("kv_class"):
        parts = {name: of_class[of_class["interconnect"] == name] for name in places}
        rows.append({"kv": kv} | {name: (_rank(part), len(part)) for name, part in parts.items()})
    return rows


def _rank(part: pd.DataFrame) -> float:
    """Spearman; NaN where there are too few to say."""
    if len(part) < LEAST_SUBSTATIONS:
        return np.nan
    return spearman(part["estimate_mw"].to_numpy(), part["secure_mw"].to_numpy())


def _length_binds(circuit: pd.DataFrame) -> dict[str, float]:
    classes = LineClasses.from_frame(pd.read_csv(REFERENCE_DIR / "line_class.csv"))
    kv = circuit["kv"].to_numpy()
    bound = is_bound_by_length(
        kv, circuit["length_mi"].to_numpy(), np.full(kv.size, np.nan), classes
    )
    return {"low": float(bound[kv < LOW_KV].mean()), "bulk": float(bound[kv >= LOW_KV].mean())}


def _worse(
    frames: dict[str, pd.DataFrame],
    answer: pd.DataFrame,
    circuit: pd.DataFrame,
    places: Sequence[str],
) -> list[dict[str, Any]]:
    """Rank correlation, weighed over classes, when circuits are missing."""
    ends = np.sort(circuit[["from_substation_id", "to_substation_id"]].to_numpy(str), axis=1)
    again = pd.DataFrame({"one": ends[:, 0], "other": ends[:, 1], "kv": circuit["kv"]}).duplicated()
    lot = np.random.default_rng(0).random(len(circuit))
    rows = []
    for name, share in WORSE.items():
        kept = circuit if share is None else circuit[~again & (lot >= share)]
        whole = compared(frames, answer, kept)
        row: dict[str, Any] = {"name": name}
        for place in places:
            part = whole[whole["interconnect"] == place]
            ranks = part.groupby("kv_class")[["estimate_mw", "secure_mw"]].apply(_rank)
            count = part.groupby("kv_class").size()[ranks.notna()]
            row[place] = float((ranks.dropna() * count).sum() / count.sum())
        rows.append(row)
    return rows

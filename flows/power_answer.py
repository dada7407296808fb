"""The answer to how much power a point can have, from a published build."""

from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
from pyproj import Geod

from data import store
from data.errors import UsageError
from data.stage import REFERENCE_DIR
from flows.asking import honest, point_of
from flows.reporting import rows_of
from flows.show import Shown, records
from geo.pairs import pairs_within
from geo.power.upgrade import cost_class, lifting, upgrade_musd
from geo.tie_line import ROUTE_FACTOR, TieLineCosts, priced_mi

# As far as a parcel looks for its feeding substation.
REACH_MI = 20.0
# Degrees that hold the reach: a degree of latitude is at least 68.7 miles.
MILES_PER_DEGREE = 68.7
SHOWN_SUBSTATIONS = 12
METRES_PER_MILE = 1609.344
COLUMNS = {
    "substation_name": "substation",
    "kv": "kV",
    "miles": "miles",
    "headroom_mw_low": "MW low",
    "headroom_mw_mid": "MW mid",
    "headroom_mw_high": "MW high",
    "headroom_n0_mw": "no outage",
    "flexible_025_mw_mid": "0.25 % cut",
    "flexible_100_mw_mid": "1 % cut",
    "tie_line_musd": "tie line M$",
    "limit_text": "what limits it",
}
MW_COLUMNS = {"serves": "serves it", **COLUMNS}
UPGRADE_COLUMNS = {
    "element_text": "to rebuild",
    "limit_text": "full",
    "alone_mw": "at MW",
    "miles": "miles",
    "musd": "M$",
    "cost_class": "class",
}


def power(build: Path, what: str, mw: float | None = None) -> Shown:
    """Tell what the substations around a point can serve, what limits them and what would lift it.

    Raises
    ------
    UsageError
        The words are no point, or the MW are not above 0.
    """
    point = point_of(what)
    if mw is not None and not 0 < mw < np.inf:
        msg = f"--mw {mw:g} is no load."
        raise UsageError(msg, "Give the megawatts that are wanted, above 0.")
    costs = TieLineCosts.from_frame(pd.read_csv(REFERENCE_DIR / "tie_line.csv"))
    with store.open_build(build) as con:
        run = rows_of(con, "query/run")[0]
        near = _near(con, *point)
        found = _weighed(near, costs, mw)
        best = None if found.empty or np.isnan(found["rate"].iloc[0]) else found.iloc[0]
        limits = [] if best is None else _limits(con, best["substation_id"])
    substations = records(found.drop(columns="rate"))
    upgrade = (
        None if best is None or mw is None else _upgrade(best, pd.DataFrame(limits), mw, costs)
    )
    payload = {
        "lat": point[0],
        "lon": point[1],
        "reach_mi": REACH_MI,
        "mw": mw,
        "best_substation_id": None if best is None else best["substation_id"],
        "substations": substations,
        "limits": limits,
        "upgrade": upgrade,
        "run": {name: run[name] for name in ("run_id", "study", "is_synthetic", "limits")},
    }
    shown = Shown(
        f"Power at {point[0]:.4f}, {point[1]:.4f}",
        substations[:SHOWN_SUBSTATIONS],
        columns=COLUMNS if mw is None else MW_COLUMNS,
        notes=_notes(found, best, mw),
        payload=payload,
    )
    if best is not None and upgrade is not None and upgrade["elements"]:
        shown.sections.append(
            Shown(
                f"To serve {mw:,.0f} MW at {_name(best)}",
                upgrade["elements"],
                columns=UPGRADE_COLUMNS,
                notes=_upgrade_notes(upgrade),
            )
        )
    shown.sections.append(Shown("", notes=honest(run)))
    return shown


def _near(con: duckdb.DuckDBPyConnection, lat: float, lon: float) -> pd.DataFrame:
    """Substations within reach, with their miles, nearest first."""
    reach_lat = 1.01 * REACH_MI / MILES_PER_DEGREE
    reach_lon = reach_lat / max(np.cos(np.radians(min(abs(lat) + reach_lat, 89.0))), 0.01)
    params = {"lat": lat, "lon": lon, "reach_lat": reach_lat, "reach_lon": reach_lon}
    near = store.query_file(con, "query/power_near", params).df()
    at = near[["lon", "lat"]].to_numpy(float)
    _, number, miles = pairs_within(np.array([lon]), np.array([lat]), *at.T.copy(), REACH_MI)
    found = near.iloc[number].assign(miles=miles)
    return found.sort_values(["miles", "substation_id"], ignore_index=True)


def _weighed(near: pd.DataFrame, costs: TieLineCosts, mw: float | None) -> pd.DataFrame:
    """Add the tie line's cost, and sort by what a megawatt costs; those of unknown headroom come last.

    With `mw`, those that serve it come first, by the cost of the line that carries it.
    """
    kv = near["connect_kv"].fillna(near["kv_max"]).to_numpy(float)
    mid, miles = near["headroom_mw_mid"].to_numpy(float), near["miles"].to_numpy(float)
    known = np.isfinite(mid) & (kv > 0)
    rate, musd = np.full(len(near), np.nan), np.full(len(near), np.nan)
    per_mi, fixed = costs.rate(kv[known], mid[known])
    rate[known] = per_mi * priced_mi(miles[known]) + fixed
    carried = mid if mw is None else np.full(len(near), mw)
    musd[known] = costs.tie_line_musd(kv[known], miles[known], carried[known])
    found = near.assign(
        kv=kv,
        tie_line_mi=miles * ROUTE_FACTOR,
        tie_line_musd=musd,
        rate=rate,
        serves=[_serves(row, mw) for row in near.to_dict("records")],
    )
    falls_short = ~(mid >= (mw or 0.0))
    first = rate if mw is None else np.where(falls_short, rate, musd)
    order = np.lexsort((found["substation_id"], first, falls_short, ~known))
    return found.iloc[order].reset_index(drop=True)


def _serves(row: dict[str, Any], mw: float | None) -> str | None:
    """Say whether a substation serves a load, by the first of its figures that holds it."""
    if mw is None:
        return None
    if np.isnan(row["headroom_mw_mid"]):
        return "unknown"
    for name, word in (
        ("headroom_mw_low", "yes"),
        ("headroom_mw_mid", "likely"),
        ("flexible_100_mw_mid", "if it gives way 1 % of its energy"),
        ("headroom_mw_high", "at best"),
    ):
        if row[name] >= mw:
            return word
    return "no"


def _limits(con: duckdb.DuckDBPyConnection, substation_id: str) -> list[dict[str, Any]]:
    """Tightest limits of a substation, with the straight miles of each element."""
    rows = rows_of(con, "query/power_limits", {"substation_id": substation_id})
    geod = Geod(ellps="WGS84")
    for row in rows:
        ends = [row.pop(name) for name in ("from_lon", "from_lat", "to_lon", "to_lat")]
        row["straight_mi"] = None if None in ends else abs(geod.inv(*ends)[2]) / METRES_PER_MILE
    return rows


def _upgrade(
    best: pd.Series, limits: pd.DataFrame, mw: float, costs: TieLineCosts
) -> dict[str, Any]:
    """Elements to rebuild until a substation serves a load, their price and what comes next."""
    if limits.empty:
        return {"substation_id": best["substation_id"], "elements": [], "next_mw": None}
    needed, next_mw = lifting(limits, mw)
    mi = needed["straight_mi"].to_numpy(float)
    is_inside = needed["is_in_substation"].to_numpy(bool)
    musd = upgrade_musd(needed["kv"].to_numpy(float), mi, is_inside, costs)
    elements = needed.assign(
        miles=np.where(is_inside, np.nan, mi * ROUTE_FACTOR),
        musd=musd,
        cost_class=[cost_class(each) for each in musd.tolist()],
    )
    names = [*UPGRADE_COLUMNS, "branch_id", "outage_branch_id"]
    total = float(musd.sum())
    return {
        "substation_id": best["substation_id"],
        "elements": records(elements[names]),
        "musd": None if np.isnan(total) else total,
        "cost_class": cost_class(total),
        "next_mw": None if np.isnan(next_mw) else next_mw,
    }


def _upgrade_notes(upgrade: dict[str, Any]) -> list[str]:
    total = (
        f"{upgrade['cost_class']}: about {upgrade['musd']:,.0f} M$"
        if upgrade["musd"] is not None
        else "Price unknown: the place of an element is"
    )
    after = (
        f"the next limit is at {upgrade['next_mw']:,.0f} MW"
        if upgrade["next_mw"] is not None
        else "what limits it then is not among the limits that are kept"
    )
    return [
        f"{total}; {after}.",
        "A first price from unit costs, with the flows as they are; a study of the utility decides.",
        "Classes: $ under 10 M$, $$ under 50, $$$ under 200, $$$$ from there.",
    ]


def _notes(found: pd.DataFrame, best: pd.Series | None, mw: float | None) -> list[str]:
    if found.empty:
        return [f"No substation stands within {REACH_MI:g} miles: its power is unknown."]
    if best is None:
        return [f"The headroom of no substation within {REACH_MI:g} miles is known."]
    left = len(found) - SHOWN_SUBSTATIONS
    notes = [f"{left:,} more within {REACH_MI:g} miles: see --json."] if left > 0 else []
    low, mid, high = (best[f"headroom_mw_{end}"] for end in ("low", "mid", "high"))
    notes.append(
        f"Best by the cost of a megawatt: {_name(best)}, {best['miles']:.1f} mi, {best['kv']:g} kV, "
        f"{low:,.0f} / {mid:,.0f} / {high:,.0f} MW (low / mid / high, {best['method']})."
        if mw is None or mid < mw
        else f"Cheapest that serves {mw:,.0f} MW: {_name(best)}, {best['miles']:.1f} mi, "
        f"{best['kv']:g} kV, {low:,.0f} / {mid:,.0f} / {high:,.0f} MW (low / mid / high, {best['method']})."
    )
    if mw is not None and mid < mw:
        notes.insert(-1, f"None within {REACH_MI:g} miles serves {mw:,.0f} MW in the middle case.")
    if best["limit_text"]:
        notes.append(f"What limits it first: {best['limit_text']}.")
    return notes


def _name(row: pd.Series) -> str:
    return str(row["substation_id"] if pd.isna(row["substation_name"]) else row["substation_name"])

"""What the user states of substations takes the place of what was computed."""

import hashlib

import numpy as np
import pandas as pd

from geo.features import FeatureIndex
from geo.nearest import nearest

ENDS = ("low", "mid", "high")
METHOD = "user"
# Columns that a stated row of a substation always has, beside those that it had.
STATED = ("method", "limit_kind", "limit_text", "capacity_as_of", "capacity_source")
# What was computed of a substation and says nothing beside a figure that was not.
COMPUTED = ("headroom_n0_mw", "limit_branch_id", "limit_outage_id")
COMPUTED_PREFIX = "flexible_"
REJECT_COLUMNS = ("raw_table", "file", "raw_row", "reject_code", "reason")


def apply_capacity(
    substation: pd.DataFrame, capacity: pd.DataFrame, reach_mi: float = 0.5
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Put stated capacities in the place of computed ones.

    A row belongs to the substation of its id, else to the nearest one within reach of its point, else
    it makes a new substation: of its own id, or of a hash of its point. Of several rows of one
    substation the newest holds (a year alone counts as its first day), of those as of the same date the
    one with the lowest MW.

    Parameters
    ----------
    substation
        `substation_id`, `lon`, `lat` (degrees, WGS84), `headroom_mw_low/mid/high` and any of the other
        columns of the power step.
    capacity
        Good rows of capacity files: `file`, `raw_row`, `substation_id` (None without one), `lon`, `lat`
        (NaN without a point), `kv` (NaN unknown), `mw_low`, `mw_mid`, `mw_high`, `as_of` (ISO 8601),
        `source`.
    reach_mi
        Geodesic miles from a point to the substation that it may mean.

    Returns
    -------
    substation
        The same rows in the same order, then the new ones by id. Stated rows have `method` and
        `limit_kind` 'user', `limit_text`, `capacity_as_of` and `capacity_source`; what was computed of
        them (intact network, limits, flexible load) is missing. New rows have of the rest only name,
        place, voltage and confidence.
    unmatched
        Rows of `capacity` that hold for no substation, as rows of `meta.rejected_row`.

    Raises
    ------
    GeometryError
        For coordinates that are no degrees.
    """
    substation = substation.reset_index(drop=True)
    rows = _newest_first(capacity)
    rows["target"], rows["is_new"] = _targets(substation, rows, reach_mi)
    is_placed = rows["target"].notna().to_numpy(bool)
    holds = is_placed & ~rows["target"].duplicated().to_numpy(bool)
    stated = rows[holds].set_index("target")
    new = stated[stated["is_new"].to_numpy(bool)].sort_index()
    out = _with_new(substation, new)
    for column in STATED:
        if column not in out:
            out[column] = pd.Series(None, index=out.index, dtype=object)
    number = pd.Series(out.index, index=out["substation_id"])[stated.index].to_numpy()
    for end in ENDS:
        out.loc[number, f"headroom_mw_{end}"] = stated[f"mw_{end}"].to_numpy(float)
    for column in out.columns:
        if column in COMPUTED or column.startswith(COMPUTED_PREFIX):
            out.loc[number, column] = np.nan if out[column].dtype.kind == "f" else None
    told = [
        f"{source}, {date}" for source, date in zip(stated["source"], stated["as_of"], strict=True)
    ]
    for column, values in (
        ("method", METHOD),
        ("limit_kind", METHOD),
        ("limit_text", np.array(told, dtype=object)),
        ("capacity_as_of", stated["as_of"].to_numpy(object)),
        ("capacity_source", stated["source"].to_numpy(object)),
    ):
        out.loc[number, column] = values
    return out, _unmatched(rows, holds)


def _newest_first(capacity: pd.DataFrame) -> pd.DataFrame:
    """Rows in an order that does not depend on the one given: those that hold come first."""
    order = capacity.sort_values(
        ["as_of", "mw_mid", "mw_low", "mw_high", "file", "raw_row"],
        ascending=[False, True, True, True, True, True],
    )
    return order.reset_index(drop=True)


def _targets(
    substation: pd.DataFrame, rows: pd.DataFrame, reach_mi: float
) -> tuple[np.ndarray, np.ndarray]:
    """Substation id that each row holds for, None for none, and whether it is a new one."""
    target = np.full(len(rows), None, dtype=object)
    ids = rows["substation_id"].to_numpy(object)
    is_known = rows["substation_id"].isin(substation["substation_id"]).to_numpy(bool)
    target[is_known] = ids[is_known]
    # Of substations on one spot the first by id, whatever their order.
    known = substation.sort_values("substation_id")
    index = FeatureIndex.from_points(known["lon"].to_numpy(float), known["lat"].to_numpy(float))
    lon, lat, kv = (rows[name].to_numpy(float) for name in ("lon", "lat", "kv"))
    asked = np.flatnonzero(~is_known & ~np.isnan(lon))
    found, _ = nearest(index, lon[asked], lat[asked], max_mi=reach_mi)
    near = known["substation_id"].to_numpy(object)
    target[asked[found >= 0]] = near[found[found >= 0]]
    new = asked[(found < 0) & ~np.isnan(kv[asked])]
    target[new] = [_new_id(ids[row], lon[row], lat[row]) for row in new]
    is_new = np.zeros(len(rows), dtype=bool)
    is_new[new] = True
    return target, is_new


def _new_id(own: str | None, lon: float, lat: float) -> str:
    place = f"{lon:.6f},{lat:.6f}"
    return f"user-{own or hashlib.sha256(place.encode()).hexdigest()[:8]}"


def _with_new(substation: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    """Substations and, behind them, the new ones: id, place and voltage, nothing else."""
    if new.empty:
        return substation.copy()
    told = {
        "substation_id": new.index.to_numpy(object),
        "lon": new["lon"].to_numpy(float),
        "lat": new["lat"].to_numpy(float),
        "kv_max": new["kv"].to_numpy(float),
        "kv_min": new["kv"].to_numpy(float),
        "is_inferred": np.zeros(len(new), dtype=bool),
        "confidence": np.ones(len(new)),
    }
    out = substation.reindex(range(len(substation) + len(new)))
    for column in substation.columns.intersection([*told]):
        whole = [*substation[column], *told[column]]
        out[column] = pd.Series(whole, dtype=substation[column].dtype)
    return out


def _unmatched(rows: pd.DataFrame, holds: np.ndarray) -> pd.DataFrame:
    """Rows that hold for no substation, with why."""
    left = rows[~holds]
    taken = rows[holds].set_index("target")
    told = []
    for row in left.to_dict("records"):
        if pd.notna(row["target"]):
            by = taken.loc[row["target"]]
            code = "duplicate"
            reason = (
                f"is superseded: {by['file']} row {by['raw_row']} states {by['mw_mid']:g} MW "
                f"as of {by['as_of']} for the same substation {row['target']}"
            )
        elif np.isnan(row["lon"]):
            code = "invalid"
            reason = (
                f"names substation {row['substation_id']}, which is not known: give its point too"
            )
        else:
            code = "invalid"
            reason = (
                "has no substation near its point, and no kv to make one: give its kv, or its id"
            )
        told.append(
            {"raw_table": "capacity", "file": row["file"], "raw_row": row["raw_row"]}
            | {"reject_code": code, "reason": reason}
        )
    frame = pd.DataFrame(told, columns=[*REJECT_COLUMNS])
    return frame.sort_values(["file", "raw_row"]).reset_index(drop=True)

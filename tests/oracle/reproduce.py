"""Ranks from the published tables alone, in numpy: nothing of the product takes part but its tables."""

import numpy as np
import pandas as pd

BILLION = 1e9


def parcels(con, workload):
    """Rank, score and gate status of every parcel, on parcel_id."""
    metric = con.sql("from core.parcel_metric order by parcel_id").df()
    factor = con.execute(
        "select metric, weight from meta.factor where workload = $w and not is_removed",
        {"w": workload},
    ).df()
    segment = con.execute("from meta.value_segment where workload = $w", {"w": workload}).df()
    gate = con.execute(
        "from meta.gate where workload = $w and not is_removed", {"w": workload}
    ).df()
    low, high = (np.zeros(len(metric), dtype=np.int64) for _ in range(2))
    for name, weight in zip(factor["metric"], factor["weight"], strict=True):
        x = metric[name].to_numpy(float, na_value=np.nan)
        points = 100 * weight * _value(segment[segment["metric"] == name], x)
        known = ~np.isnan(x)
        low[known] += _whole(points[known])
        high += np.where(known, 0, _whole(100 * weight))
    failed, unknown = (np.zeros(len(metric), dtype=bool) for _ in range(2))
    for row in gate.itertuples():
        x = metric[row.metric].to_numpy(float, na_value=np.nan)
        is_passed = x >= row.at_least if pd.notna(row.at_least) else x <= row.at_most
        unknown |= np.isnan(x)
        failed |= ~np.isnan(x) & ~is_passed
    out = pd.DataFrame(
        {
            "score": low / BILLION,
            "score_high": (low + high) / BILLION,
            "gate_status": np.where(failed, "fail", np.where(unknown, "unknown", "pass")),
        },
        index=pd.Index(metric["parcel_id"], name="parcel_id"),
    )
    order = np.lexsort((metric["parcel_id"].to_numpy(str), -low, unknown))
    order = order[~failed[order]]
    out["rank"] = np.nan
    out.iloc[order, out.columns.get_loc("rank")] = np.arange(1, len(order) + 1)
    return out


def regions(con, workload, scored):
    """Rank, score and capacity of every region that is filled, on region_kind and region_id.

    `scored` is what `parcels` gives; megawatts are those of the published plan.
    """
    plan = con.execute("from mart.region_fill where workload = $w", {"w": workload}).df()
    (target_mw,) = con.execute(
        "select target_mw from meta.workload where workload = $w", {"w": workload}
    ).fetchone()
    found = []
    for key, rows in plan.groupby(["region_kind", "region_id"]):
        mine = scored.loc[rows["parcel_id"]]
        kw = np.round(rows["used_mw"].to_numpy() * 1000).astype(np.int64).tolist()
        units = np.round(mine["score"].to_numpy() * BILLION).astype(np.int64).tolist()
        # Python's whole numbers do not overflow.
        total = sum(a * b for a, b in zip(kw, units, strict=True))
        unsure = bool((mine["gate_status"] == "unknown").any())
        found.append((*key, total / (target_mw * 1000) / BILLION, sum(kw) / 1000, unsure))
    columns = ["region_kind", "region_id", "score", "capacity_mw", "unsure"]
    out = pd.DataFrame(found, columns=columns)
    out = out.sort_values(["region_kind", "unsure", "score", "region_id"],
                          ascending=[True, True, False, True])  # fmt: skip
    out["rank"] = out.groupby("region_kind").cumcount() + 1
    return out.set_index(["region_kind", "region_id"])


def check(con, workload):
    """Compare with what is published; returns how many parcels and regions are ranked."""
    mine = parcels(con, workload)
    told = con.execute(
        "select parcel_id, score, score_high, gate_status, rank::double as rank "
        "from mart.ranked_parcels where workload = $w",
        {"w": workload},
    ).df()
    pd.testing.assert_frame_equal(
        told.set_index("parcel_id").sort_index(),
        mine.sort_index(),
        check_like=True,
        check_dtype=False,
        rtol=0,
        atol=0,
    )
    places = regions(con, workload, mine)
    told = con.execute(
        "select region_kind, region_id, score, capacity_mw, rank from mart.ranked_regions "
        "where workload = $w and rank is not null",
        {"w": workload},
    ).df()
    pd.testing.assert_frame_equal(
        told.set_index(["region_kind", "region_id"]).sort_index(),
        places.drop(columns="unsure").sort_index(),
        check_like=True,
        check_dtype=False,
        rtol=1e-14,
        atol=0,
    )
    return int(mine["rank"].notna().sum()), len(places)


def _value(segment, x):
    """Value of the piece that each x lies in; NaN stays."""
    out = np.full(x.shape, np.nan)
    for piece in segment.itertuples():
        inside = (x >= piece.from_x) & (x < piece.to_x)
        out[inside] = piece.from_value + piece.slope * (x[inside] - piece.from_x)
    return np.clip(out, 0, 1)


def _whole(points):
    """Billionths of points; halves go up, and points are never negative."""
    return np.floor(np.asarray(points) * BILLION + 0.5).astype(np.int64)

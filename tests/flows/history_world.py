"""Runs of a small world, as the history holds them: scores, ranks and plans worked out here, in plain Python."""

import math
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pyarrow as pa

from flows import history, history_parts
from flows.diff_side import Side
from flows.history import Entry
from flows.home import Home

BEGAN = datetime(2026, 1, 1)  # noqa: DTZ001
# metric -> weight, breakpoints, layers
PROFILE = {
    "headroom_mw_mid": (0.5, [(0, 0.0), (1000, 1.0)], ["substation", "plant"]),
    "industrial_usd_per_mwh": (0.3, [(40, 1.0), (120, 0.0)], ["state"]),
    "pop_mi": (0.2, [(1, 1.0), (50, 0.0)], ["pop"]),
}
GATES = {"headroom_mw_mid": (100.0, None)}
LAYERS = {"substation": "grid", "plant": "eia", "state": "prices", "pop": "carriers"}
SOURCES = {"grid": "g1", "eia": "e1", "prices": "p1", "carriers": "c1"}
WORKLOAD, TARGET = "training", 300.0


def value_of(points: list[tuple[float, float]], x: float) -> float:
    """Value function: straight between breakpoints, flat outside them."""
    if x <= points[0][0]:
        return points[0][1]
    for (x0, y0), (x1, y1) in pairwise(points):
        if x < x1:
            return y0 + (y1 - y0) / (x1 - x0) * (x - x0)
    return points[-1][1]


def units(profile: dict[str, Any], values: dict[str, list[float]], number: int) -> int:
    """Score of a parcel in billionths of a point."""
    return sum(
        math.floor(100 * weight * value_of(points, values[metric][number]) * 1e9 + 0.5)
        for metric, (weight, points, _) in profile.items()
        if not math.isnan(values[metric][number])
    )


def world(
    run_id: str,
    values: dict[str, list[float]],
    plans: dict[str, list[tuple[int, int]]] | None = None,
    *,
    ids: list[str] | None = None,
    profile: dict[str, Any] = PROFILE,
    gates: dict[str, Any] = GATES,
    sources: dict[str, str] = SOURCES,
    target: float = TARGET,
    program: str = "code1",
    study: str = "small",
    inputs: str | None = None,
) -> tuple[dict[str, Any], dict[str, pa.Table]]:
    """Row and parts of a run.

    `values` holds each metric's value by parcel, `plans` the parcels and kilowatts of each county.
    """
    count = len(values["headroom_mw_mid"])
    ids = ids or [f"p{number}" for number in range(count)]
    scores = [units(profile, values, number) for number in range(count)]
    status = ["pass"] * count
    for metric, (least, _) in gates.items():
        for number, value in enumerate(values[metric]):
            if math.isnan(value):
                status[number] = "unknown" if status[number] == "pass" else status[number]
            elif value < least:
                status[number] = "fail"
    order = sorted(
        (number for number in range(count) if status[number] != "fail"),
        key=lambda number: (status[number] == "unknown", -scores[number], ids[number]),
    )
    plans = {} if plans is None else plans
    filled = {
        county: sum(kw * scores[number] for number, kw in plan) / (target * 1000) / 1e9
        for county, plan in plans.items()
        if plan
    }
    best = sorted(filled, key=lambda county: (-filled[county], county))
    ranked = [
        {
            "region_kind": "county", "region_id": county, "region_name": f"{county} County, VA",
            "rank": best.index(county) + 1 if county in filled else None,
            "score": filled.get(county), "gate_status": "pass" if county in filled else None,
            "unranked_why": None if county in filled else "no parcel passes the gates: 2 fail headroom",
        }
        for county in sorted(plans)
    ]  # fmt: skip
    words = {"label": "", "unit": None}
    tables = {
        "parcels": pa.table(
            {"parcel_id": ids, "parcel_name": [f"near {id_}" for id_ in ids],
             "county_name": ["Loudoun"] * count, "state_id": ["VA"] * count}
        ),
        **{
            f"metric.{name}": pa.table({"value": pa.array(column, pa.float64(), from_pandas=True)})
            for name, column in values.items()
        },
        f"ranked.{WORKLOAD}": pa.Table.from_pylist(
            ranked,
            pa.schema(
                [*((name, pa.string()) for name in ("region_kind", "region_id", "region_name")),
                 ("rank", pa.int64()), ("score", pa.float64()), ("gate_status", pa.string()),
                 ("unranked_why", pa.string())]
            ),
        ),
        f"ranks.{WORKLOAD}": pa.table(
            {"parcel_no": pa.array(order, pa.int32()), "rank": range(1, len(order) + 1),
             "score_units": [scores[number] for number in order],
             "is_unknown": [status[number] == "unknown" for number in order]}
        ),
        f"fill.{WORKLOAD}": pa.Table.from_pylist(
            [{"region_kind": "county", "region_id": county, "parcel_no": number, "used_kw": kw}
             for county, plan in plans.items() for number, kw in plan],
            pa.schema([("region_kind", pa.string()), ("region_id", pa.string()),
                       ("parcel_no", pa.int64()), ("used_kw", pa.int64())]),
        ),
    }  # fmt: skip
    row = {
        "run_id": run_id, "study": study, "started_at": BEGAN + timedelta(days=int(run_id)),
        "finished_at": None, "title": "Small", "code_version": program, "program": program,
        "inputs_sha256": inputs or f"inputs of {run_id}", "area": ["VA"], "h3_resolution": 6,
        "parcel_kind": "h3_cell", "parcel_count": count, "is_synthetic": False,
        "sources": [
            {"source_id": name, "title": name, "version": sha, "as_of": "2026", "sha256": sha,
             "is_stale": False, "is_synthetic": False}
            for name, sha in sources.items()
        ],
        "workloads": [
            {"workload": WORKLOAD, "title": "Training", "objective": "training", "target_mw": target,
             "max_site_mw": None, "capacity_metric": "headroom_mw_mid",
             "profile": repr((profile, gates, target))}
        ],
        "factors": [
            words | {"workload": WORKLOAD, "metric": metric, "label": metric, "layers": layers,
                     "weight": weight, "pieces": pieces(points)}
            for metric, (weight, points, layers) in profile.items()
        ],
        "gates": [
            words | {"workload": WORKLOAD, "metric": metric, "label": metric,
                     "layers": PROFILE[metric][2], "at_least": least, "at_most": most}
            for metric, (least, most) in gates.items()
        ],
        "layers": [{"layer": layer, "source_id": source} for layer, source in LAYERS.items()],
    }  # fmt: skip
    return row, tables


def pieces(points: list[tuple[float, float]]) -> list[dict[str, float]]:
    """Straight pieces of a value function."""
    ends = [(-1e300, points[0][0], points[0][1], 0.0)]
    ends += [(x0, x1, y0, (y1 - y0) / (x1 - x0)) for (x0, y0), (x1, y1) in pairwise(points)]
    ends.append((points[-1][0], 1e300, points[-1][1], 0.0))
    return [
        dict(zip(("from_x", "to_x", "from_value", "slope"), each, strict=True)) for each in ends
    ]


class MemorySide(Side):
    """A run that is in no file; equal tables are one part."""

    def __init__(self, made: tuple[dict[str, Any], dict[str, pa.Table]]) -> None:
        row, self.tables = made
        parts = [
            {"role": role, "file": repr(table.to_pydict())} for role, table in self.tables.items()
        ]
        super().__init__(Entry(None, row | {"parts": parts}))

    def _table(self, role: str) -> pa.Table:
        if role not in self.tables:
            return super()._table(role)
        return self.tables[role]


def put(home: Home, made: tuple[dict[str, Any], dict[str, pa.Table]]) -> None:
    """Write a run to the history of a home."""
    row, tables = made
    folder = history.folder_of(home) / history_parts.FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    parts = [
        {"role": role, **history_parts._write(folder, table)} for role, table in tables.items()
    ]
    history._put(home, f"{row['run_id']}{history.RUN}", history.RUN_SCHEMA, row | {"parts": parts})


def put_same(home: Home, run_id: str, same_as: str, made: tuple[dict[str, Any], Any]) -> None:
    """Write a run that equals an earlier one."""
    row = made[0] | {"run_id": run_id, "same_as": same_as}
    history._put(home, f"{run_id}{history.SAME}", history.SAME_SCHEMA, row)

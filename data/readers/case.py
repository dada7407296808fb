"""Network cases of the user, MATPOWER or PyPSA: both are read into the same raw tables.

Every value is text, as in the readers of files. Reactances are per unit on 100 MVA whatever the case's own
base, so that a row means the same in both.

- `bus`: bus_id, name, kv, load_mw, area, kind (`isolated` or the carrier; null for a plain bus), island
- `branch`: branch_id, branch_kind, from_bus_id, to_bus_id, r_pu, x_pu, tap_ratio, phase_shift_deg, rating_mva,
  flow_mw, status (0 or 1)
- `gen`: plant_id, name, bus_id, fuel, capacity_mw, dispatch_mw, status
- `dcline`: dc_tie_id, from_bus_id, to_bus_id, min_mw, max_mw, flow_mw, status, carrier
- `place`: bus_id, kind, lon, lat; a row for each bus, without a place where the case gives none
- `point`: bus_id, lon, lat, substation; empty, for cases that come without a file of points
"""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from data.errors import ReadError
from data.readers._artefact import Artefact
from data.readers._matpower import MatpowerCase, parse_matpower
from data.readers.delimited import read_csv

COLUMNS = {
    "bus": ("bus_id", "name", "kv", "load_mw", "area", "kind", "island"),
    "branch": (
        "branch_id", "branch_kind", "from_bus_id", "to_bus_id", "r_pu", "x_pu", "tap_ratio",
        "phase_shift_deg", "rating_mva", "flow_mw", "status",
    ),
    "gen": ("plant_id", "name", "bus_id", "fuel", "capacity_mw", "dispatch_mw", "status"),
    "dcline": (
        "dc_tie_id", "from_bus_id", "to_bus_id", "min_mw", "max_mw", "flow_mw", "status", "carrier",
    ),
    "place": ("bus_id", "kind", "lon", "lat"),
    "point": ("bus_id", "lon", "lat", "substation"),
}  # fmt: skip
POINT_NAMES = {
    "bus_id": ("bus_id", "bus", "bus_i", "bus_number", "busnum", "number", "id", "name"),
    "lon": ("lon", "longitude", "long", "lng", "x"),
    "lat": ("lat", "latitude", "y"),
    "substation": ("substation", "substation_id", "sub_id", "sub", "station", "substation_name"),
}
BASE_MVA = 100.0
ISOLATED = 4
ALTERNATING = ("", "AC")

Frames = Mapping[str, pd.DataFrame]


def read_matpower(artefact: Artefact, *, table: str) -> pa.Table:
    """Read one table of a MATPOWER case (.m, version 2)."""
    return _table(_cached(artefact, _matpower_frames), table)


def read_pypsa(artefact: Artefact, *, table: str) -> pa.Table:
    """Read one table of a PyPSA network: NetCDF (.nc), or a folder of CSV files in a zip.

    Loads, dispatch and flows are those of the first snapshot.
    """
    return _table(_cached(artefact, _pypsa_frames), table)


def read_case_points(artefact: Artefact) -> pa.Table:
    """Read where buses stand: a CSV file of bus id, longitude and latitude, and a substation if any."""
    rows = read_csv(artefact)
    by_name = {name.strip().lower().replace(" ", "_"): name for name in reversed(rows.column_names)}
    taken: dict[str, Any] = {}
    for column, usual in POINT_NAMES.items():
        found = next((by_name[name] for name in usual if name in by_name), None)
        if found is None and column != "substation":
            message = f"{artefact.label} has no column {column!r}."
            hint = f"It has: {', '.join(rows.column_names)}. Points need bus_id, lon and lat."
            raise ReadError(message, hint)
        taken[column] = pa.nulls(len(rows), pa.string()) if found is None else rows.column(found)
    return pa.table(taken)


def _table(frames: Frames, name: str) -> pa.Table:
    if name not in COLUMNS:
        message = f"A case has no table {name!r}."
        raise ReadError(message, f"Its tables: {', '.join(COLUMNS)}.")
    frame = frames.get(name, pd.DataFrame())
    unknown = [None] * len(frame)
    return pa.table(
        {
            column: pa.array([_text(value) for value in frame.get(column, unknown)], pa.string())
            for column in COLUMNS[name]
        }
    )


def _text(value: Any) -> str | None:
    """Write a value as text; whole numbers without decimals, what is unknown as null."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, float | int | np.number | bool | np.bool_):
        number = float(value)
        return str(int(number)) if number.is_integer() else repr(number)
    return str(value).strip() or None


def _cached(artefact: Artefact, read: Callable[[Artefact], Frames]) -> Frames:
    """Parse a case once for its tables, and again when its file has changed."""
    status = artefact.path.stat()
    return _parsed(artefact, read, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=1)
def _parsed(
    artefact: Artefact, read: Callable[[Artefact], Frames], _mtime: int, _size: int
) -> Frames:
    return read(artefact)


def _matpower_frames(artefact: Artefact) -> Frames:
    content = artefact.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        # Names of people in the comments, as a rule; the tables are plain.
        text = content.decode("latin-1")
    case = parse_matpower(text, artefact.label)
    bus, branch = _matpower_bus(case), _matpower_branch(case)
    bus["island"] = _islands(bus, branch)
    return {
        "bus": bus,
        "branch": branch,
        "gen": _matpower_gen(case),
        "dcline": _matpower_dcline(case),
        "place": bus[["bus_id", "kind"]],
    }


def _matpower_bus(case: MatpowerCase) -> pd.DataFrame:
    bus = case.tables["bus"]
    return pd.DataFrame(
        {
            "bus_id": _ids(bus["BUS_I"]),
            "name": _listed(case, "bus_name", len(bus)),
            # A base of 0 kV is how cases write that they have none.
            "kv": _numbers(bus, "BASE_KV", zero=None),
            "load_mw": _loads(bus),
            "area": _ids(bus["BUS_AREA"]) if "BUS_AREA" in bus else None,
            "kind": ["isolated" if kind == ISOLATED else None for kind in _float(bus, "BUS_TYPE")],
        }
    )


def _loads(bus: pd.DataFrame) -> list[Any]:
    """Load and what shunts draw at 1 per unit, as MATPOWER's own direct-current load flow counts them."""
    shunt = np.nan_to_num(_float(bus, "GS"))
    return [
        given if isinstance(given, str) else given + more
        for given, more in zip(_numbers(bus, "PD"), shunt, strict=True)
    ]


def _matpower_branch(case: MatpowerCase) -> pd.DataFrame:
    branch, bus = case.tables["branch"], case.tables["bus"]
    to_base = BASE_MVA / case.base_mva
    kv = dict(zip(_ids(bus["BUS_I"]), _float(bus, "BASE_KV"), strict=True))
    ends = [_ids(branch[name]) for name in ("F_BUS", "T_BUS")]
    from_kv, to_kv = (np.array([kv.get(name, np.nan) for name in end]) for end in ends)
    tap, shift = _float(branch, "TAP"), _float(branch, "SHIFT")
    is_stepped = (from_kv != to_kv) & (from_kv > 0) & (to_kv > 0)
    is_transformer = is_stepped | (np.nan_to_num(tap) != 0) | (np.nan_to_num(shift) != 0)
    return pd.DataFrame(
        {
            "branch_id": [str(number) for number in range(1, len(branch) + 1)],
            "branch_kind": np.where(is_transformer, "transformer", "line"),
            "from_bus_id": ends[0],
            "to_bus_id": ends[1],
            "r_pu": _numbers(branch, "BR_R", scale=to_base),
            "x_pu": _numbers(branch, "BR_X", scale=to_base),
            # 0 is how MATPOWER writes a nominal tap.
            "tap_ratio": _numbers(branch, "TAP", zero=1.0),
            "phase_shift_deg": _numbers(branch, "SHIFT"),
            # 0 is how MATPOWER writes no limit.
            "rating_mva": _numbers(branch, "RATE_A", zero=None),
            # Only a solved case holds flows.
            "flow_mw": _numbers(branch, "PF"),
            "status": _numbers(branch, "BR_STATUS"),
        }
    )


def _matpower_gen(case: MatpowerCase) -> pd.DataFrame:
    if "gen" not in case.tables:
        return pd.DataFrame()
    gen = case.tables["gen"]
    fuel = _listed(case, "genfuel", len(gen))
    kind = _listed(case, "gentype", len(gen))
    return pd.DataFrame(
        {
            "plant_id": [str(number) for number in range(1, len(gen) + 1)],
            "name": None,
            "bus_id": _ids(gen["GEN_BUS"]),
            "fuel": [one or other for one, other in zip(fuel, kind, strict=True)],
            "capacity_mw": _numbers(gen, "PMAX"),
            "dispatch_mw": _numbers(gen, "PG"),
            # Any value above 0 is in service.
            "status": (_float(gen, "GEN_STATUS") > 0).astype(float),
        }
    )


def _matpower_dcline(case: MatpowerCase) -> pd.DataFrame:
    if "dcline" not in case.tables:
        return pd.DataFrame()
    dcline = case.tables["dcline"]
    return pd.DataFrame(
        {
            "dc_tie_id": [str(number) for number in range(1, len(dcline) + 1)],
            "from_bus_id": _ids(dcline["F_BUS"]),
            "to_bus_id": _ids(dcline["T_BUS"]),
            "min_mw": _numbers(dcline, "PMIN"),
            "max_mw": _numbers(dcline, "PMAX"),
            "flow_mw": _numbers(dcline, "PF"),
            "status": _numbers(dcline, "BR_STATUS"),
            "carrier": "DC",
        }
    )


def _ids(column: pd.Series) -> list[str | None]:
    return [_text(value) for value in column]


def _listed(case: MatpowerCase, name: str, count: int) -> list[str | None]:
    """Entries of a list beside a table; none where it does not have one for each row."""
    found = case.lists[name]
    return [entry.strip() or None for entry in found] if len(found) == count else [None] * count


def _float(frame: pd.DataFrame, name: str) -> np.ndarray:
    if name not in frame:
        return np.full(len(frame), np.nan)
    return pd.to_numeric(frame[name], errors="coerce").to_numpy(float)


def _numbers(
    frame: pd.DataFrame, name: str, *, scale: float = 1.0, zero: float | None = 0.0
) -> list[Any]:
    """Values of a column, what is no number as it stands; `zero` is what a 0 means."""
    if name not in frame:
        return [None] * len(frame)
    numbers = _float(frame, name)
    return [
        given if math.isnan(number) else zero if number == 0 else number * scale
        for given, number in zip(frame[name], numbers, strict=True)
    ]


def _islands(bus: pd.DataFrame, branch: pd.DataFrame) -> list[str | None]:
    """Tell in which connected part of the network each bus stands; the largest is 1."""
    known = bus["kind"].isna().to_numpy(bool)
    row: dict[str, int] = {}
    for number, name in enumerate(bus["bus_id"]):
        if known[number]:
            row.setdefault(name, number)
    ends = [
        (row[a], row[b])
        for a, b, status in zip(
            branch["from_bus_id"], branch["to_bus_id"], branch["status"], strict=True
        )
        if a in row and b in row and status != 0
    ]
    pairs = np.array(ends, dtype=np.int64).reshape(-1, 2)
    links = coo_array((np.ones(len(pairs)), pairs.T), shape=(len(bus), len(bus)))
    _, part = connected_components(links, directed=False)
    size = np.bincount(part)
    first = np.unique(part, return_index=True)[1]
    rank = np.empty(len(size), dtype=np.int64)
    rank[np.lexsort((first, -size))] = np.arange(1, len(size) + 1)
    return [str(rank[at]) if is_known else None for at, is_known in zip(part, known, strict=True)]


def _pypsa_frames(artefact: Artefact) -> Frames:
    try:
        from data.readers._pypsa import read_network
    except ModuleNotFoundError as error:
        message = f"{artefact.label} is a PyPSA network, and PyPSA is not installed."
        raise ReadError(
            message, "Install it with Gridstead: pip install gridstead[cases]."
        ) from error
    with artefact.on_disk() as path:
        frames = read_network(Path(path), artefact.label)
    bus = frames["bus"]
    kind = [None if (carrier or "") in ALTERNATING else carrier for carrier in bus["carrier"]]
    bus = bus.assign(kind=pd.Series(kind, index=bus.index, dtype=object))
    bus["island"] = _islands(bus, frames["branch"])
    return {**frames, "bus": bus, "place": bus[["bus_id", "kind", "lon", "lat"]]}


def tables_of(names: Sequence[str], reader: str) -> dict[str, dict[str, Any]]:
    """Catalogue entries of the tables `case_<name>` of a case, for the reader of that name."""
    return {f"case_{name}": {"reader": reader, "options": {"table": name}} for name in names}

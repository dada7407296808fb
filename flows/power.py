"""The power step: hosting capacity of every substation, kept by what it was computed from."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from data import build as builds
from data import store
from data.capacity import REJECT_COLUMNS, read_capacity
from data.load_series import read_load_series
from data.stage import REFERENCE_DIR
from data.study import Study
from flows import keys
from flows.home import Home
from flows.results import Log, attach, beside, is_there, layer_content, write, write_arrays
from geo.power.constraints import SharedConstraints
from geo.power.flexible import duration_levels, load_levels
from geo.power.hosting import ENDS
from geo.power.import_estimate import circuits_of_lines, import_estimate
from geo.power.local import feeding_substations, load_by_people
from geo.power.network import Network
from geo.power.override import apply_capacity
from geo.power.rules import End, PowerRules
from geo.power.sharing import Sharing
from geo.power.substations import Solved, SubstationPower, substation_power
from geo.power.topology import Topology, build_topology

# Canonical layers that each method reads.
LAYERS = {
    "load_flow": ("substation", "bus", "branch", "plant", "dc_tie"),
    "import_estimate": ("substation", "line", "plant", "people"),
}
# Tables beside that of the substations, which stand in files of the same stem.
BESIDE = ("constraint", "waived", "sensitivity", "note")
REJECTED = "rejected"
# Of a load flow: the case for granting megawatts, and the limits that substations share.
FLOW_SUFFIX = ".flow.npz"
SHARED_SUFFIX = ".shared.npz"
# Of a topology that was built from the courses of lines.
LINE = "line"
CIRCUIT_SUFFIX = ".circuit.parquet"
SHARED = ("power_constraint", "power_constraint_substation")
# Columns of the substations' table, with those that only some methods know as missing.
TEXTS = (
    *("substation_id", "substation_name", "interconnect", "zone_id", "source_id", "method"),
    *("capacity_as_of", "capacity_source", "connect_bus_id"),
    *("limit_kind", "limit_branch_id", "limit_outage_id", "limit_text"),
)
NUMBERS = (
    *("lon", "lat", "kv_max", "kv_min", "load_mw", "confidence", "connect_kv"),
    *("circuit_count", "largest_circuit_mw", "import_n1_mw"),
    *("headroom_mw_low", "headroom_mw_mid", "headroom_mw_high", "headroom_n0_mw"),
    *(f"flexible_{code}_mw_{end}" for code in ("025", "050", "100") for end in ENDS),
    *("reserve_zone_mw", "reserve_interconnection_mw"),
)
FLAGS = ("is_inferred", "is_single_fed")
# The tables beside it, where a method has nothing to tell.
NO_ROWS = {
    "constraint": (
        *("substation_id", "order_no", "branch_id", "outage_branch_id", "element_text"),
        *("limit_text", "mw_per_mw", "margin_mw", "alone_mw"),
    ),
    "waived": (
        *("interconnect", "branch_id", "outage_branch_id", "limit_text", "flow_mw", "limit_mw"),
    ),
    "sensitivity": (
        *("interconnect", "kv_class", "case_name", "substation_count", "median_mw", "p10_mw"),
        *("p90_mw", "zero_share", "median_n0_mw", "rank_correlation"),
    ),
    "note": ("code", "subject_kind", "subject_id", "detail"),
    "power_constraint": (
        *("constraint_no", "branch_id", "branch_text", "branch_kind", "kv"),
        *("from_substation_id", "to_substation_id", "outage_branch_id", "outage_text"),
        *("is_forward", "limit_mw", "base_flow_mw", "margin_mw", "substation_count"),
    ),
    "power_constraint_substation": ("constraint_no", "substation_id", "mw_per_mw"),
    LINE: ("line_id", "kv", "is_inferred", "confidence", "how"),
}


def make_power(
    study: Study, layers: Path, home: Home, log: Log, capacity: Sequence[Path] = ()
) -> Path:
    """Compute what every substation can host, or reuse it when nothing it comes from has changed.

    It counts by the rows of the layers that the study's method reads, wherever they come from. Files of
    stated capacities take the place of what was computed, which is kept without them.

    Returns
    -------
    Path
        One row a substation, those that were inferred or stated among them; beside it, with the same
        stem, `.constraint`, `.waived`, `.sensitivity`, `.note`, `.line`, those of `SHARED` and `.rejected` (rows
        of capacity files), each `.parquet`; of a load flow also `.flow.npz` and `.shared.npz`, from which several
        are granted megawatts; of a topology built from courses `.circuit.parquet`.

    Raises
    ------
    InputError
        A file of capacities or the load series is missing or cannot be used.
    GeoError
        The network case has no solution.
    """
    computed = _computed(study, layers, home, log)
    if not capacity:
        return computed
    stated = [(path.name, keys.file_key(path)) for path in capacity]
    key = keys.key_of(computed.name, stated, keys.code_key(keys.POWER_CODE))
    target = home.work / f"power-{key}.parquet"
    if is_there(target, "stated capacities", log):
        return target
    files = [read_capacity(path) for path in capacity]
    good = pd.concat([file.good for file in files], ignore_index=True)
    substation, unmatched = apply_capacity(pd.read_parquet(computed), good)
    rejected = pd.concat([*(file.rejected for file in files), unmatched], ignore_index=True)
    for name in (*BESIDE, *SHARED, LINE):
        _same(beside(computed, name), beside(target, name))
    for suffix in (FLOW_SUFFIX, SHARED_SUFFIX, CIRCUIT_SUFFIX):
        if computed.with_suffix(suffix).is_file():
            _same(computed.with_suffix(suffix), target.with_suffix(suffix))
    write(rejected, beside(target, REJECTED))
    write(complete(substation), target)
    count = int((substation["method"] == "user").sum())
    log(f"{count:,} substations as stated by {', '.join(path.name for path in capacity)}")
    return target


def _computed(study: Study, layers: Path, home: Home, log: Log) -> Path:
    names = LAYERS[study.headroom_method]
    with store.create() as con:
        attach(con, layers)
        content = layer_content(con, names)
        series = read_load_series(study.load_series) if study.load_series else None
        key = keys.key_of(
            study.headroom_method,
            content,
            None if series is None else series.tolist(),
            keys.code_key(keys.POWER_CODE),
        )
        target = home.work / f"power-{key}.parquet"
        if is_there(target, "power", log):
            return target
        frames = {name: builds.layer_frame(con, name) for name in names}
    line = pd.DataFrame(columns=[*NO_ROWS[LINE]])
    if study.headroom_method == "load_flow":
        power, solved = _load_flow(frames, series, log)
        shared = _keep_flow(solved, target)
    else:
        power, topology = _import_estimate(frames, log)
        if topology is not None:
            line = topology.line
            write(topology.circuit, target.with_suffix(CIRCUIT_SUFFIX))
        shared = {name: pd.DataFrame(columns=[*NO_ROWS[name]]) for name in SHARED}
    for name, frame in (shared | {LINE: line}).items():
        write(frame, beside(target, name))
    for name in BESIDE:
        write(getattr(power, name), beside(target, name))
    write(pd.DataFrame(columns=[*REJECT_COLUMNS], dtype=str), beside(target, REJECTED))
    # Last: the others are there whenever it is.
    write(complete(power.substation), target)
    return target


def _load_flow(
    frames: dict[str, Any], series: np.ndarray | None, log: Log
) -> tuple[SubstationPower, Solved]:
    rules = PowerRules.from_frame(_reference("power_rule"))
    network = Network.from_frames(
        *(frames[name] for name in ("bus", "branch", "plant", "dc_tie")),
        rules.ratings(_reference("line_class")),
    )
    log(
        f"load flow: {network.bus_id.size:,} buses, {int(network.is_active.sum()):,} active branches, "
        f"{network.island.max() + 1:,} islands, base flows "
        f"{'published' if network.is_flow_published else 'computed'}"
    )
    power, solved = substation_power(network, frames["substation"], rules, _hours(series))
    mid = power.substation["headroom_mw_mid"]
    log(
        f"load flow: {len(mid):,} substations, median {mid.median():,.0f} MW, "
        f"{(mid <= 0).mean():.1%} at 0, {len(power.waived):,} limits waived"
    )
    return power, solved


def _keep_flow(solved: Solved, target: Path) -> dict[str, pd.DataFrame]:
    """Keep what is needed to grant megawatts to several substations at once; give the tables of it."""
    case = PowerRules.from_frame(_reference("power_rule")).case("mid")
    sharing = Sharing.of(solved.network, solved.islands, case)
    write_arrays(sharing.to_arrays(), target.with_suffix(FLOW_SUFFIX))
    shared = SharedConstraints.of(solved.network, solved.islands, solved.hosting, case)
    ids = {"substation_id": solved.substation_id.astype(str)}
    write_arrays(shared.to_arrays() | ids, target.with_suffix(SHARED_SUFFIX))
    tables = (
        shared.frame(solved.network, solved.names, case),
        shared.leaning(solved.substation_id),
    )
    return dict(zip(SHARED, tables, strict=True))


def read_shared(power: Path, headroom: pd.DataFrame) -> SharedConstraints | None:
    """Read what substations share, by the rows of their table; None where no load flow was solved.

    What was stated of a substation says nothing of the limits that it shares.
    """
    path = power.with_suffix(SHARED_SUFFIX)
    if not path.is_file():
        return None
    with np.load(path, allow_pickle=False) as file:
        arrays = dict(file)
    ids = arrays.pop("substation_id")
    row = pd.Series(np.arange(ids.size), index=ids.astype(object))
    is_computed = (headroom["method"] == "load_flow").to_numpy(bool, na_value=False)
    site = headroom["substation_id"].map(row).fillna(-1).to_numpy(np.int64)
    own_mw = headroom["headroom_mw_mid"].to_numpy(float)
    return SharedConstraints.from_arrays(arrays).at(np.where(is_computed, site, -1), own_mw)


def _hours(series: np.ndarray | None) -> dict[End, np.ndarray]:
    """Levels of the hours of a year; less load over the year leaves more to a flexible one."""
    if series is not None:
        levels = load_levels(series)
        return {"low": levels, "mid": levels, "high": levels}
    curve = _reference("load_duration")
    share = curve["share_of_hours"].to_numpy(float)
    columns: dict[End, str] = {"low": "level_high", "mid": "level_mid", "high": "level_low"}
    return {
        end: duration_levels(share, curve[name].to_numpy(float)) for end, name in columns.items()
    }


def _import_estimate(frames: dict[str, Any], log: Log) -> tuple[SubstationPower, Topology | None]:
    substation, line, plant = frames["substation"], frames["line"], frames["plant"]
    topology = None
    if line["from_substation_id"].notna().any():
        circuit = circuits_of_lines(line)
    else:
        topology = build_topology(line, substation, plant)
        substation, circuit = topology.substation, topology.circuit
        inferred = int(substation["is_inferred"].sum())
        log(f"topology: {len(circuit):,} circuits, {inferred:,} substations inferred")
    plant = plant.assign(substation_id=feeding_substations(plant, substation))
    classes, calibration = _reference("line_class"), _reference("import_calibration")
    if substation["load_mw"].isna().any():
        told = import_estimate(substation, circuit, plant, classes, calibration)
        peak = _reference("peak_load")["peak_kw_per_person"].item()
        import_mw = told["import_n1_mw"].to_numpy(float)
        load_mw = load_by_people(frames["people"], substation, import_mw, peak)
        load_mw = substation["load_mw"].fillna(pd.Series(load_mw, substation.index))
        substation = substation.assign(load_mw=load_mw)
    told = import_estimate(substation, circuit, plant, classes, calibration)
    known = told["headroom_mw_mid"].notna()
    told = told.assign(
        method="import_estimate",
        connect_kv=substation["kv_max"].fillna(told["kv_class"]).to_numpy(),
        limit_kind=pd.Series("circuits", told.index, "string").where(known),
        limit_text=_circuit_words(told, substation["load_mw"]).where(known),
    )
    log(
        f"import estimate: {int(known.sum()):,} of {len(told):,} substations, "
        f"median {told['headroom_mw_mid'].median():,.0f} MW"
    )
    no_rows = {name: pd.DataFrame(columns=[*NO_ROWS[name]]) for name in BESIDE}
    return SubstationPower(substation.merge(told, on="substation_id"), **no_rows), topology


def _circuit_words(told: pd.DataFrame, load_mw: pd.Series) -> pd.Series:
    """Say of each substation which circuits its estimate counts."""
    return pd.Series(
        [
            f"{count:,} circuit{'' if count == 1 else 's'}"
            + (f", all but the largest ({largest:,.0f} MW)" if not single and count > 1 else "")
            + f", less a load of {load:,.0f} MW"
            for count, largest, single, load in zip(
                told["circuit_count"],
                told["largest_circuit_mw"],
                told["is_single_fed"],
                load_mw,
                strict=True,
            )
        ],
        told.index,
        "string",
    )


def complete(substation: pd.DataFrame) -> pd.DataFrame:
    """Give the columns of every table of substations, whatever a method tells."""
    out = substation.reindex(columns=[*TEXTS, *NUMBERS, *FLAGS])
    out["is_inferred"] = out["is_inferred"].astype("boolean").fillna(value=False)
    out["confidence"] = out["confidence"].astype(float).fillna(1.0)
    return out.astype(
        {
            **dict.fromkeys(TEXTS, "string"),
            **dict.fromkeys(NUMBERS, "float64"),
            "circuit_count": "Int64",
            **dict.fromkeys(FLAGS, "boolean"),
        }
    )


def _reference(name: str) -> pd.DataFrame:
    return pd.read_csv(REFERENCE_DIR / f"{name}.csv")


def _same(source: Path, target: Path) -> None:
    """Let a file stand under a second name."""
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)

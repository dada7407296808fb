"""Hosting capacity of substations: each at its best bus, as an interval, with what limits it.

A substation takes a new load at the bus of `LOWEST_KV` or more that serves most after any single outage; all else
that is told of it (interval, limits, flexible load) is of that bus.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from geo.power.flexible import flexible_mw
from geo.power.hosting import (
    ENDS,
    Hosting,
    Island,
    hosting_capacity,
    prepare_islands,
    waived_elements,
    waived_pairs,
)
from geo.power.naming import Names
from geo.power.network import LOWEST_KV, NOTE_COLUMNS, Network
from geo.power.rules import LEVELS, End, PowerRules
from geo.power.sensitivity import is_single_fed

CLASSES_KV = (69.0, 115.0, 138.0, 161.0, 230.0, 345.0, 500.0, 765.0)
# Curtailed shares of the yearly energy, as columns name them.
CURTAILED = {"025": 0.0025, "050": 0.005, "100": 0.01}
# Buses on which parameters are varied one at a time: medians and shares need no more.
SAMPLE = 5_000
WAIVED_COLUMNS = (
    *("interconnect", "branch_id", "outage_branch_id", "limit_text", "flow_mw", "limit_mw"),
)


@dataclass(frozen=True, eq=False)
class Solved:
    """A network with the capacity of its substations' best buses, from which shared limits are found.

    Attributes
    ----------
    network, islands
        The case.
    hosting
        Capacities under all cases, of one bus a substation.
    substation_id
        Substation of each bus of `hosting`.
    names
        Words for branches.
    """

    network: Network
    islands: Sequence[Island]
    hosting: Hosting
    substation_id: np.ndarray
    names: Names


@dataclass(frozen=True, eq=False)
class SubstationPower:
    """What the load flow says of substations.

    Attributes
    ----------
    substation
        One row a substation, in the order given: its columns, and those of the power step.
    constraint
        Tightest constraints of each, mid case: `substation_id`, `order_no` from 1, `branch_id`,
        `outage_branch_id` (None: intact), `limit_text`, `element_text`, `mw_per_mw` (sign: direction),
        `margin_mw` and `alone_mw`, the load at which it binds if this site is the only new one.
    waived
        Elements, and pairs of element and outage, that are over their limit before any new load.
    sensitivity
        Of each case, by interconnection and voltage class (missing: all).
    note
        What was odd in the case.
    """

    substation: pd.DataFrame
    constraint: pd.DataFrame
    waived: pd.DataFrame
    sensitivity: pd.DataFrame
    note: pd.DataFrame


def substation_power(
    network: Network,
    substation: pd.DataFrame,
    rules: PowerRules,
    hours: Mapping[End, np.ndarray],
) -> tuple[SubstationPower, Solved]:
    """Hosting capacity of every substation of a network.

    Parameters
    ----------
    network
        The case.
    substation
        Columns of core.substation.
    rules
        Parameters.
    hours
        Level of the system in hours of equal weight, share of the peak, that each end assumes.

    Raises
    ------
    GeoError
        Negative reactances cancel, so that flows are not defined.
    """
    islands = prepare_islands(network)
    bus = best_bus(network, islands, substation["substation_id"], rules)
    has_bus = bus >= 0
    hosting = hosting_capacity(network, islands, rules.published(), bus[has_bus])
    names = Names(network, substation.set_index("substation_id")["substation_name"])
    ids = substation["substation_id"].to_numpy(object)
    row = np.full(len(ids), -1)
    row[has_bus] = np.arange(has_bus.sum())
    told = substation.assign(
        **_told(network, hosting, names, row),
        **_flexible(hosting, rules, hours, row),
        **_circuits(network, ids),
        **_reserves(network, substation),
    )
    power = SubstationPower(
        told,
        _constraints(network, hosting, names, ids[has_bus]),
        _waived(network, islands, names, rules.alone["emergency_factor"][1]),
        pd.concat(
            [
                sensitivity_of(network, hosting),
                vary(network, islands, rules, hosting.bus),
            ],
            ignore_index=True,
        ),
        _notes(network, ids[~has_bus]),
    )
    return power, Solved(network, islands, hosting, ids[has_bus], names)


def best_bus(
    network: Network, islands: Sequence[Island], substation_id: pd.Series, rules: PowerRules
) -> np.ndarray:
    """Bus at which each substation takes most new load, shape (substations,); -1 where it has none.

    Of equals the one with the higher intact capacity, the higher voltage, the lower id.
    """
    number = pd.Series(np.arange(len(substation_id)), index=substation_id.to_numpy())
    buses = network.connectable_buses
    of = pd.Series(network.bus_substation[buses]).map(number).fillna(-1).to_numpy(np.int64)
    buses, of = buses[of >= 0], of[of >= 0]
    out = np.full(len(substation_id), -1)
    out[of] = buses
    # Most have one bus, and no choice.
    has_more = np.bincount(of, minlength=out.size)[of] > 1
    asked, of = buses[has_more], of[has_more]
    hosting = hosting_capacity(network, islands, [rules.case("mid")], asked)
    intact, secure = hosting.intact_mw[0], hosting.secure_mw[0]
    order = np.lexsort((asked, -network.bus_kv[asked], -intact, -secure, of))
    found, at = np.unique(of[order], return_index=True)
    out[found] = asked[order[at]]
    return out


def vary(
    network: Network, islands: Sequence[Island], rules: PowerRules, bus: np.ndarray
) -> pd.DataFrame:
    """Summarise what each parameter alone does, as `sensitivity_of`, on an even sample of the buses."""
    sample = np.sort(bus)[:: -(-bus.size // SAMPLE) or 1]
    found = sensitivity_of(network, hosting_capacity(network, islands, rules.varied(), sample))
    return found[found["case_name"] != rules.case("mid").name]


def sensitivity_of(network: Network, hosting: Hosting) -> pd.DataFrame:
    """Summarise each case by interconnection and voltage class.

    Returns
    -------
    DataFrame
        `interconnect`, `kv_class` (missing: all), `case_name`, `substation_count`, `median_mw`, `p10_mw`,
        `p90_mw`, `zero_share`, `median_n0_mw` and `rank_correlation` with mid (Spearman).
    """
    place = network.bus_interconnect[hosting.bus]
    kv = kv_class(network.bus_kv[hosting.bus])
    every = np.ones(hosting.bus.size, dtype=bool)
    groups = [(None, np.nan, every)]
    for name in sorted({name for name in place if name is not None}):
        groups += [(name, np.nan, place == name)]
        groups += [(name, at, (place == name) & (kv == at)) for at in np.unique(kv)]
    groups += [(None, at, kv == at) for at in np.unique(kv)]
    rows = []
    for name, at, held in groups:
        if not held.any():
            continue
        mid = hosting.secure_mw[0, held]
        for number, case in enumerate(hosting.cases):
            mw, intact = hosting.secure_mw[number, held], hosting.intact_mw[number, held]
            low, median, high = np.quantile(mw, (0.1, 0.5, 0.9))
            rows.append(
                {
                    "interconnect": name, "kv_class": at, "case_name": case,
                    "substation_count": int(held.sum()), "median_mw": median, "p10_mw": low,
                    "p90_mw": high, "zero_share": (mw <= 0).mean(),
                    "median_n0_mw": np.median(intact), "rank_correlation": spearman(mid, mw),
                }
            )  # fmt: skip
    return pd.DataFrame(rows)


def kv_class(kv: np.ndarray) -> np.ndarray:
    """Give the voltage class nearest by ratio to each voltage, kV."""
    ratio = np.abs(np.log(kv[:, None] / np.array(CLASSES_KV)[None, :]))
    return np.array(CLASSES_KV)[ratio.argmin(axis=1)]


def spearman(one: np.ndarray, other: np.ndarray) -> float:
    """Rank correlation; NaN where either does not vary."""
    ranks = [pd.Series(values).rank().to_numpy() for values in (one, other)]
    deviations = [rank - rank.mean() for rank in ranks]
    norm = np.sqrt(np.prod([(each * each).sum() for each in deviations]))
    return float((deviations[0] * deviations[1]).sum() / norm) if norm > 0 else np.nan


def ordered(hosting: Hosting) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Low, mid and high N-1 capacity of each site, MW.

    Less load can take away a counterflow, so that the assumptions of one end need not give the
    lower figure everywhere: what lies on the wrong side of mid counts as mid.
    """
    low, mid, high = (hosting.secure_mw[hosting.cases.index(e)] for e in ("low", "mid", "high"))
    return np.minimum(low, mid), mid, np.maximum(high, mid)


def _told(
    network: Network, hosting: Hosting, names: Names, row: np.ndarray
) -> dict[str, np.ndarray]:
    """Columns of the capacity; `row` is the site of each substation, -1 where it has none."""
    low, mid, high = ordered(hosting)
    texts = [_limit(network, hosting, names, site) for site in range(hosting.bus.size)]
    kinds, branches, outages, words = zip(*texts, strict=True) if texts else ((), (), (), ())
    numbers = {
        "connect_kv": network.bus_kv[hosting.bus],
        "headroom_mw_low": low,
        "headroom_mw_mid": mid,
        "headroom_mw_high": high,
        "headroom_n0_mw": hosting.intact_mw[0],
    }
    told = {
        "connect_bus_id": network.bus_id[hosting.bus],
        "is_single_fed": is_single_fed(network)[hosting.bus],
        "limit_kind": _objects(kinds),
        "limit_branch_id": _objects(branches),
        "limit_outage_id": _objects(outages),
        "limit_text": _objects(words),
    }
    has = row >= 0
    out = {name: _spread(values, row, np.nan) for name, values in numbers.items()}
    out |= {name: _spread(values, row, None) for name, values in told.items()}
    out["limit_text"][~has] = f"it has no bus of {LOWEST_KV:g} kV or more"
    out["method"] = np.full(row.size, "load_flow", dtype=object)
    return out


def _flexible(
    hosting: Hosting, rules: PowerRules, hours: Mapping[End, np.ndarray], row: np.ndarray
) -> dict[str, np.ndarray]:
    """Load that gives way for a share of its energy: of each share low, mid and high."""
    levels, shares = np.array(LEVELS), np.array([*CURTAILED.values()])
    mw = {
        end: flexible_mw(
            levels,
            hosting.secure_mw[rules.levels_of(end, hosting.cases)],
            hours[end],
            shares,
        )
        for end in ENDS
    }
    low, mid, high = np.minimum(mw["low"], mw["mid"]), mw["mid"], np.maximum(mw["mid"], mw["high"])
    return {
        f"flexible_{code}_mw_{end}": _spread(values[number], row, np.nan)
        for number, code in enumerate(CURTAILED)
        for end, values in zip(ENDS, (low, mid, high), strict=True)
    }


def _limit(
    network: Network, hosting: Hosting, names: Names, site: int
) -> tuple[str, str | None, str | None, str]:
    """Kind, branch, outage and words of what limits a site in the mid case."""
    bus = int(hosting.bus[site])
    branch, outage = int(hosting.limit_branch[0, site]), int(hosting.limit_outage[0, site])
    if branch >= 0:
        outage_id = network.branch_id[outage] if outage >= 0 else None
        return "branch", network.branch_id[branch], outage_id, names.limit(branch, outage)
    if hosting.secure_mw[0, site] > 0:
        return "supply", None, None, names.supply(bus)
    return "no_supply", None, None, names.no_supply(bus)


def _constraints(
    network: Network, hosting: Hosting, names: Names, substation_id: np.ndarray
) -> pd.DataFrame:
    site, order = np.nonzero(hosting.tight_branch >= 0)
    branch, outage = hosting.tight_branch[site, order], hosting.tight_outage[site, order]
    outage_id = network.branch_id[np.maximum(outage, 0)].astype(object)
    outage_id[outage < 0] = None
    return pd.DataFrame(
        {
            "substation_id": substation_id[site],
            "order_no": order + 1,
            "branch_id": network.branch_id[branch],
            "outage_branch_id": outage_id,
            "element_text": [names.branch(each) for each in branch.tolist()],
            "limit_text": [
                names.limit(*pair) for pair in zip(branch.tolist(), outage.tolist(), strict=True)
            ],
            "mw_per_mw": hosting.tight_factor[site, order],
            "margin_mw": hosting.tight_margin_mw[site, order],
            "alone_mw": np.maximum(hosting.tight_mw[site, order], 0.0),
        }
    )


def _circuits(network: Network, substation_id: np.ndarray) -> dict[str, np.ndarray]:
    """Lines of each substation to others that are in service, at their mid rating."""
    number = pd.Series(np.arange(substation_id.size), index=substation_id)
    of_bus = pd.Series(network.bus_substation).map(number).fillna(-1).to_numpy(np.int64)
    ends = np.stack([of_bus[network.from_bus], of_bus[network.to_bus]])
    mw = network.rating_mva[:, 1]
    held = network.is_active & (ends[0] != ends[1]) & np.isfinite(mw)
    at, mw = ends[:, held].ravel(), np.tile(mw[held], 2)
    at, mw = at[at >= 0], mw[at >= 0]
    count = np.bincount(at, minlength=substation_id.size)
    largest = np.zeros(substation_id.size)
    np.maximum.at(largest, at, mw)
    total = np.bincount(at, mw, minlength=substation_id.size)
    return {
        "circuit_count": count,
        "largest_circuit_mw": np.where(count > 0, largest, np.nan),
        "import_n1_mw": np.where(count > 0, np.maximum(total - largest, 0.0), np.nan),
    }


def _reserves(network: Network, substation: pd.DataFrame) -> dict[str, np.ndarray]:
    """Headroom of the committed firm units of the interconnection and of the zone, MW."""
    is_in = network.gen_is_firm & network.gen_is_committed
    mw = pd.Series(np.where(is_in, network.gen_headroom_mw, 0.0))
    out = {}
    for name, of_bus, column in (
        ("reserve_interconnection_mw", network.bus_interconnect, "interconnect"),
        ("reserve_zone_mw", network.bus_zone, "zone_id"),
    ):
        by_place = mw.groupby(of_bus[network.gen_bus], dropna=True).sum()
        known = substation[column].isin(pd.unique(pd.Series(of_bus).dropna()))
        found = (
            substation[column].map(by_place).fillna(0.0).where(known & substation[column].notna())
        )
        out[name] = found.to_numpy(float)
    return out


def _waived(
    network: Network, islands: Sequence[Island], names: Names, emergency_factor: float
) -> pd.DataFrame:
    """Elements and pairs over their limit before any new load, worst first."""
    rows = []
    for element in waived_elements(network).tolist():
        flow, limit = network.flow_mw[element], network.rating_mva[element, 1]
        rows.append((element, -1, flow, limit))
    for island in islands:
        elements, outages, flows = waived_pairs(network, island, emergency_factor)
        limits = emergency_factor * network.rating_mva[elements, 1]
        rows += zip(
            elements.tolist(), outages.tolist(), flows.tolist(), limits.tolist(), strict=True
        )
    rows.sort(key=lambda row: (-abs(row[2]) / row[3], row[0], row[1]))
    told = [
        (
            network.bus_interconnect[network.from_bus[element]],
            network.branch_id[element],
            network.branch_id[outage] if outage >= 0 else None,
            names.limit(element, outage),
            flow,
            limit,
        )
        for element, outage, flow, limit in rows
    ]
    frame = pd.DataFrame(told, columns=list(WAIVED_COLUMNS))
    return frame.astype({"flow_mw": float, "limit_mw": float})


def _notes(network: Network, without_bus: np.ndarray) -> pd.DataFrame:
    """Add to the notes of the case what keeps substations from having a capacity."""
    detail = f"{without_bus.size:,} substations without a bus of {LOWEST_KV:g} kV or more; unknown"
    rows = [("no_bus", "substation", None, detail)] if without_bus.size else []
    own = pd.DataFrame(rows, columns=list(NOTE_COLUMNS))
    return pd.concat([network.notes.astype(object), own.astype(object)], ignore_index=True)


def _spread(values: np.ndarray, row: np.ndarray, missing: float | None) -> np.ndarray:
    """Values of the sites on substations; `missing` where a substation has none."""
    out = np.full(row.size, missing, dtype=float if missing is not None else object)
    out[row >= 0] = values[row[row >= 0]]
    return out


def _objects(values: Sequence[str | None]) -> np.ndarray:
    out = np.empty(len(values), dtype=object)
    out[:] = values
    return out

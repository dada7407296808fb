"""Answers which sites to take together, from a published build."""

import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from data import build as builds
from data import store
from data.errors import BuildError, GridsteadError, UsageError
from data.stage import REFERENCE_DIR
from flows.asking import honest
from flows.exporting import require_workload
from flows.filling import BY_LOAD_FLOW
from flows.reporting import rows_of
from flows.show import Shown, records
from geo.decide.portfolio import Demand, Limits, Offers, Portfolio, Shortfall, choose
from geo.decide.pushing import Pushing
from geo.geodesy import KM_PER_MILE, geodesic_km
from geo.power.hosting import prepare_islands
from geo.power.network import Network
from geo.power.rules import PowerRules
from geo.power.sharing import Sharing

MOST_SITES = 100
# Sites of very different size are one campus and its annexes: each has from half to twice the even share.
LEAST_SHARE, MOST_SHARE = 0.5, 2.0
# Difference of a site's capacity to the published one from which the load flow is another than the build's, MW.
SAME_MW = 0.01
SHOWN_LIMITS = 5
COLUMNS = {
    "parcel_id": "parcel",
    "parcel_name": "where",
    "county_name": "county",
    "mw": "MW",
    "score": "score",
    "rank": "rank",
    "headroom_mw_low": "alone: MW low",
    "headroom_mw_mid": "mid",
    "headroom_mw_high": "high",
    "substation_name": "substation",
    "nearest_mi": "next site mi",
}
COST_COLUMNS = {"cost_low": "cost low", "cost_mid": "mid", "cost_high": "high"}


class Asked(NamedTuple):
    """Words of the command line."""

    mw: float | None
    sites: int
    spacing_mi: float
    least_mw: float | None
    most_mw: float | None
    ms: float | None
    by: str | None


def portfolio(build: Path, workload: str, asked: Asked) -> Shown:
    """Choose sites of a workload that are best together.

    Parameters
    ----------
    build
        Published build; nothing else is read.
    workload
        Profile.
    asked
        What is wanted. Training is chosen for MW, and by cost where the build has it; inference for people.

    Raises
    ------
    UsageError
        What is asked for is none.
    GridsteadError
        There is no such portfolio; the hint says what can be had.
    """
    _check(asked)
    with store.open_build(build) as con:
        require_workload(con, workload)
        run = rows_of(con, "query/run")[0]
        profile = next(
            row for row in rows_of(con, "query/portfolio_workload") if row["workload"] == workload
        )
        if _is_inference(profile):
            from flows.portfolio_people import cover_people

            return cover_people(con, run, profile, asked)
        if asked.mw is None:
            msg = f"A portfolio of {workload} needs its megawatts."
            raise UsageError(msg, "Say them with --mw, for example --mw 3000.")
        if asked.ms is not None:
            msg = f"--ms is for inference, and {workload} is training."
            raise UsageError(msg, "Leave it out.")
        return _for_mw(con, run, workload, asked._replace(mw=asked.mw))


def _is_inference(profile: dict[str, Any]) -> bool:
    """Tell what a workload is chosen by; builds of older versions do not say."""
    return profile.get("objective", profile["workload"].partition("_")[0]) == "inference"


def _check(asked: Asked) -> None:
    if not 1 <= asked.sites <= MOST_SITES:
        msg = f"--sites {asked.sites} is no number of sites."
        raise UsageError(msg, f"Ask for 1 to {MOST_SITES}.")
    for name, value in (
        ("--mw", asked.mw),
        ("--least-mw", asked.least_mw),
        ("--most-mw", asked.most_mw),
    ):
        if value is not None and not 0.0 < value < np.inf:
            msg = f"{name} {value:g} is no load."
            raise UsageError(msg, "Give megawatts above 0.")
    if not 0.0 <= asked.spacing_mi < np.inf:
        msg = f"--min-spacing-mi {asked.spacing_mi:g} is no distance."
        raise UsageError(msg, "Give miles, 0 or more.")


def demand_of(asked: Asked) -> Demand:
    """Complete what is asked for: a site has from half to twice the even share where nothing else is said.

    Raises
    ------
    UsageError
        Sites of the sizes that are allowed cannot add up to the megawatts.
    """
    assert asked.mw is not None
    share = asked.mw / asked.sites
    most = MOST_SHARE * share if asked.most_mw is None else asked.most_mw
    least = min(LEAST_SHARE * share, most) if asked.least_mw is None else asked.least_mw
    if asked.most_mw is None:
        most = max(most, least)
    if least > most:
        msg = f"--least-mw {least:g} is more than --most-mw {most:g}."
        raise UsageError(msg, "Give a site no less at most than at least.")
    if not asked.sites * least <= asked.mw <= asked.sites * most:
        msg = f"{asked.sites} sites of {least:,.0f} to {most:,.0f} MW each do not add up to {asked.mw:,.0f} MW."
        raise UsageError(msg, "Change --sites, --least-mw or --most-mw.")
    return Demand(asked.mw, asked.sites, least, most, asked.spacing_mi)


@dataclass(frozen=True, eq=False)
class Market:
    """Parcels that may be taken, their substations, and what these share, out of a build.

    Attributes
    ----------
    offer
        Parcels with `worth` (of a MW) and, where costs are known, `cost_low`, `cost_mid`, `cost_high`.
    substation
        Theirs, one row each; `Offers.substation` numbers them.
    limits
        Published limits, then the supplies of interconnections and the zones.
    limit_text
        Of each in words.
    objective
        `score`, or that of the costs.
    """

    offer: pd.DataFrame
    substation: pd.DataFrame
    limits: Limits
    limit_text: np.ndarray
    objective: str

    def offers(self) -> Offers:
        """Parcels as arrays."""
        number = pd.Index(self.substation["substation_id"]).get_indexer(self.offer["substation_id"])
        at = (self.offer[name].to_numpy(float) for name in ("lon", "lat"))
        return Offers(
            self.offer["worth"].to_numpy(float),
            self.offer["capacity_mw"].to_numpy(float),
            number.astype(np.int64),
            *at,
        )


def market_of(
    con: duckdb.DuckDBPyConnection, workload: str, least_mw: float, by: str | None = None
) -> Market:
    """Read the parcels of a workload whose substations have so many megawatts, and what these share.

    Parameters
    ----------
    by
        `score` or `cost`; by default the cost, where the build has it.

    Raises
    ------
    UsageError
        The cost is asked for and not known.
    """
    offer = store.query_file(con, "query/portfolio_offer", {"workload": workload}).df()
    offer = offer[offer["capacity_mw"] >= least_mw].reset_index(drop=True)
    objective, cost = "score", None
    if by != "score":
        cost = _cost(con, workload)
        if by == "cost" and cost is None:
            msg = f"The build has no costs of {workload}."
            raise UsageError(msg, "Choose by score: --by score, or run `gridstead run` anew.")
    if cost is None:
        offer["worth"] = offer["score"] / 100.0
    else:
        objective = str(cost["objective"].iloc[0])
        cost = cost.drop(columns="objective").rename(
            columns={end: f"cost_{end}" for end in ("low", "mid", "high")}
        )
        offer = offer.merge(cost, on="parcel_id")
        offer["worth"] = -offer["cost_mid"]
    ids = sorted(set(offer["substation_id"]))
    told = {"substation_ids": ids}
    substation = store.query_file(con, "query/portfolio_substation", told).df()
    shared = store.query_file(con, "query/portfolio_limit", told).df()
    limits, text = _limits(substation, shared)
    return Market(offer, substation, limits, text, objective)


def _cost(con: duckdb.DuckDBPyConnection, workload: str) -> pd.DataFrame | None:
    """Read the costs of parcels; None where the build has none."""
    try:
        found = store.query_file(con, "query/portfolio_cost", {"workload": workload}).df()
    except BuildError:
        return None
    return None if found.empty else found


def _limits(substation: pd.DataFrame, shared: pd.DataFrame) -> tuple[Limits, np.ndarray]:
    """Limits that substations share whose capacity the load flow gives; what was stated shares nothing."""
    flows = (substation["method"] == BY_LOAD_FLOW).to_numpy(bool, na_value=False)
    number = pd.Index(substation["substation_id"]).get_indexer(shared["substation_id"])
    shared = shared[flows[number]]
    number = number[flows[number]]
    constraint, row = np.unique(shared["constraint_no"].to_numpy(np.int64), return_inverse=True)
    first = shared.drop_duplicates("constraint_no").set_index("constraint_no")["margin_mw"]
    rows, columns = [row], [number]
    factors = [shared["mw_per_mw"].to_numpy(float)]
    margins = [first.reindex(constraint).to_numpy(float)]
    text: list[str] = [f"constraint {each}" for each in constraint.tolist()]
    count = constraint.size
    for column, reserve, words in (
        (
            "interconnect",
            "reserve_interconnection_mw",
            "committed firm units of the {} interconnection",
        ),
        ("zone_id", "reserve_zone_mw", "running firm units of zone {}"),
    ):
        told = substation[flows & substation[column].notna() & substation[reserve].notna()]
        for name, held in told.groupby(column):
            rows.append(np.full(len(held), count))
            columns.append(held.index.to_numpy())
            factors.append(np.ones(len(held)))
            margins.append(np.array([float(held[reserve].max())]))
            text.append(words.format(name))
            count += 1
    factor = csr_array(
        (np.concatenate(factors), (np.concatenate(rows), np.concatenate(columns))),
        shape=(count, len(substation)),
    )
    return Limits(factor, np.concatenate(margins)), np.array(text, dtype=object)


@dataclass(eq=False)
class PublishedFlow:
    """The load flow of a build, made again from its layers, an island at a time.

    Attributes
    ----------
    bus, island
        Of each substation: rows of buses and numbers of islands, -1 where it has no flows.
    seconds
        What making it took.
    """

    network: Network
    bus: np.ndarray
    island: np.ndarray
    seconds: float = 0.0
    made: dict[int, Sharing] = field(default_factory=dict)

    @classmethod
    def of(cls, con: duckdb.DuckDBPyConnection, substation: pd.DataFrame) -> "PublishedFlow | None":
        """Read the network; None where no capacity comes from a load flow.

        Raises
        ------
        BuildError
            The build says that one does, and has no network.
        """
        is_flow = (substation["method"] == BY_LOAD_FLOW).to_numpy(bool, na_value=False)
        if not is_flow.any():
            return None
        began = time.monotonic()
        frames = [builds.layer_frame(con, name) for name in ("bus", "branch", "plant", "dc_tie")]
        if frames[0].empty:
            msg = "The build's capacities come from a load flow whose network it does not hold."
            raise BuildError(msg, "Run `gridstead run` anew.")
        network = Network.from_frames(*frames, _rules().ratings(_reference("line_class")))
        row = pd.Series(np.arange(network.bus_id.size), index=network.bus_id)
        bus = substation["connect_bus_id"].where(is_flow).map(row).fillna(-1).to_numpy(np.int64)
        island = np.where(bus >= 0, network.island[np.maximum(bus, 0)], -1)
        return cls(network, bus, island, time.monotonic() - began)

    def sharing(self, island: int) -> Sharing:
        """Load flow of one island."""
        if island not in self.made:
            began = time.monotonic()
            is_its = self.network.island[self.network.from_bus] == island
            part = replace(self.network, is_active=self.network.is_active & is_its)
            self.made[island] = Sharing.of(part, prepare_islands(part), _rules().case("mid"))
            self.seconds += time.monotonic() - began
        return self.made[island]

    def pushing(self) -> Pushing:
        """Judge plans by it."""
        return Pushing(self.sharing, self.bus, self.island)

    def differs(self, substation: np.ndarray, headroom_mw: np.ndarray) -> bool:
        """Whether a site has other megawatts alone than the build says, so that this is another load flow."""
        for number, mw in zip(substation.tolist(), headroom_mw.tolist(), strict=True):
            sharing = self.made.get(int(self.island[number]))
            if sharing is None:
                continue
            if abs(sharing.remaining_mw(int(self.bus[number])).mw - mw) > SAME_MW:
                return True
        return False


def _rules() -> PowerRules:
    return PowerRules.from_frame(_reference("power_rule"))


def _reference(name: str) -> pd.DataFrame:
    return pd.read_csv(REFERENCE_DIR / f"{name}.csv")


def _for_mw(
    con: duckdb.DuckDBPyConnection, run: dict[str, Any], workload: str, asked: Asked
) -> Shown:
    demand = demand_of(asked)
    market = market_of(con, workload, demand.least_mw, asked.by)
    if market.offer.empty:
        msg = f"No parcel of {workload} passes its gates with {demand.least_mw:,.0f} MW or more."
        raise GridsteadError(msg, "Ask for smaller sites: more of them, or --least-mw.")
    flow = PublishedFlow.of(con, market.substation)
    offers = market.offers()
    found = choose(offers, market.limits, demand, push=flow.pushing() if flow else None)
    if isinstance(found, Shortfall):
        raise _none(found, demand, workload)
    taken = market.offer.iloc[found.rows].reset_index(drop=True)
    rows = rows_of_sites(taken, market.substation, found.mw)
    number = offers.substation[found.rows]
    is_other = flow is not None and is_other_flow(flow, market, number)
    limits = _fullest(market, number, found.mw)
    payload = {
        "workload": workload,
        "objective": market.objective,
        "demand": demand._asdict(),
        "sites": rows,
        "mw": float(found.mw.sum()),
        "value": found.value,
        "bound": found.bound,
        "gap": found.gap,
        "method": found.method,
        "is_covering": found.is_covering,
        "offer_count": found.offer_count,
        "substation_count": found.substation_count,
        "kept_count": found.kept_count,
        "limits_found_by_load_flow": found.added_count,
        "is_load_flow_checked": flow is not None and not is_other,
        "seconds": found.seconds,
        "limits": limits,
        "run": {name: run[name] for name in ("run_id", "study", "is_synthetic", "limits")},
    }
    notes = [
        _worth(found, market.objective),
        *_missing(rows),
        _gap(found),
        *checked(flow, found.added_count, is_other=is_other),
        *[
            f"Fullest: {row['limit']}, {row['left_mw']:,.1f} of {row['margin_mw']:,.0f} MW left."
            for row in limits[:SHOWN_LIMITS]
        ],
        *honest(run),
    ]
    columns = COLUMNS | (COST_COLUMNS if market.objective != "score" else {})
    title = (
        f"{workload}: {demand.mw:,.0f} MW at {demand.sites} site{'s' if demand.sites > 1 else ''}"
    )
    return Shown(title, rows, columns=columns, notes=notes, payload=payload)


def _none(found: Shortfall, demand: Demand, workload: str) -> GridsteadError:
    """Say in one sentence what can be had."""
    apart = f", {demand.spacing_mi:g} miles apart" if demand.spacing_mi else ""
    each = f"of {demand.least_mw:,.0f} MW or more each{apart}"
    if found.sites < demand.sites:
        had = f"{found.sites} site{'' if found.sites == 1 else 's'}"
        most = "" if found.most_sites > found.sites else ", and no more"
        msg = f"No {demand.sites} sites of {workload} {each} were found: {had} can be had{most}."
        hint = "Ask for fewer sites, less spacing, or smaller ones (--least-mw)."
        return GridsteadError(msg, hint)
    most = f", and no more than {found.most_mw:,.0f}" if found.most_mw < demand.mw else ""
    msg = (
        f"{demand.mw:,.0f} MW of {workload} at {demand.sites} sites {each}, and up to {demand.most_mw:,.0f}, "
        f"were not found: {found.mw:,.0f} MW can be had{most}."
        if found.mw
        else f"{demand.mw:,.0f} MW of {workload} at {demand.sites} sites {each} were not found in the time{most}."
    )
    return GridsteadError(msg, "Ask for less, for more sites, or for larger ones (--most-mw).")


def rows_of_sites(
    taken: pd.DataFrame, substation: pd.DataFrame, mw: np.ndarray
) -> list[dict[str, Any]]:
    """Sites with their megawatts, substation, and the miles to the nearest other."""
    named = substation[["substation_id", "substation_name", "interconnect", "zone_id"]]
    told = taken.merge(named, on="substation_id", how="left").assign(mw=np.round(mw, 3))
    lon, lat = told["lon"].to_numpy(float), told["lat"].to_numpy(float)
    one, other = np.meshgrid(np.arange(len(told)), np.arange(len(told)), indexing="ij")
    miles = geodesic_km(lon[one.ravel()], lat[one.ravel()], lon[other.ravel()], lat[other.ravel()])
    miles = (miles / KM_PER_MILE).reshape(one.shape)
    np.fill_diagonal(miles, np.nan)
    told["nearest_mi"] = np.nanmin(miles, axis=1) if len(told) > 1 else np.nan
    found = records(told.drop(columns=["worth", "capacity_mw"]))
    for row in found:
        if "missing" in row:
            row["missing"] = [str(term) for term in row["missing"]]
    return found


def _fullest(market: Market, number: np.ndarray, mw: np.ndarray) -> list[dict[str, Any]]:
    """List published limits on which two or more sites draw, by what the plan leaves of them."""
    load = np.bincount(number, mw, len(market.substation))
    factor = market.limits.factor
    added = factor @ load
    users = (factor[:, np.unique(number)] > 0.0).sum(axis=1)
    left = market.limits.margin_mw - added
    order = [at for at in np.argsort(left, kind="stable").tolist() if users[at] > 1]
    return [
        {
            "limit": str(market.limit_text[at]),
            "added_mw": float(added[at]),
            "margin_mw": float(market.limits.margin_mw[at]),
            "left_mw": float(left[at]),
            "site_count": int(users[at]),
        }
        for at in order
    ]


def _worth(found: Portfolio, objective: str) -> str:
    mean = found.value / found.mw.sum()
    if objective == "score":
        return f"{found.value:,.1f} MW weighted by score: {100.0 * mean:.2f} of 100 on average."
    unit = "$/MWh delivered" if objective == "delivered_usd_per_mwh" else "$ per million queries"
    return f"{-mean:,.2f} {unit} on average, at the size that costs are stated at."


def _missing(rows: list[dict[str, Any]]) -> list[str]:
    """Name the terms that the costs of sites lack, since these would be dearer with them."""
    terms = sorted({term for row in rows for term in row.get("missing") or []})
    if not terms:
        return []
    count = sum(bool(row.get("missing")) for row in rows)
    return [f"Unknown and not in the cost of {count} of {len(rows)} sites: {', '.join(terms)}."]


def _gap(found: Portfolio) -> str:
    by = "HiGHS" if found.method == "milp" else "greedy, since the solver found nothing in time"
    covers = (
        f"over all {found.offer_count:,} parcels of {found.substation_count:,} substations"
        if found.is_covering
        else f"by the relaxation over all {found.offer_count:,} parcels; the solver saw {found.kept_count:,}"
    )
    return f"No portfolio is better by more than {found.gap:.3%}, {covers} ({by}, {found.seconds:.0f} s)."


def checked(flow: PublishedFlow | None, added_count: int, *, is_other: bool) -> list[str]:
    """Say how the sites together were judged."""
    if flow is None:
        return [
            "No load flow stands behind the capacities: a substation serves once, what else they share is unknown."
        ]
    if is_other:
        return [
            "The load flow of this version gives other capacities than the build: run `gridstead run` anew."
        ]
    more = f", which found {added_count} limits more" if added_count else ""
    return [
        f"All sites together overload nothing in the load flow, intact and after any outage{more}."
    ]


def is_other_flow(flow: PublishedFlow, market: Market, number: np.ndarray) -> bool:
    """Whether the load flow that was made again is not the one of the build."""
    return flow.differs(number, market.substation["headroom_mw_mid"].to_numpy(float)[number])

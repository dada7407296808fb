"""What any workload pays for a site: power, its tie line, fiber, ground, shell, and the wait for power."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from geo.cost import terms
from geo.cost.rules import CostRules, Triple
from geo.errors import GeoError
from geo.tie_line import ROUTE_FACTOR, priced_mi

# Of rtt_unknown_reason: nodes are known, and none of them is within the reach of `fiber_reach_mi`.
NONE_IN_REACH = "no connected node"
NEEDED = (
    *("deliverable_mw", "tie_line_kv", "tie_line_mi", "lit_node_mi", "diverse_node_mi"),
    *("industrial_usd_per_mwh", "cooling_degree_days_65f", "generation_queue_mw"),
    *("land_value_usd_per_acre", "slope_mean_pct"),
)


@dataclass(frozen=True, eq=False)
class Site:
    """What n parcels cost at a size; low, mid and high of the cost in the last axis, NaN unknown.

    Attributes
    ----------
    cost_mw
        Megawatts at the grid connection, shape (n,); NaN where there are none.
    it_mw, mwh_per_year
        IT load behind it and its energy of a year, shape (n, 3): most of it at the low end of the cost.
    energy_usd_per_mwh
        Energy for a MWh of IT load, $.
    capital_usd
        What is spent once: tie_line, substation, fiber_lit, fiber_diverse, land, site_works, $.
    shell_usd
        The data center without its servers, $.
    time_to_power_years
        From the application to the first megawatt.
    waiting_usd
        Interest on what is committed of the shell while power is waited for beyond `build_years`, $.
    """

    cost_mw: np.ndarray
    it_mw: np.ndarray
    mwh_per_year: np.ndarray
    energy_usd_per_mwh: np.ndarray
    capital_usd: dict[str, np.ndarray]
    shell_usd: np.ndarray
    time_to_power_years: np.ndarray
    waiting_usd: np.ndarray


def price_site(
    metric: pd.DataFrame,
    rules: CostRules,
    load_factor: Triple,
    *,
    mw: float | np.ndarray,
    usd_per_mwh: float | None = None,
) -> Site:
    """Price sites at a size.

    Parameters
    ----------
    metric
        Columns of core.parcel_metric, `NEEDED` among them; `rtt_unknown_reason` tells a node that is beyond
        reach from one that nobody knows. A parcel with `is_energized` has its connection: no tie line, no
        substation and no wait.
    rules
        Parameters.
    load_factor
        Mean over peak draw of a year.
    mw
        Megawatts at the grid connection, above 0; a parcel that gets less is priced at what it gets.
    usd_per_mwh
        Price of energy in dollars of the rules' year, in the place of each parcel's own.

    Raises
    ------
    GeoError
        A column is missing, or megawatts or a price are not above 0.
    """
    _check(metric, mw, usd_per_mwh)
    column = {name: metric[name].to_numpy(float, na_value=np.nan) for name in NEEDED}
    is_energized = np.zeros(len(metric), dtype=bool)
    if "is_energized" in metric:
        is_energized = metric["is_energized"].to_numpy(bool)
    deliverable = column["deliverable_mw"]
    cost_mw = np.where(deliverable > 0.0, np.minimum(deliverable, mw), np.nan)
    pue = _pue(column["cooling_degree_days_65f"], rules)
    it_mw = terms.it_mw(cost_mw[:, None], pue)
    years = _time_to_power(column, cost_mw, is_energized, rules)
    shell = terms.shell_usd(it_mw, _row(rules.shell_usd_per_mw), _row(rules.shell_ai_factor))
    beyond = np.maximum(years - _row(rules.build_years[::-1]), 0.0)
    return Site(
        cost_mw,
        it_mw,
        # The more energy capital is spread over, the less it costs.
        terms.mwh_per_year(it_mw, _row(load_factor[::-1])),
        terms.energy_usd_per_mwh(_price(column, rules, usd_per_mwh), pue),
        {
            **_tie_line(column, cost_mw, is_energized, rules),
            **_fiber(metric, column, cost_mw, rules),
            **_ground(column, cost_mw, rules),
        },
        shell,
        years,
        terms.waiting_usd(
            shell * _row(rules.committed_share), rules.discount_rate_per_year, beyond
        ),
    )


def _check(metric: pd.DataFrame, mw: float | np.ndarray, usd_per_mwh: float | None) -> None:
    lacking = [name for name in NEEDED if name not in metric]
    if lacking:
        msg = f"Costs need metrics that are not there: {', '.join(lacking)}."
        raise GeoError(msg)
    if not (np.asarray(mw) > 0.0).all() or (usd_per_mwh is not None and not usd_per_mwh > 0.0):
        msg = "A cost is stated at megawatts and a price of energy above 0."
        raise GeoError(msg)


def _row(values: Triple) -> np.ndarray:
    return np.array(values, dtype=np.float64)


def _price(
    column: dict[str, np.ndarray], rules: CostRules, usd_per_mwh: float | None
) -> np.ndarray:
    if usd_per_mwh is not None:
        return np.full((len(column["industrial_usd_per_mwh"]), 3), usd_per_mwh)
    return column["industrial_usd_per_mwh"][:, None] * _row(rules.industrial_price_factor)


def _pue(degree_days: np.ndarray, rules: CostRules) -> np.ndarray:
    """PUE by climate; anything between the best and the worst of all zones where it is unknown."""
    unknown = np.isnan(degree_days)[:, None]
    return np.where(unknown, rules.pue.widest, rules.pue.at_value(degree_days))


def _tie_line(
    column: dict[str, np.ndarray], cost_mw: np.ndarray, is_energized: np.ndarray, rules: CostRules
) -> dict[str, np.ndarray]:
    """Price the line and its substation for the megawatts of the cost, at the metric's voltage and miles."""
    kv = column["tie_line_kv"]
    circuits = np.maximum(np.ceil(cost_mw[:, None] / rules.circuit_mva.of_class(kv)), 1.0)
    miles = priced_mi(column["tie_line_mi"] / ROUTE_FACTOR)[:, None]
    factor = _row(rules.tie_line_cost_factor)
    per_mi = rules.line_usd_per_mi.of_class(kv) * factor
    line = terms.line_usd(circuits, per_mi, _row(rules.line_route_factor), miles)
    # A substation without a line is no tie.
    substation = np.where(np.isnan(line), np.nan, rules.substation_usd.of_class(kv) * factor)
    stands = (is_energized & ~np.isnan(cost_mw))[:, None]
    return {
        "tie_line": np.where(stands, 0.0, line),
        "substation": np.where(stands, 0.0, substation),
    }


def _fiber(
    metric: pd.DataFrame, column: dict[str, np.ndarray], cost_mw: np.ndarray, rules: CostRules
) -> dict[str, np.ndarray]:
    """Laterals to the lit and the diverse node; where no node is in reach, as far as one may be."""
    reason = pd.Series("", index=metric.index)
    if "rtt_unknown_reason" in metric:
        reason = metric["rtt_unknown_reason"].astype(object).fillna("").astype(str)
    is_beyond = reason.str.startswith(NONE_IN_REACH).to_numpy(bool)
    near, far = rules.fiber_reach_mi, rules.fiber_farthest_mi
    beyond_mi = np.array([near, (near + far) / 2.0, far])
    lit_mi, diverse_mi = column["lit_node_mi"], column["diverse_node_mi"]
    has_lit = ~np.isnan(lit_mi)
    found = {}
    for name, miles, may_be in (
        ("fiber_lit", lit_mi, is_beyond),
        ("fiber_diverse", diverse_mi, is_beyond | has_lit),
    ):
        widened = np.where((np.isnan(miles) & may_be)[:, None], beyond_mi, miles[:, None])
        usd = terms.fiber_usd(widened, _row(rules.fiber_usd_per_mi))
        found[name] = np.where(np.isnan(cost_mw)[:, None], np.nan, usd)
    return found


def _ground(
    column: dict[str, np.ndarray], cost_mw: np.ndarray, rules: CostRules
) -> dict[str, np.ndarray]:
    """Land and site works for the acres that the megawatts take."""
    value = column["land_value_usd_per_acre"][:, None] * _row(rules.land_value_factor)
    value = np.where(np.isnan(value), _row(rules.land_unknown_usd_per_acre), value)
    slope = column["slope_mean_pct"]
    unknown = np.diag(rules.site_works_usd_per_acre.at_value(_row(rules.slope_unknown_pct)))
    works = rules.site_works_usd_per_acre.at_value(slope)
    works = np.where(np.isnan(slope)[:, None], unknown, works)
    acres_per_mw = _row(rules.acres_per_mw)
    return {
        "land": terms.area_usd(cost_mw[:, None], acres_per_mw, value),
        "site_works": terms.area_usd(cost_mw[:, None], acres_per_mw, works),
    }


def _time_to_power(
    column: dict[str, np.ndarray], cost_mw: np.ndarray, is_energized: np.ndarray, rules: CostRules
) -> np.ndarray:
    """Years to the first megawatt: study, equipment by voltage, new line, and the queue."""
    kv = np.maximum(column["tie_line_kv"], rules.time_base_kv)
    doublings = np.log2(kv / rules.time_base_kv)[:, None]
    queue = column["generation_queue_mw"]
    most = _row(rules.time_queue_years)
    shared = terms.queue_years(queue[:, None], rules.queue_counties, rules.queue_half_mw, most)
    # Of an unknown queue: from none to an endless one.
    shared = np.where(np.isnan(queue)[:, None], most * np.array([0.0, 0.5, 1.0]), shared)
    is_large = (cost_mw >= rules.large_load_mw)[:, None]
    years = terms.power_years(
        _row(rules.time_equipment_years),
        np.where(is_large, _row(rules.time_study_years), 0.0),
        doublings,
        _row(rules.time_years_per_doubling),
        column["tie_line_mi"][:, None],
        _row(rules.time_years_per_mi),
        shared,
    )
    years = np.where(np.isnan(cost_mw)[:, None], np.nan, years)
    return np.where((is_energized & ~np.isnan(cost_mw))[:, None], 0.0, years)

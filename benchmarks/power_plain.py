"""The plain way to hosting capacities: one general solve a bus and every outage with every element; and naive rules."""

import time
from typing import Any

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.linalg import splu

from geo.power.factors import Factors
from geo.power.hosting import (
    Case,
    Island,
    hosting_capacity,
    prepare_islands,
    supplies_of,
    waived_elements,
)
from geo.power.network import Network
from geo.power.outages import Screening

# Sites and outages of the plain way's sample.
SITES, OUTAGES = 40, 400
# Sites at which the naive rules are tried at most.
NAIVE_SITES = 2_000
SAME_MW = 0.1


def plain(network: Network, islands: list[Island], sites: np.ndarray) -> dict[str, float]:
    """Time the plain way on a sample of sites and outages of the largest island.

    Returns
    -------
    dict
        Seconds of each solve for an outage, of each for a site, and of weighing one outage at one
        site; what that makes for all of them; and the largest difference of the intact capacity to the
        engine's, MW.
    """
    island = max(islands, key=lambda each: each.factors.bus.size)
    factors, case = island.factors, Case("mid")
    row = np.full(network.bus_id.size, -1)
    row[factors.bus] = np.arange(factors.bus.size)
    rng = np.random.default_rng(0)
    inside = sites[row[sites] >= 0]
    sample = rng.choice(inside, min(SITES, inside.size), replace=False)
    studied = np.flatnonzero(~island.is_bridge)
    outage = rng.choice(studied, min(OUTAGES, studied.size), replace=False)

    began = time.perf_counter()
    solver, node = _solver(network, factors)
    one, other = (node[row[end[factors.branch]]] for end in (network.from_bus, network.to_bus))
    flow, rating = network.flow_mw[factors.branch], network.rating_mva[factors.branch, 1]
    shares = _supply_shares(network, factors, row)
    from_supply = _flows(solver, factors, one, other, np.bincount(node, shares))
    factor_s = time.perf_counter() - began

    began = time.perf_counter()
    lodf = np.column_stack([_lodf(solver, factors, one, other, k) for k in outage])
    outage_s = (time.perf_counter() - began) / outage.size

    began = time.perf_counter()
    moved = [
        from_supply - _flows(solver, factors, one, other, _unit(node, row[bus])) for bus in sample
    ]
    site_s = (time.perf_counter() - began) / sample.size

    began = time.perf_counter()
    for h in moved:
        _secure(h, lodf, outage, flow, rating, case)
    pair_s = (time.perf_counter() - began) / (sample.size * outage.size)

    intact = np.array([_intact(h, flow, rating, case) for h in moved])
    engine = hosting_capacity(network, islands, [case], sample).intact_mw[0]
    whole = factor_s + studied.size * outage_s + inside.size * (site_s + studied.size * pair_s)
    return {
        "outage_ms": outage_s * 1e3,
        "site_ms": site_s * 1e3,
        "pair_us": pair_s * 1e6,
        "sites": int(sample.size),
        "outages": int(outage.size),
        "whole_s": whole,
        "largest_difference_mw": float(np.abs(intact - engine).max()),
    }


def screening_loss(network: Network, sites: np.ndarray) -> dict[str, Any]:
    """Compare capacities with and without screening of outages."""
    case = Case("mid")
    screened, complete = prepare_islands(network), prepare_islands(network, Screening.none())
    fast, whole = (hosting_capacity(network, each, [case], sites) for each in (screened, complete))
    difference = np.abs(fast.secure_mw[0] - whole.secure_mw[0])
    return {
        "pairs": sum(len(each.outages) for each in screened),
        "all_pairs": sum(len(each.outages) for each in complete),
        "sites": int(sites.size),
        "different": int((difference > SAME_MW).sum()),
        "largest_mw": float(difference.max()),
        "over_pairs": sum(over_pairs(network, each)[0].size for each in complete),
    }


def over_pairs(network: Network, island: Island) -> tuple[np.ndarray, np.ndarray]:
    """Pairs over the given rating itself after the outage, of elements that are not before; flows after."""
    rows, outages = island.factors.branch, island.outages
    flow, rating = network.flow_mw[rows], network.rating_mva[rows, 1]
    after = flow[outages.element] + outages.share * flow[outages.outage]
    over = np.abs(after) > rating[outages.element]
    over &= np.abs(flow[outages.element]) <= rating[outages.element]
    over &= ~network.is_rating_estimated[rows][outages.element]
    return np.flatnonzero(over), after[over]


def naive(
    network: Network, islands: list[Island], sites: np.ndarray, floor: float
) -> dict[str, float]:
    """Find the share of sites that get nothing when the limit is the rating and nothing is waived."""
    rng = np.random.default_rng(0)
    sample = np.sort(rng.choice(sites, min(NAIVE_SITES, sites.size), replace=False))
    island = max(islands, key=lambda each: each.factors.bus.size)
    factors, outages = island.factors, island.outages
    row = np.full(network.bus_id.size, -1)
    row[factors.bus] = np.arange(factors.bus.size)
    sample = row[sample[row[sample] >= 0]]
    pair, after = over_pairs(network, island)
    position = np.full(network.branch_id.size, -1)
    position[factors.branch] = np.arange(factors.branch.size)
    intact = position[waived_elements(network)]
    intact = intact[intact >= 0]
    flow = network.flow_mw[factors.branch]
    from_supply = factors.flows(_supply_shares(network, factors, row)[:, None])
    zero = 0
    for part in np.array_split(sample, max(sample.size // 64, 1)):
        h = from_supply - factors.ptdf(part)
        moved = h[outages.element[pair]] + outages.share[pair, None] * h[outages.outage[pair]]
        worse = (np.sign(after)[:, None] * moved >= floor).any(axis=0)
        worse |= (np.sign(flow[intact])[:, None] * h[intact] >= floor).any(axis=0)
        zero += int(worse.sum())
    return {"pairs": int(pair.size), "sites": int(sample.size), "zero_share": zero / sample.size}


def _solver(network: Network, factors: Factors) -> tuple[Any, np.ndarray]:
    """General factorisation of the island's susceptances, and the node of each bus (0 is ground)."""
    _, node = np.unique(network.node[factors.bus], return_inverse=True)
    row = np.full(network.bus_id.size, -1)
    row[factors.bus] = np.arange(factors.bus.size)
    one, other = (node[row[end[factors.branch]]] for end in (network.from_bus, network.to_bus))
    b = 1.0 / network.reactance_pu[factors.branch]
    rows, columns = (
        np.concatenate([one, other, one, other]),
        np.concatenate([one, other, other, one]),
    )
    matrix = coo_matrix((np.concatenate([b, b, -b, -b]), (rows, columns))).tocsc()
    return splu(matrix[1:, 1:]), node


def _flows(
    solver: Any, factors: Factors, one: np.ndarray, other: np.ndarray, injection: np.ndarray
) -> np.ndarray:
    angle = np.concatenate([[0.0], solver.solve(injection[1:])])
    return factors.susceptance * (angle[one] - angle[other])


def _lodf(solver: Any, factors: Factors, one: np.ndarray, other: np.ndarray, k: int) -> np.ndarray:
    injection = np.zeros(int(max(one.max(), other.max())) + 1)
    injection[one[k]] += 1.0
    injection[other[k]] -= 1.0
    change = _flows(solver, factors, one, other, injection)
    return change / (1.0 - change[k])


def _unit(node: np.ndarray, bus: int) -> np.ndarray:
    out = np.zeros(node.max() + 1)
    out[node[bus]] = 1.0
    return out


def _supply_shares(network: Network, factors: Factors, row: np.ndarray) -> np.ndarray:
    at, mw = row[network.gen_bus], supplies_of(network)["committed"]
    held = np.bincount(at[at >= 0], mw[at >= 0], minlength=factors.bus.size)
    return held / held.sum()


def _intact(h: np.ndarray, flow: np.ndarray, rating: np.ndarray, case: Case) -> float:
    held = (np.abs(h) >= case.factor_floor) & (np.abs(flow) <= rating)
    return float(((rating[held] - np.sign(h[held]) * flow[held]) / np.abs(h[held])).min())


def _secure(
    h: np.ndarray,
    lodf: np.ndarray,
    outage: np.ndarray,
    flow: np.ndarray,
    rating: np.ndarray,
    case: Case,
) -> float:
    moved = h[:, None] + lodf * h[outage]
    after = flow[:, None] + lodf * flow[outage]
    limit = case.emergency_factor * rating[:, None]
    held = (np.abs(moved) >= case.factor_floor) & (np.abs(after) <= limit)
    with np.errstate(divide="ignore", invalid="ignore"):
        mw = (limit - np.sign(moved) * after) / np.abs(moved)
    return float(mw[held].min())

"""What screening of outages loses: a sample of sites against every outage with every element."""

from typing import Any

import numpy as np

from geo._jit import jit
from geo._threads import in_threads
from geo.power.hosting import Case, Hosting, Island, hosting_capacity, supplies_of
from geo.power.network import Network

SITES = 300
# Outages of which the shares are held at once.
OUTAGES = 64


def unscreened_loss(
    network: Network, islands: list[Island], sites: np.ndarray, count: int = SITES
) -> dict[str, Any]:
    """Compare capacities of a sample of sites with those of all pairs of element and outage.

    Pairs that cannot come under a site's screened capacity, whatever their shares add, are passed over:
    their room is more than what that load can bring to the element, directly and over the outage.

    Returns
    -------
    dict
        Number of sites, of those with a lower capacity unscreened, the largest difference in MW, and
        the sites' rows of buses.
    """
    rng = np.random.default_rng(0)
    sample = np.sort(rng.choice(sites, min(count, sites.size), replace=False))
    case = Case("mid")
    screened = hosting_capacity(network, islands, [case], sample)
    exact = screened.secure_mw[0].copy()
    for island in islands:
        _lower(network, island, case, screened, exact)
    lost = screened.secure_mw[0] - exact
    different = np.flatnonzero(lost > 1e-6)
    return {
        "sites": int(sample.size),
        "different": int(different.size),
        "largest_mw": float(lost.max()),
        "buses": sample[different].tolist(),
    }


def _lower(
    network: Network, island: Island, case: Case, screened: Hosting, exact: np.ndarray
) -> None:
    factors = island.factors
    row = np.full(network.bus_id.size, -1)
    row[factors.bus] = np.arange(factors.bus.size)
    inside = np.flatnonzero((row[screened.bus] >= 0) & (exact > 0.0))
    at, mw = row[network.gen_bus], supplies_of(network)["committed"]
    supply = np.bincount(at[at >= 0], mw[at >= 0], minlength=factors.bus.size)
    if inside.size == 0 or supply.sum() == 0.0:
        return
    h = factors.flows((supply / supply.sum())[:, None]) - factors.ptdf(row[screened.bus[inside]])
    h = np.ascontiguousarray(h)
    flow, rating = network.flow_mw[factors.branch], network.rating_mva[factors.branch, 1]
    limit = np.where(np.abs(flow) > rating, np.inf, case.emergency_factor * rating)
    best = exact[inside]
    brought = (np.abs(h) * best).max(axis=1)
    studied = np.flatnonzero(~island.is_bridge)
    found: dict[int, np.ndarray] = {}

    def run(rows: slice) -> None:
        least = best.copy()
        outage = studied[rows]
        with np.errstate(divide="ignore", invalid="ignore"):
            share = factors.lodf(outage)
        _lower_by(outage, share, h, brought, flow, limit, case.factor_floor, least)
        found[rows.start] = least

    in_threads(run, studied.size, block=OUTAGES)
    exact[inside] = np.min([best, *found.values()], axis=0)


@jit
def _lower_by(outage, share, h, brought, flow, limit, floor, best):  # noqa: ANN001, ANN202
    """Lower the best of each site to what the outages with any element allow."""
    for c in range(outage.size):
        k = outage[c]
        for i in range(flow.size):
            s = share[i, c]
            if i == k or not abs(s) < np.inf:
                continue
            after = flow[i] + s * flow[k]
            room = limit[i] - abs(after)
            # Over its limit before the new load: waived.
            if room < 0.0 or room > brought[i] + abs(s) * brought[k]:
                continue
            for site in range(best.size):
                value = h[i, site] + s * h[k, site]
                if abs(value) >= floor:
                    toward = after if value > 0.0 else -after
                    mw = (limit[i] - toward) / abs(value)
                    if mw < best[site] * (1.0 - 1e-9):
                        best[site] = mw

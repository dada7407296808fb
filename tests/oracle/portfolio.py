"""Portfolios the plain way: every set of sites, each with the best megawatts."""

import itertools

import numpy as np
from scipy.optimize import linprog

from geo.geodesy import KM_PER_MILE, geodesic_km


def is_apart(lon, lat, taken, spacing_mi):
    """Whether all of some places stand as far apart as asked."""
    return all(
        geodesic_km(lon[i], lat[i], lon[j], lat[j]) / KM_PER_MILE >= spacing_mi
        for i, j in itertools.combinations(taken, 2)
    )


def best_value(offers, factor, margin_mw, demand):
    """Value of the best portfolio, None where there is none; `factor` is dense, (limits, substations)."""
    best = None
    for taken in itertools.combinations(range(offers.worth.size), demand.sites):
        rows = list(taken)
        at = offers.substation[rows]
        if len(set(at.tolist())) < len(rows):
            continue
        if not is_apart(offers.lon, offers.lat, rows, demand.spacing_mi):
            continue
        most = np.minimum(offers.capacity_mw[rows], demand.most_mw)
        if (most < demand.least_mw).any():
            continue
        found = linprog(
            -offers.worth[rows],
            A_ub=factor[:, at] if factor.size else None,
            b_ub=margin_mw if factor.size else None,
            A_eq=np.ones((1, len(rows))),
            b_eq=[demand.mw],
            bounds=[(demand.least_mw, mw) for mw in most],
        )
        if found.status == 0 and (best is None or -found.fun > best):
            best = -found.fun
    return best


def most_people(is_covered, milli, offers, sites, spacing_mi=0.0):
    """Most people, in thousandths, that so many places cover; `is_covered` is (places, people)."""
    best = None
    for taken in itertools.combinations(range(len(is_covered)), sites):
        rows = list(taken)
        if len(set(offers.substation[rows].tolist())) < sites:
            continue
        if not is_apart(offers.lon, offers.lat, rows, spacing_mi):
            continue
        total = int(milli[is_covered[rows].any(axis=0)].sum())
        best = total if best is None else max(best, total)
    return best

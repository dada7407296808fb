"""Voltage classes of lines whose record names none, and the usual voltage within a class."""

import numpy as np
from scipy.spatial import KDTree

from geo.geodesy import to_ecef

# Of 37,274 known lines 95 % have the class of the others at an end where all others are of one class,
# and 97 % at a tap. With this weight for how common classes are, the probabilities below agree with
# what is right when known classes are hidden, line by line and region by region.
PRIOR_WEIGHT = 0.25
# Lines that run within 45 m of each other (one step of the tiles' grid) are of one class in 84 of 100.
BESIDE_SHARE = 0.8
# A class above what a given substation at the end takes is an error of one file or the other.
ABOVE_SUBSTATION = 0.02
# A substation of 236 or 245 kV takes a line of 230 kV, one of 230 kV none of 345.
KV_TOLERANCE = 0.95
# Plants and substations around tell whether lines of 100 to 161 kV are of 115, 138 or 161 kV here.
WITNESSES = 5
WITNESS_REACH_M = 80_000.0


def infer_classes(
    kv: np.ndarray, node: np.ndarray, limit_kv: np.ndarray, beside_kv: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Infer the class of unknown chains.

    The share of each class among the other lines at an end, with `PRIOR_WEIGHT` for how common
    classes are, is how likely that end finds the class; ends, and a line beside, count as
    independent given the class (Bayes' rule). An inferred line counts at its ends with its own
    probabilities in the next pass, until none is left that touches a line told so far, runs beside
    one, or stands at a substation that only the lowest class fits.

    Parameters
    ----------
    kv
        Class of each chain, shape (c,), NaN unknown.
    node
        Nodes of its ends, shape (c, 2); -1 for none.
    limit_kv
        Highest voltage that each node can have, shape (nodes,); NaN unknown.
    beside_kv
        Class of the line that a chain runs beside, shape (c,); NaN for none.

    Returns
    -------
    kv
        Shape (c,); NaN where nothing tells.
    confidence
        Probability of the class, shape (c,): 1 where given, NaN where nothing tells.
    """
    told = ~np.isnan(kv)
    kv, confidence = kv.copy(), np.where(told, 1.0, np.nan)
    levels, number = np.unique(kv[told], return_inverse=True)
    if not len(levels):
        return kv, confidence
    prior = np.bincount(number) / len(number)
    share = np.zeros((len(kv), len(levels)))
    share[told, number] = 1.0
    beside = np.where(beside_kv[:, None] == levels, BESIDE_SHARE, 0.0)
    beside = np.where(
        np.isin(beside_kv, levels)[:, None], beside + (1 - BESIDE_SHARE) * prior, prior
    )
    fits = np.where(levels * KV_TOLERANCE > limit_kv[:, None], ABOVE_SUBSTATION, 1.0)
    speaks = np.asarray((fits[:, 1:] < 1.0).all(axis=1) & (len(levels) > 1))
    sums, seen = np.zeros((len(limit_kv), len(levels))), np.zeros(len(limit_kv))
    new = told.copy()
    while new.any():
        for ends in node[new].T:
            held = ends >= 0
            seen += np.bincount(ends[held], minlength=len(seen))
            for level in range(len(levels)):
                weight = share[new, level][held]
                sums[:, level] += np.bincount(ends[held], weight, minlength=len(seen))
        open_ = np.flatnonzero(~told & (node >= 0).all(axis=1))
        at = node[open_]
        touches = ((seen[at] > 0) | speaks[at]).any(axis=1) | np.isin(beside_kv[open_], levels)
        open_, at = open_[touches], at[touches]
        end = (sums[at] + PRIOR_WEIGHT * prior) / (seen[at] + PRIOR_WEIGHT)[:, :, None]
        likely = end.prod(axis=1) * beside[open_] * fits[at].min(axis=1) / prior**2
        share[open_] = likely / likely.sum(axis=1, keepdims=True)
        kv[open_] = levels[share[open_].argmax(axis=1)]
        confidence[open_] = share[open_].max(axis=1)
        new = np.zeros(len(kv), dtype=bool)
        new[open_] = True
        told |= new
    return kv, confidence


def usual_kv(
    xyz: np.ndarray, low_kv: float, high_kv: float, witness: tuple[np.ndarray, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Voltage that most of the nearest witnesses within a class state.

    Parameters
    ----------
    xyz
        Where to tell, metres ECEF, shape (n, 3).
    low_kv, high_kv
        Ends of the class, both in it.
    witness
        Lon/lat, shape (w, 2), and kV, shape (w,), of plants and substations.

    Returns
    -------
    kv
        Shape (n,), of those equally many the nearest one's; NaN where none is within `WITNESS_REACH_M`.
    share
        (agreeing + 1) / (heard + 2), shape (n,): one witness that agrees is no certainty.
    """
    lonlat, kv = witness
    inside = (kv >= low_kv) & (kv <= high_kv)
    lonlat, kv = lonlat[inside], kv[inside]
    if not len(kv):
        return np.full(len(xyz), np.nan), np.full(len(xyz), np.nan)
    order = np.lexsort((kv, lonlat[:, 1], lonlat[:, 0]))
    lonlat, kv = lonlat[order], np.append(np.round(kv[order]), np.nan)
    number = np.arange(1, min(WITNESSES, len(lonlat)) + 1)
    tree = KDTree(to_ecef(lonlat[:, 0], lonlat[:, 1]))
    _, row = tree.query(xyz, k=number, distance_upper_bound=WITNESS_REACH_M)
    said = kv[row]
    votes = (said[:, :, None] == said[:, None, :]).sum(axis=2)
    best = votes.argmax(axis=1)
    here = np.arange(len(xyz))
    heard = (~np.isnan(said)).sum(axis=1)
    share = np.where(heard > 0, (votes[here, best] + 1) / (heard + 2), np.nan)
    return said[here, best], share

"""Where to put the numbered circles of a map so that neither they nor their leader lines touch."""

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.optimize import linear_sum_assignment

_ANGLES = np.deg2rad(np.arange(0, 360, 7.5))
_ROUNDS = 8
_CROWD_RADII = 5  # anchors nearer to each other than this cannot each have a circle beside them
# In pixels of leader line that a fault is worth; `_HIDE_COST` is a circle on, `_GRAZE_COST` a line near, another's spot.
_OVERLAP_COST, _CROSSING_COST, _HIDE_COST, _GRAZE_COST, _OUTSIDE_COST = 1e5, 1e4, 3e3, 300, 1e7


def place_callouts(
    anchors: np.ndarray, frame: tuple[float, float, float, float], radius: float
) -> np.ndarray:
    """Choose a circle centre for each anchor, as near as it can be without touching another callout.

    Anchors that crowd first get places around their crowd, matched by least total length, which leaves no two lines
    crossing. Then every callout in turn takes the cheapest of its candidates (rings of 48 directions, or where it is)
    given the others, until none wants to move. Deterministic.

    Parameters
    ----------
    anchors
        (n, 2) points that are called out, pixels.
    frame
        x_min, y_min, x_max, y_max that the circles stay inside, pixels.
    radius
        Of the circles, pixels.

    Returns
    -------
    ndarray
        (n, 2) centres, pixels.
    """
    anchors = np.asarray(anchors, dtype="float64").reshape(-1, 2)
    options = [_candidates(anchor, frame, radius) for anchor in anchors]
    centres = _around_crowds(anchors, frame, radius)
    for _ in range(_ROUNDS):
        before = centres.copy()
        for index, (rings, ring_cost) in enumerate(options):
            stay = centres[index : index + 1][np.isfinite(centres[index : index + 1, 0])]
            candidates = np.vstack([rings, stay])
            own_cost = np.concatenate([ring_cost, np.hypot(*(stay - anchors[index]).T)])
            cost = own_cost + sum(
                _cost_beside(anchors[index], candidates, anchors[k], centres[k], radius)
                for k in range(len(anchors))
                if k != index
            )
            centres[index] = candidates[np.argmin(cost)]
        if np.array_equal(before, centres, equal_nan=True):
            break
    return centres


def _around_crowds(
    anchors: np.ndarray, frame: tuple[float, float, float, float], radius: float
) -> np.ndarray:
    """Give places around each crowd of anchors, NaN for those that stand alone."""
    centres = np.full_like(anchors, np.nan)
    if len(anchors) < 2:
        return centres
    crowd_of = fcluster(linkage(anchors, "single"), _CROWD_RADII * radius, "distance")
    for crowd in np.unique(crowd_of):
        members = np.flatnonzero(crowd_of == crowd)
        if len(members) > 1:
            slots = _slots(anchors[members], frame, radius)
            length = np.hypot(*(anchors[members][:, None] - slots[None]).transpose(2, 0, 1))
            chosen_rows, chosen_slots = linear_sum_assignment(length)
            centres[members[chosen_rows]] = slots[chosen_slots]
    return centres


def _slots(
    points: np.ndarray, frame: tuple[float, float, float, float], radius: float
) -> np.ndarray:
    """Give at least as many places as points, on the smallest circle around them that has room inside the frame."""
    middle = points.mean(axis=0)
    reach = np.hypot(*(points - middle).T).max() + 3 * radius
    low, high = np.array(frame[:2]) + radius, np.array(frame[2:]) - radius
    while True:
        # An outer ring besides would have to thread its lines between the circles of this one.
        count = int(2 * np.pi * reach / (2.6 * radius))
        angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
        ring = middle + reach * np.column_stack([np.cos(angle), np.sin(angle)])
        inside = ring[((ring >= low) & (ring <= high)).all(axis=1)]
        if len(inside) >= len(points) or reach > np.hypot(*(high - low)):
            return inside if len(inside) >= len(points) else ring
        reach += radius


def _candidates(
    anchor: np.ndarray, frame: tuple[float, float, float, float], radius: float
) -> tuple[np.ndarray, np.ndarray]:
    rings = radius * np.array([2.2, 3, 4, 5.2, 6.6, 8.2, 10, 12, 14.5, 17.5, 21])
    reach, angle = np.meshgrid(rings, _ANGLES, indexing="ij")
    offsets = np.column_stack([(reach * np.cos(angle)).ravel(), (reach * np.sin(angle)).ravel()])
    centres = anchor + offsets
    low, high = np.array(frame[:2]) + radius, np.array(frame[2:]) - radius
    is_outside = ((centres < low) | (centres > high)).any(axis=1)
    # Up and to the right is where a reader looks first: worth a few pixels.
    preference = 0.3 * radius * (1 - np.cos(angle.ravel() - np.pi / 4))
    return centres, reach.ravel() + preference + _OUTSIDE_COST * is_outside


def _cost_beside(
    anchor: np.ndarray,
    candidates: np.ndarray,
    other_anchor: np.ndarray,
    other: np.ndarray,
    radius: float,
) -> np.ndarray:
    """Give what each candidate costs because of one other callout, whose circle may not be placed yet."""
    near_spot = np.hypot(*(candidates - other_anchor).T)
    gap_to_spot = _distance_to_segments(other_anchor, anchor, candidates)
    cost = _HIDE_COST * (near_spot < 1.5 * radius) + _GRAZE_COST * (gap_to_spot < 0.5 * radius)
    if np.isnan(other[0]):
        return cost
    touching = (
        (np.hypot(*(candidates - other).T) < 2.3 * radius)
        | (_distance_to_segments(other, anchor, candidates) < 1.3 * radius)
        | (_distance_of_points(candidates, other_anchor, other) < 1.3 * radius)
    )
    crossing = _do_cross(anchor, candidates, other_anchor, other)
    return cost + _OVERLAP_COST * touching + _CROSSING_COST * crossing


def _do_cross(a: np.ndarray, b: np.ndarray, c: np.ndarray, d: np.ndarray) -> np.ndarray:
    """Whether segment a to b[i] crosses c to d, for each i."""

    def side(p: np.ndarray, q: np.ndarray, r: np.ndarray) -> np.ndarray:
        return (q[..., 0] - p[..., 0]) * (r[..., 1] - p[..., 1]) - (q[..., 1] - p[..., 1]) * (
            r[..., 0] - p[..., 0]
        )

    return (side(a, b, c) * side(a, b, d) < 0) & (side(c, d, a) * side(c, d, b) < 0)


def _distance_to_segments(point: np.ndarray, start: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Distance of one point to the segments start to ends[i]."""
    along = ends - start
    t = np.clip((along @ (point - start)) / (along**2).sum(axis=1), 0, 1)
    return np.hypot(*(start + t[:, None] * along - point).T)


def _distance_of_points(points: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Distance of each point to the one segment start to end."""
    along = end - start
    t = np.clip((points - start) @ along / (along @ along), 0, 1)
    return np.hypot(*(points - start - t[:, None] * along).T)

"""Scores, ranks and the filling of regions, one parcel at a time from the words of the profile."""

import numpy as np


def score(workload, values):
    """(low, high, status) of a parcel from its metrics by name; None is unknown."""
    low = high = 0.0
    for factor in workload.factors:
        xs, ys = zip(*factor.value, strict=True)
        value = values.get(factor.metric)
        known = value is not None
        low += 100 * factor.weight * (np.interp(value, xs, ys) if known else 0.0)
        high += 100 * factor.weight * (np.interp(value, xs, ys) if known else 1.0)
    return low, high, status(workload, values)


def status(workload, values):
    judged = set()
    for gate in workload.gates:
        value = values.get(gate.metric)
        if value is None:
            judged.add("unknown")
        elif gate.at_least is not None:
            judged.add("pass" if value >= gate.at_least else "fail")
        else:
            judged.add("pass" if value <= gate.at_most else "fail")
    return next((word for word in ("fail", "unknown") if word in judged), "pass")


def fill(workload, candidates):
    """What a region's parcels can build: (score, used MW by parcel id), or None.

    A candidate is (parcel_id, score, status, substation_id, capacity_mw).
    """
    able = [c for c in candidates if c[2] != "fail" and c[3] is not None and (c[4] or 0) > 0]
    if any(c[2] == "pass" for c in able):
        able = [c for c in able if c[2] == "pass"]
    able.sort(key=lambda c: (-c[1], c[0]))
    left, used, seen, total = workload.target_mw, {}, set(), 0.0
    for parcel_id, points, _, substation_id, capacity_mw in able:
        if substation_id in seen or left <= 0:
            continue
        seen.add(substation_id)
        used[parcel_id] = min(capacity_mw, left)
        left -= used[parcel_id]
        total += used[parcel_id] * points
    return (total / workload.target_mw, used) if used else None

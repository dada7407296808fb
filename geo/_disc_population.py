"""Compiled loops of `geo.disc_population`: sums of a lon/lat grid's cells whose centres lie within discs.

A cell's centre is in a disc when its ECEF chord from the disc's middle is at most c. The middle (r₀, z₀:
distance from the axis, height) is d² = (r - r₀)² + (z - z₀)² from the parallel (r, z) of a row of cells at
the same longitude, and the disc meets that parallel within ±w of it, sin²(w/2) = (c² - d²) / (4 r₀ r).
Whole rows of cells come from running sums; cells within rounding of ±w are decided by their own chord.
"""

# numba infers the types, and inlines helpers at a price that forbids more of them.
# ruff: noqa: ANN001, C901, PLR0912, PLR0915

import numpy as np

from geo._jit import jit

# Half-widths are good to 1.2e-8 rad where they vanish, at a radius of 1,000 miles.
_MARGIN_RAD = 5e-8
# sin²(w/2) up to which its power series is exact to 1e-11 rad (Abramowitz & Stegun 4.4.40).
_SERIES_TO = 0.01
# sin²(w/2) of rows that a disc does not reach, by more than rounding.
_BEYOND = -1e-14


@jit
def add(lon, lat, here, chord_m, reach_deg, row_rho, row_z, grid, running, sums, met) -> None:
    """Add to `sums` (n, radii) the cells within discs of chords (n, radii), and their number to `met`.

    `row_rho`, `row_z` (rows,) are the rows' parallels, `running` (rows, columns + 1) their running sums;
    `grid` holds longitude and latitude of the first cell's centre and the cells' sizes, in degrees.
    """
    west, south, column_deg, row_deg = grid
    rows, columns = running.shape[0], running.shape[1] - 1
    per_rad = np.degrees(1.0) / column_deg
    margin = _MARGIN_RAD * per_rad + 1e-9
    most = float(columns)
    around = 360.0 / column_deg
    inverse = 1.0 / row_rho
    half_width, begins, ends = np.empty(rows), np.empty(rows), np.empty(rows)
    for i in range(len(lon)):
        rho = np.sqrt(here[i, 0] * here[i, 0] + here[i, 1] * here[i, 1])
        z = here[i, 2]
        for k in range(chord_m.shape[1]):
            squared = chord_m[i, k] * chord_m[i, k]
            first = max(np.int64(np.ceil((lat[i] - reach_deg[k] - south) / row_deg)), 0)
            last = min(np.int64(np.floor((lat[i] + reach_deg[k] - south) / row_deg)), rows - 1)
            count = last + 1 - first
            if count <= 0:
                continue
            per_rho = 0.25 / rho
            widths = half_width[:count]
            r, h, inv = (
                row_rho[first : last + 1],
                row_z[first : last + 1],
                inverse[first : last + 1],
            )
            widest = squared * per_rho * max(inv[0], inv[count - 1])
            for j in range(count):
                dr, dz = r[j] - rho, h[j] - z
                share = (squared - dr * dr - dz * dz) * inv[j] * per_rho
                s2 = max(share, 0.0)
                series = 1.0 + s2 * (
                    1.0 / 6.0 + s2 * (3.0 / 40.0 + s2 * (5.0 / 112.0 + s2 * (35.0 / 1152.0)))
                )
                width = 2.0 * per_rad * np.sqrt(s2) * series
                widths[j] = width if share >= _BEYOND else -1.0
            if widest > _SERIES_TO:
                for j in range(count):
                    dr, dz = r[j] - rho, h[j] - z
                    share = (squared - dr * dr - dz * dz) * inv[j] * per_rho
                    if share > _SERIES_TO:
                        widths[j] = 2.0 * per_rad * np.arcsin(np.sqrt(min(share, 1.0)))
                widest = min(widest, 1.0)
                widest_columns = 2.0 * per_rad * np.arcsin(np.sqrt(widest)) + 1.0
            else:
                widest_columns = 2.2 * per_rad * np.sqrt(widest) + 1.0
            begin, end, inside = begins[:count], ends[:count], running[first : last + 1]
            total, cells = 0, 0
            for turn in range(-1, 2):
                middle = (lon[i] - west) / column_deg + turn * around
                if middle + widest_columns < 0.0 or middle - widest_columns > columns - 1:
                    continue
                unsure = 0
                for j in range(count):
                    left, right = middle - widths[j], middle + widths[j]
                    low, high = np.ceil(left - margin), np.floor(right + margin)
                    begin[j], end[j] = low, high
                    unsure += (low < left + margin) | (high > right - margin)
                if unsure:
                    for j in range(count):
                        left, right = middle - widths[j], middle + widths[j]
                        if not (begin[j] < left + margin or end[j] > right - margin):
                            continue
                        # A centre on the very edge: at most one at each end.
                        dr, dz = r[j] - rho, h[j] - z
                        room = squared - dr * dr - dz * dz
                        if begin[j] <= end[j] and begin[j] < left + margin:
                            half = np.sin(0.5 * (begin[j] - middle) / per_rad)
                            if 4.0 * rho * r[j] * half * half > room:
                                begin[j] += 1.0
                        if begin[j] <= end[j] and end[j] > right - margin:
                            half = np.sin(0.5 * (end[j] - middle) / per_rad)
                            if 4.0 * rho * r[j] * half * half > room:
                                end[j] -= 1.0
                for j in range(count):
                    low = np.int64(min(max(begin[j], 0.0), most))
                    high = max(np.int64(min(end[j] + 1.0, most)), low)
                    row = inside[j]
                    total += row[high] - row[low]
                    cells += high - low
            sums[i, k] += total
            met[i, k] += cells

"""Buildable ground of parcels: what exclusions leave, and the largest piece of it that hangs together."""

from dataclasses import dataclass

import numpy as np
import shapely

from geo import _contiguous, _exclusion
from geo._exclusion_tiles import union
from geo._threads import in_threads
from geo.exclusion import ExclusionIndex
from geo.geodesy import SQUARE_METRES_PER_ACRE
from geo.polygons import Polygons

# Where borders come closer than this without touching, coordinates are rounded to it before the parcel is
# cut. An exclusion that ends on a parcel's border, between its vertices, ends 0.2 mm beside it in the plane
# when the edge is 100 m long: rounding closes that neck.
NECK_M = 1e-3
# Cut areas further than this (shares, m²) from the exact ones are cut again, the slow and sure way.
_SAME_SHARE, _SAME_M2 = 1e-9, 0.1
# Parcels cut at once: what bounds the memory.
BLOCK = 1_024


@dataclass(frozen=True)
class Buildable:
    """What exclusions leave of each parcel, arrays (n,).

    Attributes
    ----------
    excluded_share
        0 to 1, as `exclusion.excluded_share` gives it.
    buildable_acres
        The parcel's area less what is excluded.
    contiguous_acres
        The largest connected piece of that; at most `buildable_acres`.
    """

    excluded_share: np.ndarray
    buildable_acres: np.ndarray
    contiguous_acres: np.ndarray


def contiguous_acres(index: ExclusionIndex, polygons: Polygons, workers: int = -1) -> np.ndarray:
    """Acres of the largest connected piece of each parcel after exclusions, shape (n,); see `buildable`."""
    return buildable(index, polygons, workers).contiguous_acres


def buildable(index: ExclusionIndex, polygons: Polygons, workers: int = -1) -> Buildable:
    """Measure what exclusions leave of each parcel, and its largest connected piece.

    Ground hangs together by its inside: pieces that touch in a point, or over a neck narrower than
    `NECK_M`, are two. Areas are those of the plane of EPSG:6933, as in `exclusion.excluded_m2`; the
    largest of several pieces is within 0.1 m², but for rounding where a neck is that narrow. Shapely cuts only parcels that may fall apart. What a
    parcel gets depends on it and the index alone, bit for bit.

    Parameters
    ----------
    index
        The exclusions.
    polygons
        Valid parcels, n of them.
    workers
        Threads; -1 takes all cores.

    Raises
    ------
    GeometryError
        For a parcel that reaches beyond the ground that the index knows.
    """
    excluded_m2, area_m2 = index.areas_m2(polygons, workers).T
    left_m2 = area_m2 - excluded_m2
    largest_m2 = area_m2.copy()
    several = np.flatnonzero(np.diff(polygons.shape_start) > 1)
    _exclusion.largest_part(
        *(polygons.plane, polygons.ring_start, polygons.part_start, polygons.shape_start),
        *(several, largest_m2),
    )
    touched = np.flatnonzero((excluded_m2 > 0.0) & (left_m2 > 0.0))

    def cut(part: slice) -> None:
        rows = touched[part]
        largest_m2[rows] = _largest_m2(index, polygons, rows, left_m2[rows])

    in_threads(cut, len(touched), workers, block=BLOCK)
    largest_m2 = np.where(left_m2 == 0.0, 0.0, np.minimum(largest_m2, left_m2))
    with np.errstate(invalid="ignore"):
        share = excluded_m2 / area_m2
    return Buildable(share, left_m2 / SQUARE_METRES_PER_ACRE, largest_m2 / SQUARE_METRES_PER_ACRE)


def _largest_m2(
    index: ExclusionIndex, polygons: Polygons, rows: np.ndarray, left_m2: np.ndarray
) -> np.ndarray:
    """Square metres of the largest connected piece of parcels that are excluded in part."""
    start, pieces = _pieces(index, polygons, rows)
    verdict = np.empty(len(rows), dtype=np.int64)
    _contiguous.verdicts(
        *(polygons.plane, polygons.ring_start, polygons.first_ring, rows),
        np.diff(polygons.shape_start)[rows],
        *(index.xy, index.ring_start, index.piece_start, start, pieces, NECK_M, verdict),
    )
    largest_m2 = left_m2.copy()
    to_cut = np.flatnonzero(verdict != _contiguous.WHOLE)
    if not len(to_cut):
        return largest_m2
    parcels = _parcels(polygons, rows[to_cut])
    excluded = _excluded(index, polygons, rows[to_cut], *_some(start, pieces, to_cut))
    largest_m2[to_cut], _ = _cut(parcels, excluded, left_m2[to_cut], 0.0)
    tight = np.flatnonzero(verdict[to_cut] == _contiguous.ROUND)
    if len(tight):
        rows_of = to_cut[tight]
        rounded_m2, slack_m2 = _cut(parcels[tight], excluded[tight], left_m2[rows_of], NECK_M)
        # The same piece: its unrounded area. Another: rounding closed or opened a neck.
        other = np.abs(rounded_m2 - largest_m2[rows_of]) > slack_m2
        largest_m2[rows_of[other]] = rounded_m2[other]
    return largest_m2


def _cut(
    parcels: np.ndarray, excluded: np.ndarray, left_m2: np.ndarray, grid_m: float
) -> tuple[np.ndarray, np.ndarray]:
    """Cut what is excluded out of parcels of which `left_m2` are left, exactly.

    Pieces that share borders make no valid multipolygon, but GEOS takes their shared edges out of a
    difference; the areas tell whether it did.

    Returns
    -------
    Square metres of the largest connected piece, and how much of them rounding to `grid_m` may have moved.
    """
    rest = _difference(parcels, excluded, grid_m)
    slack_m2 = grid_m * shapely.length(rest)
    off = ~(np.abs(shapely.area(rest) - left_m2) <= _SAME_SHARE * left_m2 + _SAME_M2 + slack_m2)
    if off.any():
        rest[off] = _difference(parcels[off], union(excluded[off]), NECK_M)
    parts, owner = shapely.get_parts(rest, return_index=True)
    area_m2 = shapely.area(parts)
    parts_of = np.bincount(owner[area_m2 > 0.0], minlength=len(parcels))
    largest_m2 = np.zeros(len(parcels))
    np.maximum.at(largest_m2, owner, area_m2)
    # What is left is known to the last bit: one figure for what is one piece.
    return np.where(parts_of == 1, left_m2, largest_m2), slack_m2


def _difference(parcels: np.ndarray, excluded: np.ndarray, grid_m: float) -> np.ndarray:
    try:
        return shapely.difference(parcels, excluded, grid_size=grid_m or None)
    except shapely.GEOSException:
        return shapely.difference(
            shapely.make_valid(parcels, method="structure", keep_collapsed=False),
            union(excluded),
            grid_size=NECK_M,
        )


def _pieces(
    index: ExclusionIndex, polygons: Polygons, rows: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Offsets and numbers of the pieces whose boxes meet those of some parcels."""
    start = np.zeros(len(rows) + 1, dtype=np.int64)
    arrays = (polygons.plane, polygons.ring_start, polygons.first_ring, rows, *index.tiles)
    _exclusion.meeting_pieces(*arrays, start, np.empty(0, dtype=np.int64))
    np.cumsum(start, out=start)
    pieces = np.empty(start[-1], dtype=np.int64)
    _exclusion.meeting_pieces(*arrays, start, pieces)
    return start, pieces


def _some(start: np.ndarray, pieces: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    children, new = _runs(start, rows)
    return new, pieces[children]


def _parcels(polygons: Polygons, rows: np.ndarray) -> np.ndarray:
    """Multipolygons in metres from their own first vertex."""
    parts, shape_start = _runs(polygons.shape_start, rows)
    rings, part_start = _runs(polygons.part_start, parts)
    vertices, ring_start = _runs(polygons.ring_start, rings)
    corner = np.repeat(_corners(polygons, rows), np.diff(polygons.vertex_start)[rows], axis=0)
    return shapely.from_ragged_array(
        shapely.GeometryType.MULTIPOLYGON,
        polygons.plane[vertices] - corner,
        (ring_start, part_start, shape_start),
    )


def _excluded(
    index: ExclusionIndex,
    polygons: Polygons,
    rows: np.ndarray,
    start: np.ndarray,
    pieces: np.ndarray,
) -> np.ndarray:
    """Multipolygons of the pieces about each parcel, in metres from the parcel's first vertex."""
    rings, part_start = _runs(index.piece_start, pieces)
    vertices, ring_start = _runs(index.ring_start, rings)
    corner = np.repeat(_corners(polygons, rows), np.diff(ring_start[part_start[start]]), axis=0)
    return shapely.from_ragged_array(
        shapely.GeometryType.MULTIPOLYGON,
        index.xy[vertices] - corner,
        (ring_start, part_start, start),
    )


def _corners(polygons: Polygons, rows: np.ndarray) -> np.ndarray:
    return polygons.plane[polygons.vertex_start[rows]]


def _runs(start: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Children of some parents, and the offsets that they then have."""
    first, count = start[rows], start[rows + 1] - start[rows]
    new = np.zeros(len(rows) + 1, dtype=np.int64)
    np.cumsum(count, out=new[1:])
    return np.arange(new[-1]) + np.repeat(first - new[:-1], count), new

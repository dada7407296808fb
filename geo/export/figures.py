"""Drawings for a page: SVG without fonts, colours or scripts of its own, so that the page's style gives both themes."""

from xml.sax.saxutils import escape as xml_escape

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.export._callouts import place_callouts
from geo.export._cells import clean_text
from geo.export._require import require_drawable
from geo.export._shapes import Shapes, project
from geo.export._text import joined
from geo.export.palette import RANK_CLASSES, UNRANKED_LABEL
from geo.export.report_parts import Picture

# Whole units of the drawing: half a pixel of a map 960 pixels wide. Neighbours share their vertices, so rounding both
# keeps their border common.
_WIDTH = 1920
_PAD = 24
_RADIUS = 22
_COLUMNS = ("region_id", "region_name", "rank")


def rank_picture(
    regions: gpd.GeoDataFrame,
    outline: gpd.GeoDataFrame,
    *,
    title: str,
    file: str = "",
    labels: int = 10,
) -> Picture | None:
    """Draw regions by class of rank as a picture of a report, the first ones numbered.

    Parameters
    ----------
    regions
        `region_id`, `region_name`, `rank` (null where unranked) and polygons in any CRS.
    outline
        Borders drawn over the regions, usually states, in any CRS; may be empty.
    title
        What is ranked, for the caption.
    file
        Name of the same map as a file beside the report; empty where there is none.
    labels
        How many of the first ranks are numbered.

    Returns
    -------
    Picture
        Its `svg` is a drawing in Albers equal area (EPSG:5070), north up, the same bytes for the same frames, coloured by the
        classes `rank-1` (the best) to `rank-5` and `rank-none`. None where no region has an outline.

    Raises
    ------
    GeoError
        If a column is missing.
    CrsError
        If a frame has no CRS.
    """
    require_drawable({"regions": regions, "outline": outline}, _COLUMNS)
    shapes = project(regions)
    if not shapes.rows:
        return None
    frame = pd.DataFrame(regions.drop(columns=regions.geometry.name)).reset_index(drop=True)
    ranks = frame["rank"].to_numpy(dtype="float64", na_value=np.nan)
    scale = _Scale(shapes)
    first = _first(frame, labels)
    classes = _classes(ranks)
    body = [
        _fills(shapes, scale, frame, ranks, classes),
        _borders(project(outline), scale),
        _callouts(shapes, scale, first),
    ]
    named = [str(frame["region_name"].iloc[row]) for row in first]
    ranked = int(np.isfinite(ranks).sum())
    alt = f"Map of {len(frame):,} regions coloured by rank; {ranked:,} are ranked."
    if named:
        alt += f" The first {len(named)} in order: {joined(named)}."
    svg = (
        f'<svg class="map" viewBox="0 0 {_WIDTH} {scale.height}" role="img" aria-label="{_text(alt)}">'
        + "".join(body)
        + "</svg>"
    )
    numbered = f" The first {len(named)} are numbered." if named else ""
    return Picture(
        svg=svg,
        file=file,
        alt=alt,
        caption=f"{title}.{numbered} Albers equal-area projection.",
        legend=[entry for index, entry in enumerate(_legend()) if (classes == index).any()],
    )


class _Scale:
    """From Albers metres to whole units of the drawing, y down."""

    def __init__(self, shapes: Shapes) -> None:
        vertices = np.concatenate([ring for rings in shapes.rings for ring in rings])
        (west, south), (east, north) = vertices.min(axis=0), vertices.max(axis=0)
        self._step = max(east - west, (north - south) / 2, 1.0) / (_WIDTH - 2 * _PAD)
        self._origin = (west, north)
        self.height = int(np.ceil((north - south) / self._step)) + 2 * _PAD

    def __call__(self, xy: np.ndarray) -> np.ndarray:
        units = (xy - self._origin) / self._step * (1, -1) + _PAD
        return np.round(units).astype(np.int64)


def _fills(
    shapes: Shapes, scale: _Scale, frame: pd.DataFrame, ranks: np.ndarray, classes: np.ndarray
) -> str:
    """Draw a path for each region, grouped by class; its name and rank show when it is pointed at."""
    groups: list[list[str]] = [[] for _ in _legend()]
    names = frame["region_name"].tolist()
    for row, rings in zip(shapes.rows, shapes.rings, strict=True):
        told = f"{ranks[row]:,.0f}. {names[row]}" if np.isfinite(ranks[row]) else f"{names[row]}"
        outline = "".join(_ring(scale(ring)) for ring in rings) or _dot(scale(rings[0]))
        title = f"<title>{_text(told)}</title>"
        groups[classes[row]].append(f'<path d="{outline}">{title}</path>')
    return "".join(
        f'<g class="{name}">{"".join(paths)}</g>'
        for (name, _), paths in zip(_legend(), groups, strict=True)
        if paths
    )


def _borders(shapes: Shapes, scale: _Scale) -> str:
    outline = "".join(_ring(scale(ring)) for rings in shapes.rings for ring in rings)
    return f'<path class="border" d="{outline}"/>' if outline else ""


def _callouts(shapes: Shapes, scale: _Scale, first: dict[int, int]) -> str:
    """Draw the numbers of the first regions in discs beside them that do not touch."""
    shown = {row: rank for row, rank in first.items() if shapes.polygons[row] is not None}
    if not shown:
        return ""
    inside = shapely.point_on_surface(shapes.polygons[list(shown)])
    anchors = scale(shapely.get_coordinates(inside))
    frame = (0.0, 0.0, float(_WIDTH), float(scale.height))
    centres = np.round(place_callouts(anchors.astype(float), frame, _RADIUS + 2)).astype(int)
    drawn = []
    for rank, (x, y), (cx, cy) in zip(shown.values(), anchors, centres, strict=True):
        drawn.append(
            f'<line x1="{x}" y1="{y}" x2="{cx}" y2="{cy}"/><circle class="dot" cx="{x}" cy="{y}" r="6"/>'
            f'<circle cx="{cx}" cy="{cy}" r="{_RADIUS}"/>'
            f'<text x="{cx}" y="{cy}" dy="9" text-anchor="middle">{rank}</text>'
        )
    return f'<g class="callouts">{"".join(drawn)}</g>'


def _ring(units: np.ndarray) -> str:
    """Write a closed ring by its steps, without points on straight lines; empty where it is smaller than a unit."""
    steps = np.diff(units, axis=0)
    steps = steps[(steps != 0).any(axis=1)]
    if len(steps) < 3:
        return ""
    turns = steps[:-1, 0] * steps[1:, 1] != steps[:-1, 1] * steps[1:, 0]
    ends = np.cumsum(steps, axis=0)[np.append(turns, True)]
    if len(ends) < 3:
        return ""
    # The last step is that of closing the path.
    moves = np.diff(ends, axis=0, prepend=np.zeros((1, 2), dtype=np.int64))[:-1]
    # A minus sign parts two numbers as well as a blank.
    drawn = "".join(f"{x}{y}" if y < 0 else f"{x} {y}" for x, y in moves[:1].tolist())
    for x, y in moves[1:].tolist():
        drawn += (f"{x}" if x < 0 else f" {x}") + (f"{y}" if y < 0 else f" {y}")
    return f"M{units[0, 0]} {units[0, 1]}l{drawn}z"


def _dot(units: np.ndarray) -> str:
    """Write a square of two units for what is smaller than one: nothing that is ranked is invisible."""
    x, y = units[0]
    return f"M{x - 1} {y - 1}h2v2h-2z"


def _first(frame: pd.DataFrame, labels: int) -> dict[int, int]:
    """Give row positions and ranks of the first ones, best first, ties by id."""
    order = frame.dropna(subset=["rank"]).sort_values(["rank", "region_id"], kind="stable")
    return {int(str(row)): int(rank) for row, rank in order["rank"].head(labels).items()}


def _classes(ranks: np.ndarray) -> np.ndarray:
    """Give the position of each rank's class; that after the last is of those not ranked."""
    classes = np.full(len(ranks), len(RANK_CLASSES))
    for index, each in enumerate(RANK_CLASSES):
        classes[ranks >= each.first] = index
    return classes


def _legend() -> list[tuple[str, str]]:
    ranked = [(f"rank-{index}", each.label) for index, each in enumerate(RANK_CLASSES, start=1)]
    return [*ranked, ("rank-none", UNRANKED_LABEL)]


def _text(text: str) -> str:
    """Escape text for elements and quoted attributes."""
    return xml_escape(clean_text(text), {'"': "&quot;"})

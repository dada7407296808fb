"""A map of ranked regions as a PNG picture, ready for a report."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PatchCollection, PathCollection
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Rectangle

from geo.errors import GeoError
from geo.export._callouts import place_callouts
from geo.export._canvas import (
    INK,
    SOFT_INK,
    draw_rule,
    draw_text,
    left_edge,
    right_edge,
)
from geo.export._page import (
    BORDER,
    HEIGHT_PX,
    MAP_BOX,
    PANEL_BOTTOM,
    PANEL_LEFT,
    PANEL_RIGHT,
    PANEL_TOP,
    WIDTH_PX,
    new_page,
    save_page,
)
from geo.export._require import require_drawable
from geo.export._shapes import Shapes, project
from geo.export._text import number_text, score_pattern
from geo.export.model import ExportNote
from geo.export.palette import RANK_CLASSES, UNRANKED_COLOUR, UNRANKED_LABEL

_CALLOUT_RADIUS_PX = 13.5
_COLUMNS = ("region_id", "region_name", "rank", "score")
_MAX_LABELS = 25


def rank_map(
    path: Path,
    regions: gpd.GeoDataFrame,
    outline: gpd.GeoDataFrame,
    *,
    title: str,
    subtitle: str,
    note: ExportNote,
    labels: int = 10,
) -> Path:
    """Draw regions coloured by class of rank, the first ones numbered and listed beside the map.

    Parameters
    ----------
    path
        PNG to write, whole or not at all; 2,100 by 1,260 pixels.
    regions
        `region_id`, `region_name`, `rank` (null where unranked), `score` and polygons in any CRS.
    outline
        Borders drawn over the regions, usually states, in any CRS; may be empty.
    title
        Headline.
    subtitle
        One line below it.
    note
        Printed at the bottom: run, sources, and that the grid is synthetic where it is.
    labels
        How many of the first ranks are numbered and listed, 0 to 25.

    Returns
    -------
    Path
        `path`.

    Raises
    ------
    GeoError
        If a column is missing or `labels` is out of range.
    CrsError
        If a frame has no CRS.
    """
    _check(regions, outline, labels)
    shapes = project(regions)
    top = _first_ranked(regions, labels)
    figure = new_page(title, subtitle)
    _draw_map(figure, shapes, regions, project(outline), top)
    _draw_key(figure, regions)
    _draw_list(figure, regions, top)
    return save_page(figure, Path(path), title, note)


def _check(regions: gpd.GeoDataFrame, outline: gpd.GeoDataFrame, labels: int) -> None:
    require_drawable({"regions": regions, "outline": outline}, _COLUMNS)
    if not 0 <= labels <= _MAX_LABELS:
        msg = f"A map has 0 to {_MAX_LABELS} labels, not {labels}."
        raise GeoError(msg)


def _first_ranked(regions: gpd.GeoDataFrame, labels: int) -> dict[int, int]:
    """Give row positions and ranks of the first ones, best first, ties by id."""
    order = regions.reset_index(drop=True).dropna(subset=["rank"])
    order = order.sort_values(["rank", "region_id"], kind="stable")
    return {int(row): int(rank) for row, rank in order["rank"].head(labels).items()}


def _draw_map(
    figure: Figure,
    shapes: Shapes,
    regions: gpd.GeoDataFrame,
    borders: Shapes,
    top: dict[int, int],
) -> None:
    axes = figure.add_axes(MAP_BOX)
    axes.set_axis_off()
    axes.set_aspect("equal")
    vertices = [ring for rings in (*shapes.rings, *borders.rings) for ring in rings]
    if not vertices:
        draw_text(
            axes, 0.5, 0.5, "No region has an outline.", ha="center", transform=axes.transAxes
        )
        return
    (x_min, y_min), (x_max, y_max) = (
        edge(np.concatenate(vertices), axis=0) for edge in (np.min, np.max)
    )
    pad = 0.015 * max(x_max - x_min, y_max - y_min)
    axes.set_xlim(x_min - pad, x_max + pad)
    axes.set_ylim(y_min - pad, y_max + pad)
    colours = _colours(regions)
    fills = PathCollection(
        shapes.paths(),
        facecolors=[colours[row] for row in shapes.rows],
        edgecolors="#ffffff",
        linewidths=0.12,
    )
    axes.add_collection(fills, autolim=False)
    lines = [ring for rings in borders.rings for ring in rings]
    axes.add_collection(LineCollection(lines, colors=BORDER, linewidths=0.55), autolim=False)
    _draw_callouts(figure, axes, shapes, top)


def _draw_callouts(figure: Figure, axes: Axes, shapes: Shapes, top: dict[int, int]) -> None:
    axes.apply_aspect()
    shown = {row: rank for row, rank in top.items() if shapes.polygons[row] is not None}
    if not shown:
        return
    points = shapely.get_coordinates(shapely.point_on_surface(shapes.polygons[list(shown)]))
    anchors = axes.transData.transform(points)
    left, bottom, width, height = (
        value * (WIDTH_PX if index % 2 == 0 else HEIGHT_PX) for index, value in enumerate(MAP_BOX)
    )
    centres = place_callouts(
        anchors, (left, bottom, left + width, bottom + height), _CALLOUT_RADIUS_PX
    )
    overlay = figure.add_axes((0, 0, 1, 1), zorder=5)
    overlay.set_axis_off()
    overlay.set_xlim(0, WIDTH_PX)
    overlay.set_ylim(0, HEIGHT_PX)
    leaders = list(np.stack([anchors, centres], axis=1))
    overlay.add_collection(LineCollection(leaders, colors="white", linewidths=2.6))
    overlay.add_collection(LineCollection(leaders, colors=INK, linewidths=1.0))
    dots = [Circle(anchor, 3.6) for anchor in anchors]
    overlay.add_collection(
        PatchCollection(dots, facecolors=INK, edgecolors="white", linewidths=0.9, zorder=3)
    )
    discs = [Circle(centre, _CALLOUT_RADIUS_PX) for centre in centres]
    overlay.add_collection(
        PatchCollection(discs, facecolors="white", edgecolors=INK, linewidths=1.1, zorder=4)
    )
    for rank, (x, y) in zip(shown.values(), centres, strict=True):
        draw_text(
            overlay,
            x,
            y - 0.5,
            str(rank),
            size=8,
            weight="bold",
            ha="center",
            va="center",
            zorder=5,
        )


def _draw_key(figure: Figure, regions: gpd.GeoDataFrame) -> None:
    counts = _class_counts(regions)
    entries = [(each.label, each.colour) for each in RANK_CLASSES] + [
        (UNRANKED_LABEL, UNRANKED_COLOUR)
    ]
    entries = [entry for entry, count in zip(entries, counts, strict=True) if count]
    x = 0.03
    draw_text(figure, x, 0.131, "Rank", size=9, weight="bold", va="center")
    x += 0.045
    for label, colour in entries:
        figure.add_artist(
            Rectangle(
                (x, 0.121),
                0.022,
                0.021,
                facecolor=colour,
                edgecolor=SOFT_INK,
                linewidth=0.5,
                transform=figure.transFigure,
            )
        )
        drawn = draw_text(figure, x + 0.028, 0.131, label, size=9, va="center")
        x = right_edge(drawn) + 0.022


def _draw_list(figure: Figure, regions: gpd.GeoDataFrame, top: dict[int, int]) -> None:
    draw_text(
        figure, PANEL_LEFT, PANEL_TOP + 0.018, "Region", size=9, weight="bold", color=SOFT_INK
    )
    draw_text(
        figure,
        PANEL_RIGHT,
        PANEL_TOP + 0.018,
        "Score",
        size=9,
        weight="bold",
        color=SOFT_INK,
        ha="right",
    )
    draw_rule(figure, PANEL_LEFT, PANEL_RIGHT, PANEL_TOP + 0.005, INK)
    if not top:
        draw_text(figure, PANEL_LEFT, PANEL_TOP - 0.03, "No region is ranked.", size=10)
        return
    step = min(0.064, (PANEL_TOP - PANEL_BOTTOM) / len(top))
    size = 10.5 if step > 0.03 else 8.5
    rows = regions.iloc[list(top)]
    pattern = score_pattern(rows["score"])
    for index, (rank, name, score) in enumerate(
        zip(top.values(), rows["region_name"], rows["score"], strict=True)
    ):
        y = PANEL_TOP - step * (index + 0.5)
        score_text = number_text(score, pattern)
        drawn = draw_text(figure, PANEL_RIGHT, y, score_text, size=size, ha="right", va="center")
        room = left_edge(drawn) - 0.01
        draw_text(
            figure,
            PANEL_LEFT + 0.018,
            y,
            str(rank),
            size=size,
            weight="bold",
            ha="right",
            va="center",
        )
        draw_text(figure, PANEL_LEFT + 0.028, y, str(name), size=size, va="center", fit=room)
        draw_rule(figure, PANEL_LEFT, PANEL_RIGHT, y - step / 2, "#dcdfe3")


def _colours(regions: gpd.GeoDataFrame) -> list[str]:
    ranks = regions["rank"].to_numpy(dtype="float64", na_value=np.nan)
    colours = np.full(len(ranks), UNRANKED_COLOUR, dtype=object)
    for each in RANK_CLASSES:
        colours[ranks >= each.first] = each.colour
    return colours.tolist()


def _class_counts(regions: gpd.GeoDataFrame) -> list[int]:
    colours = _colours(regions)
    return [
        colours.count(colour)
        for colour in (*(each.colour for each in RANK_CLASSES), UNRANKED_COLOUR)
    ]

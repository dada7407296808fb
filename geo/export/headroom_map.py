"""A map of what more load each substation can serve, as a PNG picture."""

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patches import Circle

from geo.export._canvas import INK, SOFT_INK, draw_rule, draw_text, right_edge
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
from geo.export._shapes import ALBERS_CRS, project
from geo.export.model import ExportNote
from geo.export.palette import MEGAWATT_CLASSES, UNKNOWN_MW_LABEL, UNRANKED_COLOUR

_COLUMNS = ("kv_max", "headroom_mw_low", "headroom_mw_mid", "headroom_mw_high")
# Dots grow with what they stand for, and the large ones are drawn last: points.
_DOT_SIZES = (1.2, 1.8, 3.0, 5.0, 8.0)
# Voltages are told as the transmission classes that planners speak of.
_CLASSES_KV = (69, 115, 138, 161, 230, 345, 500, 765)


def headroom_map(
    path: Path,
    substations: gpd.GeoDataFrame,
    outline: gpd.GeoDataFrame,
    *,
    title: str,
    subtitle: str,
    note: ExportNote,
) -> Path:
    """Draw substations by their mid headroom, with a table by voltage beside the map.

    Parameters
    ----------
    path
        PNG to write, whole or not at all; 2,100 by 1,260 pixels.
    substations
        Points in any CRS with `kv_max`, `headroom_mw_low`, `headroom_mw_mid`, `headroom_mw_high`
        (NaN where unknown).
    outline
        Borders, usually states, in any CRS; may be empty.
    title
        Headline.
    subtitle
        One line below it.
    note
        Printed at the bottom.

    Returns
    -------
    Path
        `path`.

    Raises
    ------
    GeoError
        If a column is missing.
    CrsError
        If a frame has no CRS.
    """
    require_drawable({"substations": substations, "outline": outline}, _COLUMNS)
    figure = new_page(title, subtitle)
    _draw_map(figure, substations, outline)
    _draw_key(figure)
    _draw_table(figure, headroom_by_class(substations))
    return save_page(figure, Path(path), title, note)


def headroom_by_class(substations: pd.DataFrame) -> pd.DataFrame:
    """Sum up headroom by voltage class, the nearest by ratio.

    Returns
    -------
    DataFrame
        `kv`, `substation_count`, `unknown_share`, and of the known ones `median_low_mw`,
        `median_mid_mw`, `median_high_mw`, `zero_share` (low end of 0); classes without a substation are left
        out, and so are substations of unknown voltage.
    """
    held = substations[substations["kv_max"] > 0]
    classes = np.array(_CLASSES_KV, dtype=float)
    ratio = np.abs(np.log(held["kv_max"].to_numpy(float)[:, None] / classes))
    kv = np.array(_CLASSES_KV)[np.argmin(ratio, axis=1)]
    rows = []
    for value in np.unique(kv):
        part = held[kv == value]
        known = part[part["headroom_mw_mid"].notna()]
        rows.append(
            {
                "kv": int(value),
                "substation_count": len(part),
                "unknown_share": 1.0 - len(known) / len(part),
                **{
                    f"median_{end}_mw": known[f"headroom_mw_{end}"].median()
                    for end in ("low", "mid", "high")
                },
                "zero_share": (known["headroom_mw_low"] <= 0).mean() if len(known) else np.nan,
            }
        )
    return pd.DataFrame(rows)


def _draw_map(figure: Figure, substations: gpd.GeoDataFrame, outline: gpd.GeoDataFrame) -> None:
    axes = figure.add_axes(MAP_BOX)
    axes.set_axis_off()
    axes.set_aspect("equal")
    points = substations.geometry.to_crs(ALBERS_CRS)
    is_point = (points.geom_type == "Point").to_numpy() & ~points.is_empty.to_numpy()
    xy = shapely.get_coordinates(points.to_numpy()[is_point])
    mw = substations["headroom_mw_mid"].to_numpy(float)[is_point]
    lines = [ring for rings in project(outline).rings for ring in rings]
    if not len(xy):
        draw_text(
            axes, 0.5, 0.5, "No substation has a place.", ha="center", transform=axes.transAxes
        )
        return
    axes.add_collection(LineCollection(lines, colors=BORDER, linewidths=0.45), autolim=False)
    _scatter(axes, xy[np.isnan(mw)], UNRANKED_COLOUR, _DOT_SIZES[0], 2)
    for number, (each, size) in enumerate(zip(MEGAWATT_CLASSES, _DOT_SIZES, strict=True)):
        above = mw >= each.at_least
        inside = above & (mw < each.below) if each.below is not None else above
        _scatter(axes, xy[inside], each.colour, size, 3 + number)
    seen = np.concatenate([xy, *lines])
    low, high = seen.min(axis=0), seen.max(axis=0)
    pad = 0.015 * max(*(high - low), 1000.0)
    axes.set_xlim(low[0] - pad, high[0] + pad)
    axes.set_ylim(low[1] - pad, high[1] + pad)


def _scatter(axes: Axes, xy: np.ndarray, colour: str, size: float, zorder: int) -> None:
    axes.scatter(xy[:, 0], xy[:, 1], s=size, c=colour, linewidths=0, zorder=zorder)


def _draw_key(figure: Figure) -> None:
    x = 0.03
    draw_text(figure, x, 0.131, "MW", size=9, weight="bold", va="center")
    x += 0.04
    entries = [(each.label, each.colour) for each in MEGAWATT_CLASSES]
    ratio = HEIGHT_PX / WIDTH_PX
    overlay = figure.add_axes((0, 0, 1, 1))
    overlay.set_axis_off()
    overlay.set_xlim(0, 1)
    overlay.set_ylim(0, ratio)
    for label, colour in [*entries, (UNKNOWN_MW_LABEL, UNRANKED_COLOUR)]:
        overlay.add_patch(Circle((x + 0.006, 0.131 * ratio), 0.0055, facecolor=colour, linewidth=0))
        drawn = draw_text(figure, x + 0.016, 0.131, label, size=9, va="center")
        x = right_edge(drawn) + 0.02


def _draw_table(figure: Figure, classes: pd.DataFrame) -> None:
    columns = (PANEL_LEFT + 0.035, PANEL_LEFT + 0.1, PANEL_LEFT + 0.185, PANEL_RIGHT)
    heads = ("kV", "count", "median MW", "low is 0")
    _row(figure, columns, heads, PANEL_TOP + 0.018, size=9, weight="bold", color=SOFT_INK)
    draw_rule(figure, PANEL_LEFT, PANEL_RIGHT, PANEL_TOP + 0.005, INK)
    if classes.empty:
        draw_text(figure, PANEL_LEFT, PANEL_TOP - 0.03, "No voltage is known.", size=10)
        return
    step = min(0.064, (PANEL_TOP - PANEL_BOTTOM) / len(classes))
    for index, each in enumerate(classes.to_dict("records")):
        y = PANEL_TOP - step * (index + 0.5)
        known = not np.isnan(each["median_mid_mw"])
        spread = (
            f"{each['median_low_mw']:,.0f}\N{EN DASH}{each['median_high_mw']:,.0f}" if known else ""
        )
        words = (
            str(each["kv"]),
            f"{each['substation_count']:,}",
            f"{each['median_mid_mw']:,.0f}" if known else UNKNOWN_MW_LABEL,
            f"{each['zero_share']:.0%}" if known else "",
        )
        _row(figure, columns, words, y + 0.007, size=10.5)
        _row(figure, columns, ("", "", spread, ""), y - 0.014, size=8, color=SOFT_INK)
        draw_rule(figure, PANEL_LEFT, PANEL_RIGHT, y - step / 2, "#dcdfe3")


def _row(
    figure: Figure, columns: tuple[float, ...], words: tuple[str, ...], y: float, **style: Any
) -> None:
    for x, word in zip(columns, words, strict=True):
        draw_text(figure, x, y, word, ha="right", va="center", **style)

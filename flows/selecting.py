"""Which rows an export holds: a condition, an area, the first so many."""

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb
import geopandas as gpd
import numpy as np
import shapely

from data import store
from data.build import to_frame, to_map
from data.errors import UsageError
from flows import bounds, terms
from flows.area import check_area, narrow
from flows.terms import Withheld

LEVELS = ("county", "metro", "state", "zone", "parcel")
PARCEL = "parcel"
TOP_PARCELS = 5_000
ALL = "all"
# How far a parcel may reach from the county of its centre, degrees.
NEAR_DEG = 0.5
WHOLE_NUMBERS = frozenset({"TINYINT", "SMALLINT", "INTEGER", "BIGINT"})
# Names a column that the condition asks for and the table has not.
_NO_COLUMN = re.compile(r'Referenced (?:column|table) "([^"]+)"')


@dataclass(frozen=True)
class Selection:
    """Rows of a ranking.

    Parameters
    ----------
    level
        What is ranked.
    top
        The first so many of what the condition and the area leave; `all` for every row, unranked ones too;
        None for every region, and for the first 5,000 parcels where neither a condition nor an area is given.
    where
        Condition in SQL over the columns that the export has.
    area
        States, county codes and files with polygons, as for a run; empty for everywhere.
    """

    level: str = "county"
    top: int | str | None = None
    where: str | None = None
    area: Sequence[str] = field(default_factory=tuple)

    @property
    def first(self) -> int | None:
        """Rows to stop after; None for no end."""
        if self.top is None and self.level == PARCEL and not self.where and not self.area:
            return TOP_PARCELS
        return self.top if isinstance(self.top, int) else None

    @property
    def words(self) -> str:
        """The selection in one sentence; empty where it is every row."""
        parts = [
            f"the first {self.first:,} by rank" if self.first is not None else "",
            f"where {self.where}" if self.where else "",
            f"in {', '.join(self.area)}" if self.area else "",
        ]
        said = ", ".join(part for part in parts if part)
        return f"A selection: {said}." if said else ""


def check(selection: Selection) -> None:
    """Check a selection as far as that needs no build.

    Raises
    ------
    UsageError
        The level, a word of the area or the count does not exist, or the condition is empty.
    """
    require_level(selection.level)
    if selection.top != ALL:
        require_rows("--top", selection.top)  # ty: ignore[invalid-argument-type]
    if selection.where is not None and not selection.where.strip():
        msg = "--where asks for nothing."
        raise UsageError(msg, "Write for example --where \"state_id = 'TX'\".")
    check_area(list(selection.area))


def require_level(level: str) -> None:
    """Check that a level is one that is ranked."""
    if level not in LEVELS:
        msg = f"{level!r} is no level."
        raise UsageError(msg, f"Levels: {', '.join(LEVELS)}.")


def require_rows(option: str, count: int | None) -> None:
    """Check that an option that bounds the rows, where it is given, asks for some."""
    if count is not None and count < 1:
        msg = f"{option} {count} asks for no rows."
        raise UsageError(msg, "Ask for 1 or more.")


def selected(
    con: duckdb.DuckDBPyConnection, workload: str, selection: Selection, held: Withheld
) -> gpd.GeoDataFrame:
    """Rows of a ranking that are selected and may be passed on, best first, unranked ones last.

    The condition sees the columns that the export has, and is bound like a question to `gridstead sql`:
    read-only, no file, no network, one expression, bounded time and memory.

    Parameters
    ----------
    con
        Open build.
    workload
        Profile that ranks.
    selection
        Checked.
    held
        What may not be passed on.

    Raises
    ------
    UsageError
        The condition is not one, names a column that is not there, or nothing is selected.
    InputError
        A file of the area cannot be used.
    """
    # An area is found in the rows themselves, so they are counted after it.
    first = None if selection.area or selection.where else selection.first
    if selection.level == PARCEL:
        params: dict[str, Any] = {"workload": workload, "n": first}
        relation = store.query_file(con, "query/parcels_for_export", params)
    else:
        params = {"workload": workload, "level": selection.level, "n": first}
        relation = store.query_file(con, "query/regions_for_export", params)
    within = _within(con, selection)
    if within is not None and selection.level == PARCEL:
        near = duckdb.ColumnExpression("county_id").isin(
            *map(duckdb.ConstantExpression, within.near)
        )
        relation = relation.filter(near)
    if selection.where:
        frame = _filtered(con, relation, selection.where, held)
        # A filter need not keep the order.
        key = "parcel_id" if selection.level == PARCEL else "region_id"
        order = np.lexsort((frame[key], frame["rank"].to_numpy(float, na_value=np.inf)))
        frame = frame.iloc[order]
    else:
        frame = read(relation)
    if within is not None:
        frame = frame.loc[_in_area(con, frame, selection.level, within)]
    if selection.first is not None:
        frame = frame.loc[frame["rank"].notna()].head(selection.first)
    kind = "parcel" if selection.level == PARCEL else "region"
    frame = terms.apply(frame, held, kind)
    if frame.empty:
        msg = f"No {selection.level} of {workload} is selected."
        raise UsageError(msg, _why_none(selection, held))
    return frame


def read(relation: duckdb.DuckDBPyRelation) -> gpd.GeoDataFrame:
    """Fetch a map whose whole numbers stay whole where some are unknown."""
    kinds = zip(relation.columns, map(str, relation.types), strict=True)
    whole = {name: "Int64" for name, kind in kinds if kind in WHOLE_NUMBERS}
    return to_map(relation).astype(whole)


def _why_none(selection: Selection, held: Withheld) -> str:
    if selection.level != PARCEL and not held.is_restricted:
        barred = held.source_ids and not held.allows_region(selection.level)
        if barred:
            return "The terms of its source keep this level out of exports: see --with-restricted."
    if selection.where or selection.area:
        return "Widen --where or --area."
    return "The build has none: choose another --level."


def _filtered(
    con: duckdb.DuckDBPyConnection, relation: duckdb.DuckDBPyRelation, where: str, held: Withheld
) -> gpd.GeoDataFrame:
    barred = frozenset() if held.is_restricted else held.columns
    names = [name for name in relation.columns if name not in barred]
    memory = bounds.memory_mb()
    try:
        with bounds.bounded(con, bounds.TIMEOUT_S, memory):
            # Parsed as one expression: nothing can be put behind it.
            chosen = relation.select(*map(duckdb.ColumnExpression, names)).filter(where)
            return read(chosen)
    except duckdb.Error as error:
        raise _wrong(where, error, names, barred) from error


def _wrong(where: str, error: duckdb.Error, names: list[str], barred: frozenset[str]) -> UsageError:
    """Say what is wrong with a condition, and which columns there are where it names none of them."""
    text = str(error).splitlines()[0]
    found = _NO_COLUMN.search(text)
    if found is None:
        return UsageError(
            f"--where {where!r} is no condition: {text}",
            "Write for example --where \"state_id = 'TX' and rank <= 100\".",
        )
    name = found.group(1)
    if name in barred:
        return UsageError(
            f"--where cannot ask for {name}: the terms of its source keep it out of exports.",
            "See --with-restricted.",
        )
    near = difflib.get_close_matches(name, names, n=1)
    columns = ", ".join(column for column in names if column != "geometry")
    return UsageError(
        f"--where names {name!r}, which is no column here.",
        (f"Did you mean {near[0]!r}? " if near else "") + f"Columns: {columns}.",
    )


@dataclass(frozen=True)
class _Area:
    """An area: what of which counties lies in it, which of them as a whole, and which are near it."""

    counties: gpd.GeoDataFrame
    is_whole: np.ndarray
    near: list[str]


def _within(con: duckdb.DuckDBPyConnection, selection: Selection) -> _Area | None:
    """Find the counties of the area; None where it is everywhere."""
    if not selection.area:
        return None
    counties = to_map(store.query_file(con, "query/county_outline"))
    states = to_frame(store.query_file(con, "query/state_names"))
    within = narrow(counties, states, list(selection.area))
    outlines = counties.set_index("county_id").geometry.reindex(within["county_id"])
    is_whole = shapely.equals_exact(outlines.to_numpy(), within.geometry.to_numpy())
    near = set(within["county_id"])
    if not is_whole.all():
        # A parcel may reach over a polygon from another county.
        west, south, east, north = within.geometry[~is_whole].total_bounds
        box = shapely.box(west - NEAR_DEG, south - NEAR_DEG, east + NEAR_DEG, north + NEAR_DEG)
        near |= set(counties["county_id"][shapely.intersects(counties.geometry.to_numpy(), box)])
    return _Area(within, is_whole, sorted(near))


def _in_area(
    con: duckdb.DuckDBPyConnection, frame: gpd.GeoDataFrame, level: str, area: _Area
) -> np.ndarray:
    """Whether each row lies in the area.

    A parcel does when its county is named, or it overlaps a polygon; a county when it is named or overlaps; a
    state when one of its counties does; metros and zones when they hold a parcel that does.
    """
    if level == PARCEL:
        return _overlapping(frame, area)
    if level == "county":
        return frame["region_id"].isin(area.counties["county_id"]).to_numpy()
    if level == "state":
        return frame["region_id"].isin(area.counties["state_id"]).to_numpy()
    parcels = to_map(store.query_file(con, "query/parcel_regions"))
    here = parcels[_overlapping(parcels, area)]
    return frame["region_id"].isin(here[f"{level}_id"].dropna()).to_numpy()


def _overlapping(parcels: gpd.GeoDataFrame, area: _Area) -> np.ndarray:
    """Whether each parcel is of a county that lies in the area as a whole, or overlaps what is in it of others."""
    whole = area.counties["county_id"][area.is_whole]
    found = parcels["county_id"].isin(whole).to_numpy()
    if area.is_whole.all():
        return found
    shape = shapely.union_all(area.counties.geometry.to_numpy()[~area.is_whole])
    shapely.prepare(shape)
    shapes = parcels.geometry.to_numpy()
    return found | (shapely.intersects(shape, shapes) & ~shapely.touches(shape, shapes))

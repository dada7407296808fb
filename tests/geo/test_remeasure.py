"""Measuring again what changes can reach, held against measuring all: equal to the last bit."""

from dataclasses import replace
from types import SimpleNamespace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from data import build as builds
from flows.measuring import to_part
from geo import remeasure
from geo.changes import USED, Changes, used
from geo.exclusion import ExclusionIndex
from geo.layers import Layers
from geo.measure import measure, prepare
from geo.parcels import Parcels
from geo.remeasure import OF_PARCEL, REACHES, Batch, Inputs, Remeasure
from geo.tiles import TileSet, differing_tiles
from tests.oracle.shapes import around, examples, seeds
from tests.oracle.worlds import TIE_LINES, world, worlds

SCHEMA = builds.metric_schema()
PLACE = (-97.0, 39.0)


def inputs_of(one):
    """What a world's parcels are measured by."""
    return Inputs(
        layers=one.layers,
        headroom=one.headroom,
        tie_lines=TIE_LINES,
        exclusions=None if one.exclusions is None else ExclusionIndex.build(one.exclusions),
        fiber=None if one.fiber is None else one.fiber.index(),
    )


def measured(parcels, held):
    """The published columns of all parcels."""
    engine = prepare(
        used(held.layers),
        held.headroom,
        held.tie_lines,
        exclusions=held.exclusions,
        fiber=held.fiber,
    )
    return to_part(measure(parcels, engine).reset_index(drop=True), SCHEMA)


def batch_of(parcels, before, needs):
    """The parcels as they are held against a change."""
    held = Parcels.from_geodataframe(parcels)
    return Batch(
        held.lon,
        held.lat,
        held.is_edge,
        parcels["county_id"].to_numpy(dtype=object),
        parcels["state_id"].to_numpy(dtype=object),
        {name: before.column(name).to_numpy(zero_copy_only=False).astype(float) for name in needs},
        lambda: held.polygons.oriented(),
    )


def differing(before, now):
    """Whether rows of two tables differ in any column, unknown equal to unknown."""
    out = np.zeros(len(now), dtype=bool)
    for name in SCHEMA.names:
        old, new = (
            table.column(name).to_numpy(zero_copy_only=False).astype(object)
            for table in (before, now)
        )
        out |= ~((old == new) | (pd.isna(old) & pd.isna(new)))
    return out


def edited(one, seed):
    """A world with some rows of some layers added, removed, moved, altered or in another order."""
    rng = np.random.default_rng([seed, 8])
    frames = {name: getattr(one.layers, name) for name in Layers.__annotations__}
    chosen = rng.choice([*frames, "headroom", "exclusions"], int(rng.integers(1, 4)), replace=False)
    headroom, exclusions = one.headroom, one.exclusions
    for name in chosen:
        if name == "headroom":
            headroom = _altered(headroom, "headroom_mw_mid", rng)
        elif name == "exclusions" and exclusions is not None and len(exclusions):
            exclusions = np.delete(exclusions, rng.integers(0, len(exclusions)))
        elif name in frames:
            frames[name] = _edited(name, frames[name], one, rng)
    if "substation" in chosen:
        headroom = _headroom_of(frames["substation"], headroom)
    return SimpleNamespace(
        layers=Layers(**frames), headroom=headroom, exclusions=exclusions, fiber=one.fiber
    )


def _edited(name, frame, one, rng):
    keys = {"state": "state_id", "county_fact": "county_id", "metro_county": "county_id"}
    ways = ["remove", "alter", "order"] + (["move", "add"] if name not in keys else [])
    way = rng.choice(ways)
    if not len(frame):
        return frame
    row = int(rng.integers(0, len(frame)))
    if way == "remove":
        return frame.drop(index=frame.index[row])
    if way == "order":
        order = np.arange(len(frame))
        order[[row, 0]] = order[[0, row]]
        return frame.iloc[order]
    numbers = [c for c in frame.select_dtypes("number").columns if c in USED[name]]
    if way == "alter":
        other = [c for c in numbers if c not in {"lon", "lat", "cell_km"}]
        return _altered(frame, rng.choice(other), rng) if other else frame
    west, south, east, north = one.parcels.total_bounds
    moved = frame.iloc[[row]].copy()
    away = rng.normal(0, 0.2 + (east - west), 2)
    if "geometry" in frame:
        moved["geometry"] = moved.geometry.translate(*away)
    else:
        moved["lon"] = np.clip(moved["lon"].astype(float) + away[0], -179, 179)
        moved["lat"] = np.clip(moved["lat"].astype(float) + away[1], 15, 60)
    if way == "add":
        for column in [c for c in frame.columns if c.endswith("_id") and c != "state_id"]:
            moved[column] = f"new-{rng.integers(1e9)}"
        return pd.concat([frame, moved])
    kept = frame.drop(index=frame.index[row])
    return pd.concat([kept.iloc[:row], moved, kept.iloc[row:]])


def _altered(frame, column, rng):
    if not len(frame):
        return frame
    frame = frame.copy()
    row = int(rng.integers(0, len(frame)))
    values = frame[column].to_numpy(copy=True)
    values[row] = values[rng.integers(0, len(values))] if rng.random() < 0.5 else 7
    frame[column] = values
    return frame


def _headroom_of(substation, headroom):
    known = headroom.drop_duplicates("substation_id").set_index("substation_id")
    return known.reindex(substation["substation_id"]).reset_index()


def again(one, then):
    """Measure both nights; give old and new results, and what is told to be stale."""
    old, new = inputs_of(one), inputs_of(then)
    before, now = measured(one.parcels, old), measured(one.parcels, new)
    plan = Remeasure.of(old, new)
    return before, now, plan, plan.stale(batch_of(one.parcels, before, plan.needs))


@pytest.mark.slow
@examples(150)
@given(worlds(), seeds)
def test_what_no_change_reaches_measures_the_same(one, seed):
    one.slope = None
    before, now, _, stale = again(one, edited(one, seed))
    missed = differing(before, now) & ~stale
    assert not missed.any(), before.column("parcel_id").to_numpy(zero_copy_only=False)[missed]

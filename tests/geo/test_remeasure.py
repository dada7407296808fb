"""Measuring again what changes can reach, held against measuring all: equal to the last bit."""

from types import SimpleNamespace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given

from data import build as builds
from flows.measuring import to_part
from geo import reach
from geo.changes import USED, Changes, used
from geo.exclusion import ExclusionIndex
from geo.layers import Layers
from geo.measure import measure, prepare
from geo.parcels import Parcels
from geo.remeasure import OF_PARCEL, REACHES, Batch, Inputs, Remeasure
from geo.tiles import TileSet, differing_tiles
from tests.oracle.geodesic import METRES_PER_MILE
from tests.oracle.shapes import around, examples, seeds
from tests.oracle.worlds import HEADROOM, TIE_LINES, layers, worlds

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
        held.polygons.oriented,
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
    west, _, east, _ = one.parcels.total_bounds
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
@examples(60)
@given(worlds(), seeds)
def test_what_no_change_reaches_measures_the_same(one, seed):
    one.slope = None
    before, now, _, stale = again(one, edited(one, seed))
    missed = differing(before, now) & ~stale
    assert not missed.any(), before.column("parcel_id").to_numpy(zero_copy_only=False)[missed]


def test_every_column_has_a_reach():
    told = [name for one in REACHES for name in one.metrics]
    assert {*told, *OF_PARCEL, "parcel_id"} == set(SCHEMA.names)
    assert not set(told) & set(OF_PARCEL)
    assert all(one.why for one in REACHES)


def test_measuring_is_given_no_column_that_is_not_compared():
    assert [*USED] == [*Layers.__annotations__]
    empty = layers()
    for name, columns in USED.items():
        assert [*getattr(used(empty), name).columns] == [*columns]


def at_mi(mi):
    """A place so many miles north of the parcel's point."""
    lon, lat = around(PLACE, [0.0], [mi * METRES_PER_MILE]).T
    return {"lon": lon, "lat": lat}


def grid(*rows):
    """Substations at miles, of a kV and with headroom."""
    mi, kv, mw = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    lon, lat = around(PLACE, np.zeros(len(mi)), mi * METRES_PER_MILE).T
    ids = [f"s{row:g}-{volts:g}" for row, volts in zip(mi, kv, strict=True)]
    frame = pd.DataFrame({"substation_id": ids, "kv_max": kv, "lon": lon, "lat": lat})
    known = pd.DataFrame(dict(zip(HEADROOM, (ids, mw, mw, mw), strict=True)))
    return frame, known


def night(*, substations=((30.0, 230, 100), (70.0, 230, 100)), **rows):
    """What one parcel is measured by; a small substation, not the nearest, is always there."""
    frame, headroom = grid(*substations, (80.0, 69, 1))
    return SimpleNamespace(
        layers=layers(substation=frame, **rows), headroom=headroom, exclusions=None, fiber=None
    )


def lots():
    """Two small parcels at one place, measured from the point and from the edge."""
    shape = shapely.Point(PLACE).buffer(0.001)
    columns = {"parcel_id": ["a", "b"], "parcel_kind": ["h3_cell", "assessor"]}
    same = {"lon": PLACE[0], "lat": PLACE[1], "county_id": "20001", "state_id": "KS"}
    same |= {"area_acres": 1.0, "acres": np.nan, "lake_share": 0.0}
    frame = pd.DataFrame(columns).assign(**same)
    return gpd.GeoDataFrame(frame, geometry=[shape, shape], crs="OGC:CRS84")


def plants(mi, mw):
    return {"plant": {"capacity_mw": [mw], "fuel_kind": ["firm"], **at_mi(mi)}}


def pops(mi, carrier):
    lon, lat = (np.append(PLACE[at], at_mi(mi)[name]) for at, name in enumerate(("lon", "lat")))
    carriers = {"carrier_id": ["a", carrier], "carrier_name": ["A", "B"], "pop_id": ["1", "2"]}
    return {"pop": {**carriers, "carrier_kind": ["carrier"] * 2, "lon": lon, "lat": lat}}


# What was, what is, and why they differ: each as near the end of a reach as makes a difference.
AT_THE_END = {
    "plants within 50 miles": (night(**plants(49.9, 100.0)), night(**plants(49.9, 110.0))),
    "people within 100 miles": (
        night(people={"people": [1_000.0], **at_mi(99.9)}),
        night(people={"people": [2_000.0], **at_mi(99.9)}),
    ),
    "carriers within 25 miles": (night(**pops(24.9, "a")), night(**pops(24.9, "b"))),
    "feeds within 20 miles": (
        night(substations=((19.9, 230, 100), (70.0, 230, 100))),
        night(substations=((19.9, 230, 120), (70.0, 230, 100))),
    ),
    "a nearer substation": (night(), night(substations=((30.0, 230, 100), (29.9, 230, 100)))),
    "a substation that goes": (night(), night(substations=((70.0, 230, 100),))),
    "a nearer place": (
        night(place={"place_name": ["P"], "state_id": ["KS"], **at_mi(40.0)}),
        night(place={"place_name": ["Q"], "state_id": ["KS"], **at_mi(39.9)}),
    ),
}


FAST = ("plants within 50 miles", "a nearer substation")


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[] if name in FAST else pytest.mark.slow) for name in AT_THE_END],
)
def test_too_small_a_reach_is_caught(name, monkeypatch):
    was, now = AT_THE_END[name]
    one = SimpleNamespace(parcels=lots(), **vars(was))
    before, after, plan, stale = again(one, now)
    assert plan.everything is None
    assert differing(before, after).tolist() == stale.tolist() == [True, True]
    real = reach._within
    monkeypatch.setattr(
        reach,
        "_within",
        lambda index, batch, limit, **how: real(index, batch, 0.98 * limit, **how),
    )
    assert plan.stale(batch_of(one.parcels, before, plan.needs)).tolist() == [False, False]


@pytest.mark.parametrize(
    ("was", "now"),
    [
        (night(**plants(50.2, 100.0)), night(**plants(50.2, 110.0))),
        pytest.param(
            *(night(), night(substations=((30.0, 230, 100), (70.0, 230, 200)))),
            marks=pytest.mark.slow,
        ),
        (night(), night(substations=((30.0, 230, 100), (30.1, 230, 100), (70.0, 230, 100)))),
        pytest.param(
            *(night(), night(state={"state_id": ["NE"], "industrial_usd_per_mwh": [7.0]})),
            marks=pytest.mark.slow,
        ),
    ],
)
def test_what_is_beyond_reach_is_not_measured_again(was, now):
    one = SimpleNamespace(parcels=lots(), **vars(was))
    before, after, plan, stale = again(one, now)
    assert sum(plan.changed.values()) > 0
    assert not stale.any()
    assert not differing(before, after).any()


@pytest.mark.parametrize(
    ("now", "why"),
    [
        (night(**plants(300.0, 5.0)), "whether plants are known"),
        (night(metro_county={"county_id": ["1"], "metro_id": ["m"]}), "counties of metros"),
    ],
)
def test_facts_of_whole_layers_reach_all(now, why):
    plan = Remeasure.of(inputs_of(night()), inputs_of(now))
    assert plan.everything == why
    assert plan.stale(batch_of(lots(), None, plan.needs)).all()


def test_a_record_that_starts_above_a_class_knows_none_of_it():
    bulk = [layers(substation=grid((30.0, 230, 1), (mi, 230, 1))[0]) for mi in (70.0, 75.0)]
    headroom = grid((30.0, 230, 1), (70.0, 230, 1), (75.0, 230, 1))[1]
    was, now, low = (
        SimpleNamespace(layers=held, headroom=headroom, exclusions=None, fiber=None)
        for held in (*bulk, layers(substation=grid((30.0, 230, 1), (70.0, 69, 1))[0]))
    )
    one = SimpleNamespace(parcels=lots(), **vars(was))
    before, after, _, stale = again(one, now)
    assert not stale.any()
    assert not differing(before, after).any()
    assert Remeasure.of(inputs_of(one), inputs_of(low)).everything is not None


def rows_of(*values):
    return pd.DataFrame({"name": [*values]})


def test_rows_are_compared_in_their_order():
    was, now = rows_of(*"abcdef"), rows_of(*"abdecf")
    found = Changes.of(was, now)
    assert found.removed["name"].tolist() == found.added["name"].tolist() == ["c"]
    assert len(found) == 1
    assert len(Changes.of(was, now, is_ordered=False)) == 0
    rng = np.random.default_rng(3)
    for _ in range(50):
        was, now = (rows_of(*rng.choice([*"abcd"], rng.integers(0, 9))) for _ in range(2))
        found = Changes.of(was, now)
        kept = was.drop(index=found.removed.index), now.drop(index=found.added.index)
        assert kept[0]["name"].tolist() == kept[1]["name"].tolist()


def test_values_are_compared_to_the_bit():
    was = pd.DataFrame({"mw": [0.0, np.nan, 1.0], "name": ["a", None, "c"]})
    assert len(Changes.of(was, was.copy())) == 0
    assert len(Changes.of(was, was.assign(mw=[-0.0, np.nan, 1.0]))) == 1
    assert len(Changes.of(was, was.assign(mw=[0.0, 0.0, np.nextafter(1.0, 2.0)]))) == 2
    assert len(Changes.of(was, was.assign(name=["a", "", "c"]))) == 1
    shapes = gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 1, 1)], crs="OGC:CRS84")
    turned = gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 1, 1, ccw=False)], crs="OGC:CRS84")
    assert len(Changes.of(shapes, turned)) == 1


def test_tiles_of_exclusions_are_compared_with_all_they_hold():
    west, south = PLACE
    boxes = [shapely.box(west + d, south, west + d + 0.01, south + 0.01) for d in (0.0, 1.0, 2.0)]
    old = ExclusionIndex.build(np.array(boxes))
    new = ExclusionIndex.build(np.array([boxes[0], boxes[1].buffer(1e-4), boxes[2]]))
    assert differing_tiles(old, ExclusionIndex.build(np.array(boxes))).empty
    tiles = TileSet.of_tiles(differing_tiles(old, new).to_numpy(), float(new.tile_m[0]))
    assert len(tiles) > 0
    bounds = shapely.bounds(np.array(boxes))
    assert tiles.meet(bounds).tolist() == [False, True, False]
    assert TileSet.of_shapes(np.array([boxes[1], None]), 4096.0).meet(bounds).tolist() == [
        *(False, True, False)
    ]
    assert not TileSet.of_shapes(np.array([None]), 4096.0).meet(bounds).any()

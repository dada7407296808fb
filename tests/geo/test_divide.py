import geopandas as gpd
import h3
import numpy as np
import pandas as pd
import pytest
import shapely

from geo.divide import h3_parcels
from geo.errors import CrsError, GeometryError
from tests.oracle.arcs import area_acres
from tests.oracle.lots import assessor_parcels

# An uneven shore, an inland border and an island.
SHORE = shapely.Polygon([
    (-71.9, 41.3), (-71.62, 41.36), (-71.5, 41.45), (-71.44, 41.38), (-71.3, 41.47),
    (-71.31, 41.8), (-71.9, 41.82),
])  # fmt: skip
WEST = SHORE.intersection(shapely.box(-72, 41, -71.613, 42))
EAST = SHORE.difference(shapely.box(-72, 41, -71.613, 42))
ISLAND = shapely.box(-71.64, 41.13, -71.52, 41.24)
LAKE = shapely.Polygon([(-71.82, 41.58), (-71.7, 41.55), (-71.66, 41.7), (-71.8, 41.72)])


def counties(shapes=None, crs="OGC:CRS84"):
    shapes = {"44002": EAST.union(ISLAND), "44001": WEST} if shapes is None else shapes
    return gpd.GeoDataFrame(
        {"county_id": list(shapes), "state_id": ["RI", "CT"][: len(shapes)]},
        geometry=list(shapes.values()),
        crs=crs,
    )


def lakes(*shapes):
    return gpd.GeoDataFrame({"lake_id": range(len(shapes))}, geometry=list(shapes), crs="OGC:CRS84")


def cover(land=None, water=(), resolution=6, **options):
    options = {"min_land_share": 0.0} | options
    return h3_parcels(
        counties() if land is None else land, lakes(*water), resolution=resolution, **options
    )


def cell(parcel_id):
    return shapely.Polygon([(lon, lat) for lat, lon in h3.cell_to_boundary(parcel_id)])


@pytest.mark.parametrize("resolution", [6, 7])
def test_cells_cover_the_land_exactly_and_nothing_else(resolution):
    divided = cover(resolution=resolution)
    parcels = divided.parcels
    land = shapely.union_all([WEST, EAST, ISLAND])
    assert shapely.area(parcels.geometry.to_numpy()).sum() == pytest.approx(land.area, rel=1e-9)
    # Edges that are straight in lon/lat bend in the equal-area plane: only when cut do they agree.
    whole = area_acres(np.array([shapely.segmentize(land, 1e-3)]))[0]
    assert parcels["area_acres"].sum() == pytest.approx(whole, rel=5e-6)
    outside = shapely.difference(parcels.geometry.to_numpy(), shapely.buffer(land, 1e-9))
    assert shapely.is_empty(outside).all()
    assert parcels.geometry.is_valid.all()
    assert set(parcels.geometry.geom_type) <= {"Polygon", "MultiPolygon"}
    assert parcels.crs == "OGC:CRS84"


@pytest.mark.parametrize("resolution", [6, 7])
def test_cells_are_named_sorted_and_partitioned(resolution):
    parcels = cover(resolution=resolution).parcels
    ids = parcels["parcel_id"].tolist()
    assert ids == sorted(set(ids))
    assert {h3.get_resolution(name) for name in ids} == {resolution}
    assert [h3.cell_to_parent(name, 2) for name in ids] == parcels["parcel_partition"].tolist()
    assert set(parcels["parcel_kind"]) == {"h3_cell"}
    assert parcels.index.tolist() == list(range(len(ids)))


def test_shares_are_of_the_whole_cell_and_the_county_is_that_with_most_of_it():
    parcels = cover().parcels
    land = {"44001": WEST, "44002": EAST.union(ISLAND)}
    both = 0
    for row in parcels.itertuples():
        whole = cell(row.parcel_id)
        parts = {name: whole.intersection(shape).area for name, shape in land.items()}
        assert row.land_share == pytest.approx(sum(parts.values()) / whole.area, abs=1e-9)
        assert row.county_id == max(parts, key=parts.get)
        assert row.state_id == {"44001": "CT", "44002": "RI"}[row.county_id]
        both += min(parts.values()) > 0
    assert both >= 5
    assert (parcels["lake_share"] == 0).all()
    assert (parcels["land_share"] == 1).sum() > 20


def test_a_cell_halved_between_counties_goes_to_the_lower_id():
    name = h3.latlng_to_cell(41.5, -71.6, 6)
    whole = cell(name)
    ring = np.array(whole.exterior.coords)[:6]
    half = shapely.Polygon(ring[[0, 1, 2, 3]])
    twins = counties({"2": half, "1": half})
    parcels = h3_parcels(twins, lakes(), resolution=6, min_land_share=0.3).parcels
    # Cells that it only touches at a corner or an edge hold no land.
    assert parcels["parcel_id"].tolist() == [name]
    assert parcels["county_id"].tolist() == ["1"]


def test_the_point_of_a_parcel_is_on_its_land():
    crescent = ISLAND.difference(shapely.Point(-71.58, 41.185).buffer(0.054))
    parcels = cover(counties({"1": SHORE, "2": crescent})).parcels
    points = shapely.points(parcels["lon"], parcels["lat"])
    assert shapely.intersects(parcels.geometry.to_numpy(), points).all()
    inland = (parcels["land_share"] == 1).to_numpy()
    there = shapely.distance(points, shapely.centroid(parcels.geometry.to_numpy()))
    assert (there[inland] < 1e-12).all()


def test_lakes_are_cut_out_and_their_share_is_kept():
    islet = shapely.box(-71.76, 41.62, -71.74, 41.64)
    water = LAKE.difference(islet)
    dry, wet = cover().parcels, cover(water=[water]).parcels
    land = shapely.union_all([WEST, EAST, ISLAND]).difference(water)
    assert shapely.area(wet.geometry.to_numpy()).sum() == pytest.approx(land.area, rel=1e-9)
    cut = wet.merge(dry, on="parcel_id", suffixes=("", "_dry"))
    expected = 1 - cut["area_acres"] / cut["area_acres_dry"]
    np.testing.assert_allclose(cut["lake_share"], expected, atol=1e-4)
    np.testing.assert_allclose(
        cut["land_share"], cut["land_share_dry"] * (1 - cut["lake_share"]), atol=1e-9
    )
    assert (cut["lake_share"] > 0).sum() > 5
    assert wet.geometry.is_valid.all()


def test_lakes_that_overlap_or_touch_count_once():
    one = cover(water=[LAKE]).parcels
    twice = cover(water=[LAKE, LAKE, LAKE.buffer(-0.01)]).parcels
    np.testing.assert_allclose(one["lake_share"], twice["lake_share"], atol=1e-9)
    outside = cover(water=[shapely.box(-60, 41, -59, 42)]).parcels
    assert (outside["lake_share"] == 0).all()


def test_a_cell_under_water_is_no_parcel():
    sea = shapely.box(-71.85, 41.5, -71.45, 41.75)
    divided = cover(water=[sea], min_land_share=0.25)
    drowned = [n for n in cover().parcels["parcel_id"] if sea.contains_properly(cell(n))]
    assert drowned
    assert not set(drowned) & set(divided.parcels["parcel_id"])
    gone = divided.left_out.set_index("parcel_id")["land_share"]
    assert (gone[drowned] == 0).all()


@pytest.mark.parametrize(("least", "most"), [(0.25, 1.0), (0.6, 1.0), (0.0, 0.5), (0.25, 0.1)])
def test_cells_with_too_little_land_or_too_much_lake_are_left_out(least, most):
    everything = cover(water=[LAKE])
    divided = cover(water=[LAKE], min_land_share=least, max_lake_share=most)
    kept = everything.parcels["land_share"] >= least
    kept &= everything.parcels["lake_share"] <= most
    assert divided.parcels["parcel_id"].tolist() == everything.parcels["parcel_id"][kept].tolist()
    told = {*divided.parcels["parcel_id"], *divided.left_out["parcel_id"]}
    assert told == {*everything.parcels["parcel_id"], *everything.left_out["parcel_id"]}
    assert len(divided.left_out) > 0


def test_the_order_of_counties_and_lakes_changes_nothing():
    water = [LAKE, shapely.box(-71.5, 41.5, -71.4, 41.6)]
    once = cover(water=water).parcels
    again = cover(counties().iloc[::-1], water=water[::-1]).parcels
    assert once.drop(columns="geometry").equals(again.drop(columns="geometry"))
    assert shapely.equals(once.geometry.to_numpy(), again.geometry.to_numpy()).all()


def test_frames_must_be_in_lon_lat():
    with pytest.raises(CrsError):
        cover(counties().to_crs(5070))
    with pytest.raises(CrsError):
        cover(counties(crs=None))
    with pytest.raises(CrsError):
        h3_parcels(counties(), lakes(LAKE).to_crs(3857), resolution=6, min_land_share=0)


def lots(shapes, acres=np.nan, ids=None, crs="OGC:CRS84"):
    ids = [f"lot-{n}" for n in range(len(shapes))] if ids is None else ids
    return gpd.GeoDataFrame({"parcel_id": ids, "acres": acres}, geometry=shapes, crs=crs)


def test_assessors_parcels_keep_their_shape_and_acres_and_gain_a_county():
    inland = shapely.box(-71.8, 41.6, -71.79, 41.61)
    ring = (
        shapely.Point(-71.45, 41.6)
        .buffer(0.05)
        .difference(shapely.Point(-71.45, 41.6).buffer(0.04))
    )
    at_sea = shapely.box(-71.0, 41.0, -70.99, 41.01)
    frame = lots([ring, inland, at_sea], [np.nan, 150.0, 3.0], ["b", "a", "c"])
    divided = assessor_parcels(frame, counties())
    parcels = divided.parcels
    assert parcels["parcel_id"].tolist() == ["a", "b"]
    assert parcels["county_id"].tolist() == ["44001", "44002"]
    assert parcels["state_id"].tolist() == ["CT", "RI"]
    assert set(parcels["parcel_kind"]) == {"assessor"}
    assert shapely.equals(parcels.geometry.to_numpy(), np.array([inland, ring])).all()
    measured = area_acres(np.array([inland, ring]))
    np.testing.assert_allclose(parcels["area_acres"], measured)
    np.testing.assert_allclose(parcels["acres"], [150, measured[1]])
    assert shapely.contains(ring, shapely.Point(parcels["lon"][1], parcels["lat"][1]))
    assert parcels[["land_share", "lake_share"]].isna().all().all()
    assert [h3.get_resolution(c) for c in parcels["parcel_partition"]] == [2, 2]
    assert divided.left_out == ["c"]


def test_assessors_parcels_must_have_a_shape_in_lon_lat():
    box = shapely.box(-71.8, 41.6, -71.79, 41.61)
    with pytest.raises(GeometryError):
        assessor_parcels(lots([box, None]), counties())
    with pytest.raises(GeometryError):
        assessor_parcels(lots([box, shapely.Polygon()]), counties())
    with pytest.raises(CrsError):
        assessor_parcels(lots([box], crs="EPSG:3857"), counties())


def test_an_area_without_any_parcel_gives_an_empty_frame():
    divided = assessor_parcels(lots([shapely.box(0, 0, 1, 1)]), counties())
    assert len(divided.parcels) == 0
    assert "county_id" in divided.parcels


def test_a_lot_off_the_drawn_shore_keeps_its_county() -> None:
    county = gpd.GeoDataFrame(
        {"county_id": ["44001"], "state_id": ["RI"]},
        geometry=[shapely.box(-71.4, 41.6, -71.3, 41.7)],
        crs="OGC:CRS84",
    )
    across = gpd.GeoDataFrame(
        {"county_id": ["25005"], "state_id": ["MA"]},
        geometry=[shapely.box(-71.3, 41.6, -71.2, 41.7)],
        crs="OGC:CRS84",
    )
    lots = gpd.GeoDataFrame(
        {"parcel_id": ["shore", "sea", "next door"], "acres": [np.nan, np.nan, np.nan]},
        geometry=[
            shapely.box(-71.405, 41.65, -71.402, 41.652),
            shapely.box(-71.5, 41.65, -71.49, 41.652),
            shapely.box(-71.298, 41.65, -71.297, 41.652),
        ],
        crs="OGC:CRS84",
    )
    study = pd.concat([county, across], ignore_index=True)
    divided = assessor_parcels(lots, county, study)
    assert divided.parcels["parcel_id"].tolist() == ["shore"]
    assert sorted(divided.left_out) == ["next door", "sea"]

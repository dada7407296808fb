import geopandas as gpd
import h3
import numpy as np
import pandas as pd
import pytest
import shapely

from geo.divide import h3_parcels
from geo.errors import GeometryError
from geo.regions import OUTLINE_RESOLUTION, needs_outline, outline_spots, region_shapes

BOXES = [shapely.box(x, 40, x + 1, 41) for x in (-90, -89, -88, -87)]
NONE = np.empty(0, dtype=object)
# Points around Chicago: one of each parcel.
LON = np.array([-87.6, -87.7, -88.9, -88.6])
LAT = np.array([41.9, 41.8, 40.5, 40.6])


def regions(lon=LON, lat=LAT, zones=("z1", "z1", "z2", None), metros=("m1", None, "m1", None)):
    """Regions of four counties with parcels of files at points."""
    parcels = pd.DataFrame(
        {"parcel_id": [f"P{number}" for number in range(len(lon))], "parcel_kind": "assessor",
         "land_share": np.nan, "lake_share": np.nan, "lon": lon, "lat": lat, "zone_id": zones,
         "region_metro_id": metros}
    )  # fmt: skip
    return unions(parcels)


def unions(parcels, clipped=NONE):
    counties = gpd.GeoDataFrame(
        {"county_id": ["1", "2", "3", "4"], "state_id": ["AA", "AA", "BB", "BB"]},
        geometry=BOXES,
        crs="OGC:CRS84",
    )
    metro = pd.DataFrame({"metro_id": ["m1", "m2"], "lon": [-89.0, -70.0], "lat": [40.5, 45.0]})
    zone = pd.DataFrame({"zone_id": ["z1", "z2", "z9"]})
    found = region_shapes(counties, parcels, clipped, metro, zone)
    return found.set_index(["region_kind", "region_id"])


def cells(resolution=6):
    """Generated cells of a county with a hole and a lake, all in one zone."""
    land = shapely.box(-90, 40, -89, 41).difference(shapely.Point(-89.5, 40.5).buffer(0.1))
    counties = gpd.GeoDataFrame(
        {"county_id": ["1"], "state_id": ["AA"]}, geometry=[land], crs="OGC:CRS84"
    )
    lakes = gpd.GeoDataFrame(geometry=[shapely.box(-89.9, 40.2, -89.7, 40.3)], crs="OGC:CRS84")
    parcels = h3_parcels(counties, lakes, resolution=resolution, min_land_share=0).parcels
    return parcels.assign(zone_id="z1", region_metro_id=None)


def hexagons(lon, lat):
    """Cells of points, one by one: the slow way to the outline of parcels of files."""
    found = {h3.latlng_to_cell(*point, OUTLINE_RESOLUTION) for point in zip(lat, lon, strict=True)}
    rings = [[(x, y) for y, x in h3.cell_to_boundary(cell)] for cell in found]
    return shapely.union_all([shapely.Polygon(ring) for ring in rings], grid_size=1e-9)


def test_counties_stay_and_states_are_their_unions():
    found = regions()
    shapes = found.geometry
    assert sorted(found.index) == [
        ("county", "1"), ("county", "2"), ("county", "3"), ("county", "4"),
        ("metro", "m1"), ("metro", "m2"), ("state", "AA"), ("state", "BB"),
        ("zone", "z1"), ("zone", "z2"), ("zone", "z9"),
    ]  # fmt: skip
    assert shapes["county", "2"].equals(BOXES[1])
    assert shapes["state", "AA"].equals(shapely.box(-90, 40, -88, 41))
    assert shapes["state", "AA"].geom_type == "Polygon"
    assert found.crs == "OGC:CRS84"


def test_parcels_of_files_are_outlined_by_the_cells_that_hold_their_points():
    shapes = regions().geometry
    assert shapes["zone", "z2"].symmetric_difference(hexagons(LON[2:3], LAT[2:3])).area < 1e-8
    both = hexagons(LON[[0, 2]], LAT[[0, 2]])
    assert shapes["metro", "m1"].geom_type == "MultiPolygon"
    assert shapes["metro", "m1"].symmetric_difference(both).area < 1e-8


@pytest.mark.parametrize("spread_deg", [0.05, 0.5, 2.0])
def test_an_outline_is_valid_holds_every_point_and_knows_no_order(spread_deg):
    rng = np.random.default_rng(3)
    lon, lat = np.array([[-90], [40]]) + spread_deg * rng.normal(size=(2, 500))
    found = regions(lon, lat, ["z1"] * 500, [None] * 500).geometry["zone", "z1"]
    assert found.is_valid
    assert shapely.intersects_xy(found, lon, lat).all()
    assert found.symmetric_difference(hexagons(lon, lat)).area < 1e-7
    order = rng.permutation(500)
    again = regions(lon[order], lat[order], ["z1"] * 500, [None] * 500).geometry["zone", "z1"]
    assert shapely.to_wkb(again) == shapely.to_wkb(found)


def test_many_parcels_at_one_place_outline_one_cell():
    found = regions([-90.0] * 9, [40.0] * 9, ["z1"] * 9, ["m1"] * 9)
    assert shapely.get_num_coordinates(found.geometry["metro", "m1"]) == 7


def test_a_metro_without_parcels_is_its_centre_and_a_zone_without_is_empty():
    found = regions()
    assert found.geometry["metro", "m2"].equals(shapely.Point(-70, 45))
    assert tuple(found.loc[("metro", "m2"), ["lon", "lat"]]) == (-70, 45)
    assert found.geometry["zone", "z9"].is_empty
    assert found.loc[("zone", "z9"), ["lon", "lat"]].isna().all()


def test_the_point_of_a_region_lies_in_it():
    angle = np.linspace(0, 2 * np.pi, 100)
    lon, lat = -88 + np.cos(angle), 40 + np.sin(angle)
    found = regions(lon, lat, ["z2"] * 100, [None] * 100)
    shape = found.geometry["zone", "z2"]
    assert not shape.contains(shapely.Point(-88, 40))
    assert shape.contains(shapely.Point(found.loc[("zone", "z2"), ["lon", "lat"]]))


def test_cells_merge_into_one_outline_whether_they_are_whole_or_clipped():
    parcels = cells()
    is_clipped = needs_outline(parcels)
    assert 0 < is_clipped.sum() < len(parcels)
    shape = unions(
        pd.DataFrame(parcels.drop(columns="geometry")), parcels.geometry.to_numpy()[is_clipped]
    ).geometry["zone", "z1"]
    assert shape.is_valid
    assert shape.geom_type == "Polygon"
    assert len(shape.interiors) == 2
    assert shape.symmetric_difference(shapely.union_all(parcels.geometry)).area < 1e-6


def test_each_region_is_made_of_its_own_clipped_cells():
    parcels = cells(7)
    is_clipped = needs_outline(parcels)
    parcels["zone_id"] = np.where(np.arange(len(parcels)) % 3 == 0, "z1", "z2")
    shapes = unions(
        pd.DataFrame(parcels.drop(columns="geometry")), parcels.geometry.to_numpy()[is_clipped]
    ).geometry
    for name in ("z1", "z2"):
        own = shapely.union_all(parcels.geometry[parcels["zone_id"] == name])
        assert shapes["zone", name].symmetric_difference(own).area < 1e-6


def test_outlines_that_are_not_those_of_the_clipped_cells_are_refused():
    parcels = pd.DataFrame(cells().drop(columns="geometry"))
    with pytest.raises(GeometryError, match="0 outlines for"):
        unions(parcels)


def test_parcels_of_files_need_no_outline():
    parcels = pd.DataFrame(
        {"parcel_kind": ["assessor"], "land_share": [np.nan], "lake_share": [np.nan]}
    )
    assert not needs_outline(parcels).any()


def test_parcels_of_no_zone_and_no_metro_make_none():
    found = regions(zones=[None] * 4, metros=[None, None, np.nan, None])
    assert found.geometry["zone", "z1"].is_empty
    assert found.geometry["metro", "m1"].equals(shapely.Point(-89, 40.5))


def test_one_parcel_of_each_cell_shows_where_regions_lie():
    make = np.random.default_rng(3)
    count = 400
    parcels = pd.DataFrame(
        {
            "parcel_id": [f"P{number}" for number in range(count)],
            "parcel_kind": "assessor",
            "land_share": np.nan,
            "lake_share": np.nan,
            "lon": make.uniform(-88.3, -88, count),
            "lat": make.uniform(40, 40.3, count),
            "zone_id": make.choice(["z1", "z2"], count),
            "region_metro_id": make.choice(["m1", None], count),
        }
    )
    is_spot = outline_spots(parcels)
    assert is_spot.sum() < count / 2
    of_all, of_spots = unions(parcels), unions(parcels[is_spot].reset_index(drop=True))
    assert of_all.index.equals(of_spots.index)
    assert (shapely.to_wkb(of_all.geometry) == shapely.to_wkb(of_spots.geometry)).all()


def test_generated_cells_all_show_where_regions_lie():
    assert outline_spots(pd.DataFrame(cells(5).drop(columns="geometry"))).all()

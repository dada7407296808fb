import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from geo.divide import h3_parcels
from geo.regions import region_shapes

BOXES = [shapely.box(x, 40, x + 1, 41) for x in (-90, -89, -88, -87)]


def regions(parcel_shapes=None, zones=("z1", "z1", "z2", None), metros=("m1", None, "m1", None)):
    counties = gpd.GeoDataFrame(
        {"county_id": ["1", "2", "3", "4"], "state_id": ["AA", "AA", "BB", "BB"]},
        geometry=BOXES,
        crs="OGC:CRS84",
    )
    parcels = gpd.GeoDataFrame(
        {"parcel_id": list("abcd"), "parcel_kind": "assessor", "land_share": np.nan,
         "lake_share": np.nan, "zone_id": zones, "region_metro_id": metros},
        geometry=BOXES if parcel_shapes is None else parcel_shapes,
        crs="OGC:CRS84",
    )  # fmt: skip
    return unions(counties, parcels)


def unions(counties, parcels):
    metro = pd.DataFrame({"metro_id": ["m1", "m2"], "lon": [-89.0, -70.0], "lat": [40.5, 45.0]})
    zone = pd.DataFrame({"zone_id": ["z1", "z2", "z9"]})
    return region_shapes(counties, parcels, metro, zone).set_index(["region_kind", "region_id"])


def test_counties_stay_and_the_others_are_unions():
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
    assert shapes["zone", "z1"].equals(shapely.box(-90, 40, -88, 41))
    assert shapes["metro", "m1"].equals(shapely.union_all([BOXES[0], BOXES[2]]))
    assert found.crs == "OGC:CRS84"


def test_a_metro_without_parcels_is_its_centre_and_a_zone_without_is_empty():
    found = regions()
    assert found.geometry["metro", "m2"].equals(shapely.Point(-70, 45))
    assert tuple(found.loc[("metro", "m2"), ["lon", "lat"]]) == (-70, 45)
    assert found.geometry["zone", "z9"].is_empty
    assert found.loc[("zone", "z9"), ["lon", "lat"]].isna().all()


def test_the_point_of_a_region_lies_in_it():
    ring = shapely.Point(-88, 40.5).buffer(1).difference(shapely.Point(-88, 40.5).buffer(0.9))
    found = regions([ring, *BOXES[1:]], zones=("z2", None, None, None))
    point = shapely.Point(found.loc[("zone", "z2"), ["lon", "lat"]])
    assert ring.contains(point)


@pytest.mark.parametrize("shift", [0.0, 0.3])
def test_parcels_that_overlap_are_merged_all_the_same(shift):
    shapes = [shapely.affinity.translate(box, -shift * n) for n, box in enumerate(BOXES)]
    found = regions(shapes, zones=["z1"] * 4)
    assert found.geometry["zone", "z1"].area == pytest.approx(shapely.union_all(shapes).area)
    assert found.geometry["zone", "z1"].is_valid


def test_cells_merge_into_one_outline_whether_they_are_whole_or_clipped():
    land = shapely.box(-90, 40, -89, 41).difference(shapely.Point(-89.5, 40.5).buffer(0.1))
    counties = gpd.GeoDataFrame(
        {"county_id": ["1"], "state_id": ["AA"]}, geometry=[land], crs="OGC:CRS84"
    )
    lakes = gpd.GeoDataFrame(geometry=[shapely.box(-89.9, 40.2, -89.7, 40.3)], crs="OGC:CRS84")
    parcels = h3_parcels(counties, lakes, resolution=6, min_land_share=0).parcels
    parcels = parcels.assign(zone_id="z1", region_metro_id=None)
    shape = unions(counties, parcels).geometry["zone", "z1"]
    assert shape.is_valid
    assert shape.geom_type == "Polygon"
    assert len(shape.interiors) == 2
    assert shape.symmetric_difference(shapely.union_all(parcels.geometry)).area < 1e-6


def test_parcels_of_no_zone_and_no_metro_make_none():
    found = regions(zones=[None] * 4, metros=[None, None, np.nan, None])
    assert found.geometry["zone", "z1"].is_empty
    assert found.geometry["metro", "m1"].equals(shapely.Point(-89, 40.5))

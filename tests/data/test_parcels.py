import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from data.errors import InputError
from data.parcels import read_parcels

MIRROR = Path(__file__).parents[3] / "shared" / "mirror" / "parcels"
BOX = shapely.box(-71.5, 41.5, -71.4, 41.6)
BOX2 = shapely.box(-71.3, 41.5, -71.2, 41.6)
# A bow tie: two triangles that meet in a point.
BOW = shapely.Polygon([(-71.5, 41.5), (-71.4, 41.6), (-71.4, 41.5), (-71.5, 41.6)])
REJECT_COLUMNS = ["raw_table", "file", "raw_row", "reject_code", "reason"]


@pytest.fixture
def write(tmp_path):
    def write(shapes, name="land.gpkg", crs="OGC:CRS84", **columns):
        frame = gpd.GeoDataFrame(columns, geometry=list(shapes), crs=crs)
        path = tmp_path / name
        frame.to_parquet(path) if path.suffix == ".parquet" else frame.to_file(path)
        return path

    return write


def reasons(read):
    assert list(read.rejected.columns) == REJECT_COLUMNS
    return dict(zip(read.rejected["raw_row"], read.rejected["reason"], strict=True))


@pytest.mark.parametrize("name", ["a.gpkg", "a.parquet", "a.geojson", "a.shp", "a.fgb"])
def test_any_vector_file_is_read(write, name):
    path = write([BOX, BOX2], name, apn=["x", "y"], acres=[10.0, 20.0])
    read = read_parcels([path])
    assert list(read.frame.columns) == ["parcel_id", "acres", "geometry"]
    # FlatGeobuf keeps its rows in an order of its own.
    frame = read.frame.sort_values("parcel_id")
    assert frame["parcel_id"].tolist() == ["x", "y"]
    assert frame["acres"].tolist() == [10, 20]
    assert read.frame.crs == "OGC:CRS84"
    assert shapely.equals_exact(
        frame.geometry.to_numpy(), np.array([BOX, BOX2]), 1e-9, normalize=True
    ).all()
    assert (len(read.rejected), read.notes) == (0, [])


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:4269", "EPSG:3857", "EPSG:5070", "EPSG:3438"])
@pytest.mark.parametrize("name", ["a.gpkg", "a.parquet"])
def test_any_crs_ends_in_lon_lat(write, crs, name):
    shapes = gpd.GeoSeries([BOX], crs="OGC:CRS84").to_crs(crs)
    read = read_parcels([write(shapes, name, crs=crs)])
    there = shapely.hausdorff_distance(read.frame.geometry[0], BOX)
    # NAD83 and WGS84 are the same to a metre or two.
    assert there < (2e-5 if crs not in {"EPSG:4326", "EPSG:3857"} else 1e-9)


def test_ids_and_acres_are_found_by_their_usual_names_whatever_the_case(write):
    path = write([BOX], "a.gpkg", OBJECTID=[7], ApN=["12-3"], GISAcres=[4.5], value=[1])
    frame = read_parcels([path]).frame
    assert (frame["parcel_id"][0], frame["acres"][0]) == ("12-3", 4.5)


def test_ids_and_acres_can_be_named(write):
    path = write([BOX], "a.gpkg", apn=["12-3"], acres=[4.5], lot=["L1"], size=[9.0])
    frame = read_parcels([path], id_column="lot", acres_column="size").frame
    assert (frame["parcel_id"][0], frame["acres"][0]) == ("L1", 9)


def test_rows_without_an_id_are_named_after_file_and_row(write):
    path = write([BOX, BOX2], "town.gpkg", apn=[None, "  "])
    assert read_parcels([path]).frame["parcel_id"].tolist() == ["town-1", "town-2"]
    path = write([BOX, BOX2], "city.gpkg")
    frame = read_parcels([path]).frame
    assert frame["parcel_id"].tolist() == ["city-1", "city-2"]
    assert frame["acres"].isna().all()


def test_ids_that_are_numbers_stay_whole(write):
    blank = write([BOX, BOX2], "a.parquet", apn=[1234567890123, None])
    assert read_parcels([blank]).frame["parcel_id"].tolist() == ["1234567890123", "a-2"]
    path = write([BOX, BOX2], "b.gpkg", pin=[7, 8])
    assert read_parcels([path]).frame["parcel_id"].tolist() == ["7", "8"]


def test_acres_may_carry_commas_and_zero_or_less_is_unknown(write):
    told = ["1,234.5", "0", "", None, "n/a", "-3", " 12 ", "inf", "nan"]
    path = write([shapely.affinity.translate(BOX, i) for i in range(len(told))], acres=told)
    acres = read_parcels([path]).frame["acres"].to_numpy()
    np.testing.assert_array_equal(acres, [1234.5, *[np.nan] * 5, 12, np.nan, np.nan])


def test_invalid_shapes_are_repaired_and_counted(write):
    spike = shapely.Polygon([(-71.5, 41.5), (-71.4, 41.5), (-71.4, 41.6), (-71.3, 41.7), (-71.4, 41.6),
                             (-71.5, 41.6)])  # fmt: skip
    read = read_parcels([write([BOX, BOW, spike], apn=["a", "b", "c"])])
    shapes = read.frame.geometry
    assert shapes.is_valid.all()
    assert set(shapes.geom_type) <= {"Polygon", "MultiPolygon"}
    assert shapely.area(shapes.to_numpy()) == pytest.approx([0.01, 0.005, 0.01])
    assert read.notes == ["land.gpkg: 2 invalid geometries repaired"]
    assert read.rejected.empty


def test_a_repair_that_leaves_no_area_is_a_reject(write):
    line = shapely.Polygon([(-71.5, 41.5), (-71.4, 41.6), (-71.5, 41.5), (-71.5, 41.5)])
    read = read_parcels([write([line, BOX], "a.parquet")])
    assert len(read.frame) == 1
    assert reasons(read) == {1: "has no area"}
    assert read.notes == []


def test_heights_are_dropped_and_parts_stay_one_parcel(write):
    tall = shapely.force_3d(BOX, 12.0)
    parts = shapely.MultiPolygon([BOX, BOX2])
    hole = BOX.difference(shapely.box(-71.46, 41.54, -71.44, 41.56))
    frame = read_parcels([write([tall, parts, hole], "a.parquet")]).frame
    assert not frame.geometry.has_z.any()
    assert frame.geometry.geom_type.tolist() == ["Polygon", "MultiPolygon", "Polygon"]
    assert shapely.area(frame.geometry.to_numpy()) == pytest.approx([0.01, 0.02, 0.01 - 0.0004])


def test_rows_that_are_no_parcel_are_rejected_one_by_one(write):
    with np.errstate(invalid="ignore"):
        nan = shapely.Polygon([(-71.5, 41.5), (np.nan, 41.5), (-71.4, 41.6)])
        inf = shapely.Polygon([(-71.5, 41.5), (np.inf, 41.5), (-71.4, 41.6)])
    shapes = [
        BOX,
        shapely.Point(-71.5, 41.5),
        shapely.LineString([(-71.5, 41.5), (-71.4, 41.6)]),
        None,
        shapely.Polygon(),
        shapely.GeometryCollection([BOX2]),
        nan,
        inf,
        shapely.box(-171.5, 91, -171.4, 92),
    ]
    read = read_parcels([write(shapes, "a.parquet", apn=list("abcdefghi"))])
    assert read.frame["parcel_id"].tolist() == ["a"]
    assert reasons(read) == {
        2: "is no polygon",
        3: "is no polygon",
        4: "has no geometry",
        5: "has no geometry",
        6: "is no polygon",
        7: "has coordinates that are not numbers",
        8: "has coordinates that are not numbers",
        9: "lies outside the range of longitude and latitude",
    }
    assert set(read.rejected["file"]) == {"a.parquet"}
    assert set(read.rejected["reject_code"]) == {"invalid"}
    assert set(read.rejected["raw_table"]) == {"parcels"}


def test_coordinates_that_the_projection_cannot_place_are_rejected(write):
    far = shapely.box(1e12, 1e12, 1e12 + 10, 1e12 + 10)
    here = gpd.GeoSeries([BOX], crs="OGC:CRS84").to_crs(5070)[0]
    read = read_parcels([write([here, far], "a.parquet", crs="EPSG:5070")])
    assert len(read.frame) == 1
    assert list(reasons(read)) == [2]


def test_rows_that_repeat_are_left_out_and_shared_ids_are_numbered(write):
    turned = shapely.Polygon(shapely.get_coordinates(BOX)[::-1])
    shapes = [BOX, turned, BOX2, BOX]
    read = read_parcels([write(shapes, apn=["a", "a", "a", "b"])])
    assert read.frame["parcel_id"].tolist() == ["a", "a#2", "b"]
    assert reasons(read) == {2: "repeats an earlier row"}
    assert read.rejected["reject_code"].tolist() == ["duplicate"]
    assert read.notes == [
        "1 rows repeat the id and shape of another and were left out",
        "1 rows share an id with another shape and were numbered (#2, #3 ...)",
    ]


def test_a_number_given_to_a_shared_id_never_takes_the_id_of_another(write):
    shapes = [BOX, BOX2, shapely.affinity.translate(BOX, 1), shapely.affinity.translate(BOX, 2)]
    frame = read_parcels([write(shapes, apn=["a", "a", "a#2", "a#2"])]).frame
    assert frame["parcel_id"].is_unique
    assert {"a", "a#2"} <= set(frame["parcel_id"])


def test_of_several_layers_the_first_with_shapes_is_read_and_said(tmp_path):
    path = tmp_path / "a.gpkg"
    for layer, shape in (("lots", BOX), ("zones", BOX2)):
        frame = gpd.GeoDataFrame({"apn": [layer]}, geometry=[shape], crs="OGC:CRS84")
        frame.to_file(path, layer=layer)
    read = read_parcels([path])
    assert read.frame["parcel_id"].tolist() == ["lots"]
    assert read.notes == ["a.gpkg: of its 2 layers, 'lots' was read"]


def test_several_files_are_one_set_of_parcels(write):
    one = write([BOX], "one.gpkg", apn=["a"], acres=[5.0])
    two = write(
        gpd.GeoSeries([BOX2, BOX, shapely.Point(0, 0)], crs="OGC:CRS84").to_crs(3857), "two.parquet",
        crs="EPSG:3857", PIN=["a", "c", "d"],
    )  # fmt: skip
    three = write([BOX], "three.geojson", apn=["a"])
    read = read_parcels([one, two, three])
    assert read.frame["parcel_id"].tolist() == ["a", "a#2", "c"]
    assert read.frame["acres"].tolist()[0] == 5
    told = list(zip(read.rejected["file"], read.rejected["raw_row"], strict=True))
    assert told == [("two.parquet", 3), ("three.geojson", 1)]


def test_every_row_is_a_parcel_or_a_reject(write):
    rng = np.random.default_rng(3)
    kinds = [BOX, BOW, None, shapely.Point(0, 0), shapely.MultiPolygon([BOX, BOX2])]
    shapes = [kinds[n] for n in rng.integers(0, len(kinds), 200)]
    read = read_parcels(
        [write(shapes, "a.parquet", apn=[f"p{n}" for n in rng.integers(0, 40, 200)])]
    )
    assert len(read.frame) + len(read.rejected) == 200
    assert read.frame["parcel_id"].is_unique
    assert read.rejected["raw_row"].is_unique


class TestFilesThatCannotBeUsed:
    """Each is one sentence that names the file, and a hint; exit code 1."""

    def refused(self, said, *paths, **options):
        with pytest.raises(InputError) as raised:
            read_parcels(list(paths), **options)
        assert said in raised.value.message
        assert paths[0].name in raised.value.message
        assert "\n" not in raised.value.message
        assert raised.value.hint
        assert raised.value.exit_code == 1
        return raised.value

    def test_missing(self, tmp_path):
        self.refused("There is no parcel file", tmp_path / "none.gpkg")

    @pytest.mark.parametrize("name", ["a.gpkg", "a.parquet", "a.geojson", "a.shp", "a.txt", "a"])
    def test_not_a_vector_file(self, tmp_path, name):
        path = tmp_path / name
        path.write_bytes(b"\x00not a map")
        self.refused("cannot be read as a parcel file", path)

    def test_a_folder(self, tmp_path):
        self.refused("cannot be read as a parcel file", tmp_path)

    def test_a_cut_off_file(self, write):
        path = write([BOX] * 50, "a.parquet")
        path.write_bytes(path.read_bytes()[:-100])
        self.refused("cannot be read as a parcel file", path)

    def test_no_geometry_column(self, tmp_path):
        path = tmp_path / "a.csv"
        path.write_text("apn,acres\nx,3\n")
        self.refused("has no geometry column", path)
        path = tmp_path / "a.parquet"
        pd.DataFrame({"apn": ["x"]}).to_parquet(path)
        self.refused("has no geometry column", path)

    @pytest.mark.filterwarnings("ignore:'crs' was not provided")
    @pytest.mark.parametrize("name", ["a.gpkg", "a.parquet", "a.shp"])
    def test_no_crs(self, write, name):
        self.refused("states no coordinate reference system", write([BOX], name, crs=None))

    @pytest.mark.parametrize("name", ["a.gpkg", "a.parquet", "a.geojson"])
    def test_an_empty_layer(self, tmp_path, name):
        path = tmp_path / name
        frame = gpd.GeoDataFrame({"apn": []}, geometry=[], crs="OGC:CRS84")
        frame.to_parquet(path) if name.endswith("parquet") else frame.to_file(
            path, geometry_type="Polygon"
        )
        self.refused("holds no rows", path)

    def test_an_unknown_column(self, write):
        path = write([BOX], apn=["x"], value=[3])
        error = self.refused("has no column 'lot'", path, id_column="lot")
        assert error.hint == "Name one of its columns with --parcel-id: apn, value."
        error = self.refused("has no column 'size'", path, acres_column="size")
        assert "--parcel-acres" in error.hint

    def test_nothing_but_points(self, write):
        self.refused("no row is a usable polygon", write([shapely.Point(-71, 41)] * 3))

    def test_geojson_that_is_json(self, tmp_path):
        path = tmp_path / "a.geojson"
        path.write_text(json.dumps({"hello": "world"}))
        self.refused("cannot be read as a parcel file", path)


@pytest.mark.mirror
@pytest.mark.skipif(not MIRROR.is_dir(), reason="the real parcels (../shared/mirror) are not here")
@pytest.mark.parametrize(
    ("name", "rows", "options"),
    [
        ("Rhode_Island.gpkg", 3514, {}),
        ("cambridge_ma_fy2013.parquet", 13159, {}),
        ("maricopa_az_rural.parquet", 412, {}),
    ],
)
def test_real_parcels_are_read_without_a_loss_that_is_not_told(name, rows, options):
    read = read_parcels([MIRROR / name], **options)
    assert len(read.frame) + len(read.rejected) == rows
    assert read.rejected["reason"].notna().all()
    assert len(read.rejected) < 0.01 * rows, read.rejected["reason"].value_counts()
    assert read.frame["parcel_id"].is_unique
    assert read.frame.geometry.is_valid.all()
    assert set(read.frame.geometry.geom_type) <= {"Polygon", "MultiPolygon"}
    assert not read.frame.geometry.has_z.any()
    west, south, east, north = read.frame.total_bounds
    assert -125 < west < east < -66
    assert 24 < south < north < 50
    acres = read.frame["acres"].dropna()
    assert (acres > 0).all()

import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from data.errors import InputError
from data.parcels import ParcelFile, open_parcels
from data.shared_ids import SharedIds
from geo.mend import mend
from geo.shape import shape_keys
from geo.wkb import from_arrow
from tests.oracle.parcel_files import read_parcels

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


def rows_of(path, rows=2, **options):
    """All batches of a file as one table, and their lengths."""
    batches = list(open_parcels(path, **options).batches(rows))
    return pa.Table.from_batches(batches), [len(batch) for batch in batches]


class TestBatches:
    @pytest.mark.parametrize("name", ["a.gpkg", "a.parquet", "a.geojson", "a.shp"])
    def test_files_are_read_in_batches_of_one_form(self, write, name):
        shapes = [shapely.affinity.translate(BOX, i) for i in range(5)]
        path = write(
            shapes, name, apn=["a", None, "c", "d", "e"], acres=["1,000", "0", "3", "", "5"]
        )
        file = open_parcels(path)
        assert isinstance(file, ParcelFile)
        assert (file.id_column, file.acres_column, file.notes) == ("apn", "acres", [])
        table, lengths = rows_of(path)
        assert lengths == [2, 2, 1]
        assert table.schema.names == ["parcel_id", "acres", "raw_row", "geometry"]
        assert table.schema.types[:3] == [pa.string(), pa.float64(), pa.int64()]
        assert table["parcel_id"].to_pylist() == ["a", "a-2", "c", "d", "e"]
        assert table["acres"].to_pylist() == [1000, None, 3, None, 5]
        assert table["raw_row"].to_pylist() == [1, 2, 3, 4, 5]
        read = shapely.from_wkb(table["geometry"].to_numpy())
        assert shapely.equals_exact(read, np.array(shapes), 1e-9, normalize=True).all()
        assert [one for ids in file.ids(2) for one in ids.to_pylist()] == [
            "a", "a-2", "c", "d", "e",
        ]  # fmt: skip
        # Each reading begins anew.
        assert sum(len(batch) for batch in file.batches()) == 5

    @pytest.mark.parametrize("name", ["a.gpkg", "a.parquet"])
    def test_files_without_ids_or_acres(self, write, name):
        file = open_parcels(write([BOX, BOX2, BOX], name))
        assert (file.id_column, file.acres_column) == (None, None)
        table = pa.Table.from_batches(file.batches(2))
        assert table["parcel_id"].to_pylist() == ["a-1", "a-2", "a-3"]
        assert table["acres"].null_count == 3
        assert [len(ids) for ids in file.ids(2)] == [2, 1]

    def test_one_column_can_be_both(self, write):
        path = write([BOX], "a.parquet", acres=[7.0])
        table, _ = rows_of(path, id_column="acres")
        assert (table["parcel_id"].to_pylist(), table["acres"].to_pylist()) == (["7"], [7.0])

    @pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:5070", "EPSG:3438"])
    @pytest.mark.parametrize("name", ["a.gpkg", "a.parquet"])
    def test_the_crs_is_told_and_coordinates_are_as_in_the_file(self, write, name, crs):
        shapes = gpd.GeoSeries([BOX], crs="OGC:CRS84").to_crs(crs)
        path = write(shapes, name, crs=crs)
        assert gpd.GeoSeries(crs=open_parcels(path).crs).crs.equals(
            shapes.crs, ignore_axis_order=True
        )
        read = shapely.from_wkb(rows_of(path)[0]["geometry"].to_numpy())
        assert shapely.equals_exact(read, shapes.to_numpy(), 1e-6, normalize=True).all()

    @pytest.mark.parametrize("crs", ["left out", "null"])
    def test_geoparquet_that_leaves_its_crs_out_is_in_lon_lat(self, write, crs):
        path = write([BOX], "a.parquet")
        table = pq.read_table(path)
        told = json.loads(table.schema.metadata[b"geo"])
        column = told["columns"]["geometry"]
        # What writers may leave out.
        for key in ("bbox", "geometry_types"):
            column.pop(key, None)
        if crs == "null":
            column["crs"] = None
        else:
            del column["crs"]
        pq.write_table(table.replace_schema_metadata({"geo": json.dumps(told)}), path)
        if crs == "null":
            with pytest.raises(InputError, match="states no coordinate reference system"):
                open_parcels(path)
        else:
            assert open_parcels(path).crs == "OGC:CRS84"
            assert len(read_parcels([path]).frame) == 1

    def test_geoparquet_in_the_layout_of_arrow(self, tmp_path):
        shapes = [BOX, BOX2.difference(shapely.box(-71.26, 41.54, -71.24, 41.56))]
        frame = gpd.GeoDataFrame({"apn": ["a", "b"]}, geometry=shapes, crs="OGC:CRS84")
        path = tmp_path / "a.parquet"
        frame.to_parquet(path, geometry_encoding="geoarrow", schema_version="1.1.0")
        assert open_parcels(path).encoding == "polygon"
        read = read_parcels([path]).frame
        assert read["parcel_id"].tolist() == ["a", "b"]
        assert shapely.equals(read.geometry.to_numpy(), np.array(shapes)).all()

    def test_a_file_of_another_geometry_column_and_a_geoparquet_suffix(self, tmp_path):
        frame = gpd.GeoDataFrame({"apn": ["a"]}, geometry=[BOX], crs="OGC:CRS84")
        path = tmp_path / "a.geoparquet"
        frame.rename_geometry("outline").to_parquet(path)
        assert rows_of(path)[0]["parcel_id"].to_pylist() == ["a"]
        with pytest.raises(InputError) as raised:
            open_parcels(path, id_column="x")
        assert raised.value.hint == "Name one of its columns with --parcel-id: apn."

    def test_ids_of_many_types(self, tmp_path):
        columns = {
            "whole": pa.array([1.0, None, 1234567890123.0, 2.5, 1e300]),
            "number": pa.array([7, None, -3, 0, 2**60]),
            "text": pa.array([" x ", "", None, "\t", "y"]),
            "kind": pa.array(["u", None, "u", "v", ""]).dictionary_encode(),
            "large": pa.array(["u", None, "w", "v", ""], pa.large_string()),
        }
        expected = {
            "whole": ["1", "a-2", "1234567890123", "2.5", "1e+300"],
            "number": ["7", "a-2", "-3", "0", str(2**60)],
            "text": ["x", "a-2", "a-3", "a-4", "y"],
            "kind": ["u", "a-2", "u", "v", "a-5"],
            "large": ["u", "a-2", "w", "v", "a-5"],
        }
        frame = gpd.GeoDataFrame(geometry=[BOX] * 5, crs="OGC:CRS84")
        frame.to_parquet(tmp_path / "plain.parquet")
        plain = pq.read_table(tmp_path / "plain.parquet")
        for name, column in columns.items():
            path = tmp_path / "a.parquet"
            pq.write_table(plain.append_column(name, column), path)
            assert rows_of(path, id_column=name)[0]["parcel_id"].to_pylist() == expected[name]

    def test_acres_of_many_types(self, tmp_path):
        columns = [
            (pa.array([1, 0, None, -2]), [1.0, None, None, None]),
            (pa.array([1.5, np.inf, np.nan, None]), [1.5, None, None, None]),
            (pa.array([1, 0, None, 3]).cast(pa.decimal128(21, 2)), [1.0, None, None, 3.0]),
            (pa.array(["2", "x", "1,200.5", None]), [2.0, None, 1200.5, None]),
        ]
        frame = gpd.GeoDataFrame(geometry=[BOX] * 4, crs="OGC:CRS84")
        frame.to_parquet(tmp_path / "plain.parquet")
        plain = pq.read_table(tmp_path / "plain.parquet")
        for column, expected in columns:
            path = tmp_path / "a.parquet"
            pq.write_table(plain.append_column("acres", column), path)
            assert rows_of(path)[0]["acres"].to_pylist() == expected

    def test_a_column_that_is_no_id_is_named(self, tmp_path):
        path = tmp_path / "a.parquet"
        gpd.GeoDataFrame(geometry=[BOX], crs="OGC:CRS84").to_parquet(path)
        table = pq.read_table(path).append_column("apn", pa.array([{"book": 1, "page": 2}]))
        pq.write_table(table, path)
        with pytest.raises(InputError, match="column 'apn' holds struct") as raised:
            list(open_parcels(path).batches())
        assert "--parcel-id" in raised.value.hint

    def test_a_file_that_breaks_off_while_it_is_read_is_named(self, write):
        path = write(
            [shapely.Point(i, 0).buffer(1) for i in range(50)], "a.parquet", apn=["x"] * 50
        )
        file = open_parcels(path)
        whole = path.read_bytes()
        path.write_bytes(whole[:4] + bytes(len(whole) // 2) + whole[4 + len(whole) // 2 :])
        with pytest.raises(InputError, match="cannot be read as a parcel file") as raised:
            list(file.batches())
        assert path.name in raised.value.message

    def test_no_more_than_a_batch_is_held(self, tmp_path):
        count = 40_000
        ids = pa.array([f"p{n}" for n in range(count)])
        wkb = pa.array([shapely.to_wkb(shapely.Point(0, 0).buffer(1, quad_segs=16))] * count)
        told = {"version": "1.0.0", "primary_column": "geometry",
                "columns": {"geometry": {"encoding": "WKB", "geometry_types": []}}}  # fmt: skip
        path = tmp_path / "a.parquet"
        table = pa.table({"apn": ids, "geometry": wkb})
        table = table.replace_schema_metadata({"geo": json.dumps(told)})
        pq.write_table(table, path, row_group_size=4_000, use_dictionary=False)
        size, before = table.nbytes, pa.total_allocated_bytes()
        del table, wkb
        before, most, seen = pa.total_allocated_bytes(), 0, 0
        for batch in open_parcels(path).batches(2_000):
            seen += len(batch)
            most = max(most, pa.total_allocated_bytes() - before)
        assert seen == count
        assert most < size / 4


class TestSharedIds:
    def test_batches_are_told_apart_like_one_file(self):
        names = ["a", "b", "a", "a", "a#2", "c", "a#2", "b", "d", "a"]
        keys = [1, 2, 1, 3, 4, 5, 6, 2, 7, 8]
        expected = ["a", "b", None, "a#3", "a#2", "c", "a#2#2", None, "d", "a#4"]
        for step in (1, 3, len(names)):
            batches = [names[at : at + step] for at in range(0, len(names), step)]
            found = iter(keys)
            arrays = [pa.array(ids) for ids in batches]
            shared = SharedIds(arrays)
            got = []
            for ids in arrays:
                here = [next(found) for _ in ids]
                is_shared = shared.which(ids)
                few = [key for key, one in zip(here, is_shared, strict=True) if one]
                out, gone = shared.settle(ids, is_shared, few)
                got += [None if g else n for n, g in zip(out.to_pylist(), gone, strict=True)]
            assert got == expected
            assert shared.notes == [
                "2 rows repeat the id and shape of another and were left out",
                "3 rows share an id with another shape and were numbered (#2, #3 ...)",
            ]

    def test_ids_that_nobody_shares_cost_nothing(self):
        ids = pa.array([f"p{n}" for n in range(1_000)])
        shared = SharedIds([ids[:400], ids[400:]])
        assert not shared.which(ids).any()
        out, is_repeat = shared.settle(ids, shared.which(ids), [])
        assert out is ids
        assert not is_repeat.any()
        assert shared.notes == []

    def test_rows_that_are_never_settled_leave_their_id_to_others(self):
        ids = pa.array(["a", "a", "b"])
        shared = SharedIds([ids])
        kept = ids[1:]
        out, _ = shared.settle(kept, shared.which(kept), ["shape"])
        assert out.to_pylist() == ["a", "b"]
        assert shared.notes == []

    def test_no_ids(self):
        shared = SharedIds([])
        assert shared.which(pa.array([], pa.string())).shape == (0,)


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


def streamed(paths, rows):
    """What streaming makes of files: ids, areas, and the rejected rows with their reasons."""
    files = [open_parcels(path) for path in paths]
    shared = SharedIds(ids for file in files for ids in file.ids(rows))
    names, areas, rejected = [], [], []
    for file in files:
        for batch in file.batches(rows):
            mended = mend(from_arrow(batch["geometry"]), file.crs)
            number = batch["raw_row"].to_numpy()
            rejected += zip(number[mended.rejected].tolist(), mended.reasons, strict=True)
            ids = batch["parcel_id"].take(pa.array(mended.rows))
            is_shared = shared.which(ids)
            keys = shape_keys(mended.polygons.take(is_shared)).tolist()
            ids, is_repeat = shared.settle(ids, is_shared, keys)
            names += ids.filter(pa.array(~is_repeat)).to_pylist()
            areas.append(shapely.area(mended.polygons.to_shapes())[~is_repeat])
            again = number[mended.rows][is_repeat]
            rejected += [(row, "repeats an earlier row") for row in again.tolist()]
    return names, np.concatenate(areas), sorted(rejected)


def test_streaming_and_reading_whole_agree(write):
    rng = np.random.default_rng(3)
    turned = shapely.Polygon(shapely.get_coordinates(BOX)[::-1])
    kinds = [BOX, BOX2, turned, BOW, None, shapely.Point(0, 0), shapely.MultiPolygon([BOX, BOX2]),
             shapely.box(-1, 89, 1, 91), shapely.Polygon()]  # fmt: skip
    shapes = [kinds[n] for n in rng.integers(0, len(kinds), 300)]
    path = write(shapes, "a.parquet", apn=[f"p{n}" for n in rng.integers(0, 60, 300)])
    whole = read_parcels([path])
    for rows in (7, 1_000):
        names, areas, rejected = streamed([path], rows)
        assert names == whole.frame["parcel_id"].tolist()
        np.testing.assert_allclose(areas, shapely.area(whole.frame.geometry.to_numpy()), rtol=1e-9)
        assert rejected == sorted(reasons(whole).items())


@pytest.mark.mirror
@pytest.mark.skipif(not MIRROR.is_dir(), reason="the real parcels (../shared/mirror) are not here")
def test_real_parcels_stream_as_they_are_read():
    names = ["Rhode_Island.gpkg", "cambridge_ma_fy2013.parquet", "maricopa_az_rural.parquet"]
    paths = [MIRROR / name for name in names]
    whole = read_parcels(paths)
    ids, areas, rejected = streamed(paths, 1_000)
    assert ids == whole.frame["parcel_id"].tolist()
    np.testing.assert_allclose(areas, shapely.area(whole.frame.geometry.to_numpy()), rtol=1e-6)
    told = zip(whole.rejected["raw_row"], whole.rejected["reason"], strict=True)
    assert rejected == sorted(told)

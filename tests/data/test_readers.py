import contextlib
import datetime as dt
import functools
import json
import zipfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import openpyxl
import pyarrow as pa
import pytest
import rasterio
import shapely
from pyarrow import parquet
from rasterio.transform import Affine

from data.catalogue import Source, Table, load_catalogue, load_lock
from data.errors import CatalogueError, IntegrityError, ReadError
from data.pull import pull, sha256_of
from data.readers import read_table
from data.readers.raster import open_raster
from tests.data.thing import thing

CATALOGUE = load_catalogue()
ROOT = Path(__file__).parents[2]
MIRROR = ROOT.parent / "shared" / "mirror"
CACHE = ROOT / "var" / "cache"

SOURCE = thing({"kind": "file", "path": "x"})


def read(path, reader, **entry):
    return read_table(Table(reader=reader, **entry), path, SOURCE)


def shapes(table):
    return shapely.from_wkb(np.array(table["geometry"].to_pylist(), dtype=object))


@pytest.fixture
def write(tmp_path):
    def write(name, content):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@pytest.fixture
def zipped(tmp_path):
    def zipped(**members):
        path = tmp_path / "a.whl"
        with zipfile.ZipFile(path, "w") as archive:
            for name, body in members.items():
                archive.writestr(name.replace("__", "/"), body)
        return path

    return zipped


class TestCsv:
    def test_values_stay_text_and_only_an_empty_one_is_null(self, write):
        path = write("a.csv", '\ufeffid,v,w\n"007", ,NA\n8,,"a,""b""\nc"\n')
        rows = read(path, "csv")
        assert rows.column_names == ["id", "v", "w", "raw_row"]
        assert rows.to_pylist() == [
            {"id": "007", "v": " ", "w": "NA", "raw_row": 1},
            {"id": "8", "v": None, "w": 'a,"b"\nc', "raw_row": 2},
        ]

    def test_short_rows_are_padded_and_long_ones_refused(self, write):
        path = write("a.csv", "a,b,c\n1,2,3\nNote: see below\n\n4,5,6\n")
        assert read(path, "csv").to_pylist()[1] == {
            "a": "Note: see below", "b": None, "c": None, "raw_row": 2,
        }  # fmt: skip
        with pytest.raises(ReadError, match="row 2: 4 values for 3 columns"):
            read(write("b.csv", "a,b,c\n1,2,3\n1,2,3,4\n"), "csv")

    def test_header_only_is_no_rows(self, write):
        assert read(write("a.csv", "a,b\n"), "csv", required=["a"]).num_rows == 0

    def test_encoding_delimiter_and_skipped_lines_are_options(self, write):
        path = write("a.csv", "title\na;b\n1;Cañon\n".encode("latin-1"))
        options = {"encoding": "latin-1", "delimiter": ";", "skip_lines": 1}
        assert read(path, "csv", options=options).to_pylist()[0]["b"] == "Cañon"
        with pytest.raises(ReadError, match="is not UTF-8"):
            read(path, "csv")

    @pytest.mark.parametrize("text", ["", "a,a\n1,2\n"])
    def test_a_bad_header_is_one_sentence(self, write, text):
        with pytest.raises(ReadError, match=r"a\.csv (is empty|has two columns named 'a')"):
            read(write("a.csv", text), "csv")

    def test_gzip_is_unpacked(self, write, tmp_path):
        import gzip

        path = tmp_path / "a.csv.gz"
        path.write_bytes(gzip.compress(b"a\n1\n"))
        assert read(path, "csv")["a"].to_pylist() == ["1"]


class TestExpectations:
    def test_a_missing_column_names_file_column_and_what_there_is(self, write):
        with pytest.raises(ReadError, match=r"a\.csv has no column 'kv'") as caught:
            read(write("a.csv", "id,volt\n1,2\n"), "csv", required=["id", "kv"])
        assert "id, volt" in caught.value.hint

    def test_row_counts_are_exact_unless_a_tolerance_is_given(self, write):
        path = write("a.csv", "a\n1\n2\n")
        assert read(path, "csv", rows=2).num_rows == 2
        with pytest.raises(ReadError, match=r"has 2 rows where source 'thing' expects 3\."):
            read(path, "csv", rows=3)
        assert read(path, "csv", rows=3, rows_tolerance=0.4).num_rows == 2
        with pytest.raises(ReadError, match="expects 20 ± 2"):
            read(path, "csv", rows=20, rows_tolerance=0.1)

    def test_an_option_that_the_reader_lacks_is_named(self, write):
        with pytest.raises(CatalogueError, match="no option 'sheet'"):
            read(write("a.csv", "a\n"), "csv", options={"sheet": "x"})

    def test_a_missing_file_and_a_missing_member_are_named(self, tmp_path, zipped):
        with pytest.raises(ReadError, match=r"none\.csv does not exist"):
            read(tmp_path / "none.csv", "csv")
        with pytest.raises(ReadError, match=r"holds no member 'x/\*\.csv'"):
            read(zipped(a=b""), "csv", member="x/*.csv")

    def test_a_member_of_what_is_no_archive_is_an_error(self, write):
        with pytest.raises(ReadError, match="is no archive"):
            read(write("a.csv", "a\n"), "csv", member="a")

    def test_several_members_say_which_they_are(self, zipped):
        path = zipped(d__b=b"a\n1\n", d__a=b"a,z\n2,3\n4,5\n")
        rows = read(path, "csv", member="d/*", rows=3).to_pylist()
        assert [(row["member"], row["raw_row"], row["a"], row["z"]) for row in rows] == [
            ("d/a", 1, "2", "3"), ("d/a", 2, "4", "5"), ("d/b", 1, "1", None),
        ]  # fmt: skip
        assert read(path, "csv", member=["d/b"])["member"].to_pylist() == ["d/b"]
        assert "member" not in read(path, "csv", member="d/b").column_names

    @pytest.mark.parametrize(
        ("reader", "options"),
        [
            ("xlsx", {"sheet": "x"}),
            ("parquet", {}),
            ("geoparquet", {}),
            ("geo", {}),
            ("json_records", {}),
            ("geonames_cities", {}),
            ("raster", {}),
            ("topohub_nodes", {}),
        ],
    )
    def test_what_cannot_be_read_is_one_sentence(self, write, reader, options):
        with pytest.raises(ReadError, match=r"^broken\.dat[^\n]+\.$"):
            read(write("broken.dat", b"\x00 neither this nor that"), reader, options=options)

    def test_a_damaged_zip_is_one_sentence(self, write):
        with pytest.raises(IntegrityError, match=r"a\.zip is damaged"):
            read(write("a.zip", b"PK nonsense"), "csv", member="x.csv")


class TestXlsx:
    @pytest.fixture
    def book(self, tmp_path):
        book = openpyxl.Workbook()
        sheet = book.active
        sheet.title = "Plant"
        for row in [
            ("A title", None),
            ("Code", "kV", "When", "Is"),
            (7, 345.0, dt.date(2020, 8, 13), True),
            (None, None, None, None),
            ("007", " ", 0.1, ""),
            ("NOTE: a footnote", None, None, None),
        ]:
            sheet.append(row)
        path = tmp_path / "a.xlsx"
        book.save(path)
        return path

    def test_cells_become_the_text_that_excel_shows(self, book):
        rows = read(book, "xlsx", options={"sheet": "Plant", "header_row": 2}).to_pylist()
        assert rows == [
            {"Code": "7", "kV": "345", "When": "2020-08-13T00:00:00", "Is": "TRUE", "raw_row": 1},
            {"Code": "007", "kV": " ", "When": "0.1", "Is": None, "raw_row": 3},
            {"Code": "NOTE: a footnote", "kV": None, "When": None, "Is": None, "raw_row": 4},
        ]

    def test_a_wrong_sheet_or_header_row_is_named(self, book):
        with pytest.raises(ReadError, match="no sheet 'Boiler'") as caught:
            read(book, "xlsx", options={"sheet": "Boiler"})
        assert "'Plant'" in caught.value.hint
        with pytest.raises(ReadError, match="no column 'Code'"):
            read(book, "xlsx", options={"sheet": "Plant"}, required=["Code"])
        with pytest.raises(ReadError, match="no name for every column"):
            read(book, "xlsx", options={"sheet": "Plant", "header_row": 9})


class TestGeometry:
    def frame(self, crs="EPSG:4269"):
        points = [shapely.Point(-71, 42, 5), None, shapely.Point(-120.5, 45)]
        return gpd.GeoDataFrame({"name": ["a", "b", "c"]}, geometry=points, crs=crs)

    def test_geoparquet_loses_z_and_keeps_nad83_degrees(self, tmp_path):
        path = tmp_path / "a.parquet"
        self.frame().to_parquet(path)
        got = shapes(read(path, "geoparquet", required=["geometry"]))
        assert [None if g is None else g.wkt for g in got] == [
            "POINT (-71 42)", None, "POINT (-120.5 45)",
        ]  # fmt: skip

    def test_projected_coordinates_become_degrees(self, tmp_path):
        path = tmp_path / "a.parquet"
        self.frame().to_crs("EPSG:5070").to_parquet(path)
        got = shapes(read(path, "geoparquet"))
        assert shapely.get_coordinates(got) == pytest.approx(np.array([[-71, 42], [-120.5, 45]]))

    def test_a_layer_in_a_zip_is_read_with_its_crs_from_the_option(self, tmp_path, zipped):
        self.frame().iloc[[0, 2]].to_file(tmp_path / "c.shp")
        family = {
            f"d__c.{kind}": (tmp_path / f"c.{kind}").read_bytes() for kind in ("shp", "shx", "dbf")
        }
        path = zipped(**family)
        with pytest.raises(ReadError, match=r"a\.whl/d/c\.shp states no CRS"):
            read(path, "geo", member="d/c.shp")
        rows = read(path, "geo", member="d/c.shp", options={"crs": "EPSG:4269"}, rows=2)
        assert rows["name"].to_pylist() == ["a", "c"]
        assert shapes(rows)[0].wkt == "POINT (-71 42)"
        with pytest.raises(CatalogueError, match="CRS 'EPSG:9' is not understood"):
            read(path, "geo", member="d/c.shp", options={"crs": "EPSG:9"})

    def test_metres_that_a_file_calls_degrees_are_refused(self, tmp_path):
        path = tmp_path / "a.parquet"
        metres = self.frame().to_crs("EPSG:5070").set_crs("EPSG:4326", allow_override=True)
        metres.to_parquet(path)
        with pytest.raises(ReadError, match="no degrees"):
            read(path, "geoparquet")

    def test_one_wild_point_is_left_for_staging_to_reject(self, tmp_path):
        path = tmp_path / "a.parquet"
        points = [shapely.Point(-71, 425.25), shapely.Point(-71, 42), shapely.Point(-72, 42)]
        gpd.GeoDataFrame(geometry=points, crs="OGC:CRS84").to_parquet(path)
        assert read(path, "geoparquet", rows=3).num_rows == 3

    def test_geojson_lines_as_arcgis_layers_are_kept(self, write):
        line = {
            "type": "Feature",
            "geometry": {"type": "LineString", "coordinates": [[-100, 40], [-101, 41]]},
            "properties": {"OID": 1, "TAGS": ["a", "ü"]},
        }
        path = write("thing.geojsonl", f"{json.dumps(line)}\n{json.dumps(line)}\n")
        rows = read(path, "geo", rows=2)
        assert rows["TAGS"].to_pylist()[0] == '["a", "ü"]'
        assert shapes(rows)[1].wkt == "LINESTRING (-100 40, -101 41)"

    def test_layers_are_named_when_there_are_several(self, tmp_path):
        path = tmp_path / "a.gpkg"
        for layer in ("lots", "roads"):
            self.frame().iloc[[0]].to_file(path, layer=layer, driver="GPKG")
        with pytest.raises(ReadError, match="has 2 layers"):
            read(path, "geo")
        with pytest.raises(ReadError, match="no layer 'lakes'"):
            read(path, "geo", options={"layer": "lakes"})
        assert read(path, "geo", options={"layer": "roads"}, rows=1).num_rows == 1

    def test_a_table_without_geometry_is_told_apart(self, tmp_path):
        path = tmp_path / "a.parquet"
        parquet.write_table(pa.table({"a": [1], "__index_level_0__": [0]}), path)
        with pytest.raises(ReadError, match="no GeoParquet"):
            read(path, "geoparquet")
        assert read(path, "parquet").to_pylist() == [{"a": 1, "raw_row": 1}]


class TestJson:
    def test_records_keep_types_and_nest_as_text(self, write):
        records = [{"id": 1, "mw": 2, "x": {"a": ["ü"]}, "m": "s"}, {"id": 3, "mw": 0.5, "m": 4}]
        rows = read(write("a.json", json.dumps(records)), "json_records").to_pylist()
        assert rows == [
            {"id": 1, "mw": 2.0, "x": '{"a": ["ü"]}', "m": "s", "raw_row": 1},
            {"id": 3, "mw": 0.5, "x": None, "m": "4", "raw_row": 2},
        ]

    def test_another_layout_is_refused(self, write):
        with pytest.raises(ReadError, match="not a list of objects"):
            read(write("a.json", '{"features": []}'), "json_records")

    def test_geonames_are_filtered_by_country(self, write):
        places = {
            "1": {"name": "Ames", "countrycode": "US"},
            "2": {"name": "Oslo", "countrycode": "NO"},
        }
        path = write("a.json", json.dumps(places))
        assert read(path, "geonames_cities", options={"country": "US"})["name"].to_pylist() == [
            "Ames"
        ]
        assert read(path, "geonames_cities").num_rows == 2

    def test_topohub_names_its_network_and_collection(self, zipped):
        network = {
            "nodes": [{"id": 7, "name": "Ames", "pos": [-93.6, 42.0]}, {"id": "x"}],
            "edges": [{"source": 7, "target": "x", "dist": 3.5}],
        }
        path = zipped(**{"t__data__caida__2024-08__701.json": json.dumps(network)})
        member = "t/data/caida/2024-08/701.json"
        nodes = read(path, "topohub_nodes", member=member).to_pylist()
        assert nodes[0] == {
            "collection": "caida", "network": "701", "node_id": "7", "name": "Ames",
            "lon": -93.6, "lat": 42.0, "raw_row": 1,
        }  # fmt: skip
        assert (nodes[1]["lon"], nodes[1]["name"]) == (None, None)
        edges = read(path, "topohub_edges", member=member).to_pylist()
        assert (edges[0]["source"], edges[0]["target"], edges[0]["dist"]) == ("7", "x", 3.5)


class TestGshhs:
    OPTIONS = {"index": "meta.dat", "bbox": [-100, 30, -90, 40]}  # noqa: RUF012

    def write(self, tmp_path, rings, drop=0):
        data, lines = b"", []
        for number, (level, west, south, size) in enumerate(rings):
            box = shapely.box(west, south, west + size, south + size)
            pairs = np.array(box.exterior.coords, dtype="<f4").tobytes()
            lines.append(
                f"{level} 12.5 5 {south} {south + size} {len(data)} {len(pairs)} r{number}"
            )
            data += pairs
        (tmp_path / "meta.dat").write_text("\n".join(lines) + "\n")
        path = tmp_path / "rings.dat"
        path.write_bytes(data[: len(data) - drop])
        return path

    def test_lakes_in_the_box_lose_their_islands(self, tmp_path):
        path = self.write(
            tmp_path,
            [
                (1, -99, 31, 9),
                (2, -95, 35, 2),
                (2, 10, 35, 2),
                (2, -95, 50, 2),
                (3, -94.5, 35.5, 1),
            ],
        )
        rows = read(path, "gshhs_lakes", options=self.OPTIONS)
        assert rows.select(["gshhs_id", "area_km2", "raw_row"]).to_pylist() == [
            {"gshhs_id": "r1", "area_km2": 12.5, "raw_row": 2}
        ]
        assert shapes(rows)[0].area == pytest.approx(3)

    def test_a_ring_beyond_the_end_is_an_error(self, tmp_path):
        path = self.write(tmp_path, [(2, -95, 35, 2)], drop=8)
        with pytest.raises(ReadError, match="no whole ring"):
            read(path, "gshhs_lakes", options=self.OPTIONS)

    def test_an_index_of_another_layout_is_an_error(self, tmp_path):
        path = self.write(tmp_path, [(2, -95, 35, 2)])
        (tmp_path / "meta.dat").write_text("2 12.5 5\n")
        with pytest.raises(ReadError, match=r"meta\.dat, line 1: 3 values"):
            read(path, "gshhs_lakes", options=self.OPTIONS)


class TestRaster:
    @pytest.fixture
    def tif(self, tmp_path):
        def write(crs="EPSG:32130"):
            path = tmp_path / "r.tif"
            with rasterio.open(
                path, "w", driver="GTiff", width=3, height=2, count=1, dtype="uint8", nodata=255,
                crs=crs, transform=Affine(90, 0, 100_000, 0, -90, 50_000),
            ) as file:  # fmt: skip
                file.write(np.arange(6, dtype=np.uint8).reshape(2, 3), 1)
            return path

        return write

    @staticmethod
    def source(**options):
        tables = {"thing": {"reader": "raster", "options": options}}
        return Source.model_validate(SOURCE.model_dump() | {"tables": tables})

    def test_is_told_in_one_row(self, tif):
        row = read(tif(), "raster").to_pylist()[0]
        assert (row["width"], row["height"], row["bands"], row["dtype"]) == (3, 2, 1, "uint8")
        assert (row["nodata"], row["crs"], row["cell_size"]) == (255, "EPSG:32130", 90)
        assert read(tif(), "raster", options={"crs": "EPSG:3653"})["crs"].to_pylist() == [
            "EPSG:3653"
        ]

    def test_is_opened_with_the_crs_of_its_entry(self, tif):
        with open_raster(self.source(), tif("EPSG:3653")) as raster:
            assert (raster.crs, raster.dataset.read(1).sum()) == (None, 15)
            west, south, east, north = raster.bounds_lonlat()
        assert -71.5001 < west < east < -71.49
        assert 41.53 < south < north < 41.54
        with open_raster(self.source(crs="EPSG:4326"), tif()) as raster:
            assert raster.bounds_lonlat()[0] == 100_000

    @pytest.mark.parametrize("crs", [None, "EPSG:32130"])
    def test_states_a_crs_or_its_entry_does(self, tif, crs):
        path = tif(None)
        options = {} if crs is None else {"crs": crs}
        if crs is None:
            with pytest.raises(ReadError, match="states no CRS"):
                read(path, "raster")
            with pytest.raises(ReadError, match="states no CRS"), open_raster(self.source(), path):
                pass
        else:
            assert read(path, "raster", options=options)["crs"].to_pylist() == [crs]
            with open_raster(self.source(**options), path) as raster:
                assert raster.crs == crs

    def test_what_is_no_raster_is_refused_in_one_sentence(self, tif, write):
        with (
            pytest.raises(CatalogueError, match="'thing' is not read as a raster"),
            open_raster(SOURCE, tif()),
        ):
            pass
        with (
            pytest.raises(ReadError, match="cannot be read as raster"),
            open_raster(self.source(), write("x.tif", "no raster")),
        ):
            pass
        with (
            pytest.raises(CatalogueError, match="is not understood"),
            open_raster(self.source(crs="EPSG:nonsense"), tif()),
        ):
            pass


@functools.cache
def real(name):
    source, table = CATALOGUE.table(name)
    return read_table(table, MIRROR / source.access.path, source)


def column(name, field):
    return real(name)[field].to_pylist()


mirror = pytest.mark.mirror
needs_mirror = pytest.mark.skipif(not MIRROR.is_dir(), reason="../shared/mirror is not here")


@mirror
@needs_mirror
class TestMirror:
    @pytest.mark.parametrize("source", [s for s in CATALOGUE.sources if s.access.kind == "file"],
                             ids=lambda source: source.id)  # fmt: skip
    def test_every_file_is_the_locked_one_and_reads_as_stated(self, source):
        path = MIRROR / source.access.path
        assert sha256_of(path) == load_lock().get(source.id).sha256
        for name in source.tables:
            rows = real(name)
            assert rows["raw_row"].null_count == 0
            if "geometry" in rows.column_names:
                assert not shapely.has_z(shapes(rows)).any()

    def test_the_manifest_and_the_catalogue_list_the_same_files(self):
        manifest = read(MIRROR / "MANIFEST.csv", "csv").to_pylist()
        files = {s.access.path: s.id for s in CATALOGUE.sources if s.access.kind == "file"}
        assert {row["path"] for row in manifest} == set(files)
        for row in manifest:
            assert load_lock().get(files[row["path"]]).sha256 == row["sha256"]

    def test_byte_order_marks_are_gone_and_leading_zeros_stay(self):
        assert column("tract_people", "tract")[0] == "tract_01001020100"
        assert column("cbsa_delineation", "CBSA Code")[0] == "10100"
        assert {len(code) for code in column("cbsa_delineation", "FIPS County Code")} == {3}

    def test_eia_plants_keep_blanks_and_missing_coordinates(self):
        plants = real("eia860_plant")
        assert " " in set(plants["Grid Voltage 2 (kV)"].to_pylist())
        blank = [v for v in plants["Latitude"].to_pylist() if v is None or not v.strip()]
        assert len(blank) == 29
        assert plants["Zip"].to_pylist()[0] == "99661"

    def test_eia_boilers_end_in_a_footnote(self):
        boilers = real("eia860_boiler")
        assert boilers["Utility ID"].to_pylist()[-1].startswith("NOTE:")
        assert boilers["Plant Code"].null_count == 1

    def test_wild_and_missing_coordinates_of_wri_are_left_for_staging(self):
        latitudes = column("wri_plant", "latitude")
        assert max(float(value) for value in latitudes if value) == 425.2461
        assert sum(value is None for value in latitudes) == 32
        assert column("wri_plant", "capacity_mw").count("0.0") == 2029

    def test_hifld_keeps_its_voltage_classes(self):
        classes = set(column("hifld_line", "VOLT_CLASS"))
        assert {"NOT AVAILABLE", "SUB 100", "DC"} <= classes

    def test_a_fifth_of_the_territories_is_invalid_and_all_are_kept(self):
        shares = shapely.is_valid(shapes(real("commongrid_territory")))
        assert 0.15 < 1 - shares.mean() < 0.25

    def test_rhode_island_parcels_lie_in_rhode_island(self):
        west, south, east, north = shapely.total_bounds(shapes(real("ri_parcel")))
        assert -71.9 < west < east < -71.1
        assert 41.1 < south < north < 42.1

    def test_blank_county_facts_are_null(self):
        facts = real("county_fact")
        assert facts["industrial_price"].null_count > 0
        assert "num_datacenters" in facts.column_names

    def test_rhode_islands_land_cover_lies_on_the_grid_of_its_slope(self):
        """It states another realization of the same CRS; moved by a cell anywhere it fits less."""
        cover, slope = (self.raster(name) for name in ("ri_nlcd", "ri_srtm_slope"))
        assert cover.bounds_lonlat() == pytest.approx(slope.bounds_lonlat(), abs=1e-8)
        cover, slope = cover.dataset.read(1), slope.dataset.read(1)
        fits = {
            (dy, dx): ((np.roll(slope, (dy, dx), (0, 1)) == 0) == (cover == 11))[cover > 0].mean()
            for dy in (-1, 0, 1)
            for dx in (-1, 0, 1)
        }
        assert max(fits, key=fits.get) == (0, 0)
        assert fits[0, 0] > 0.96

    def test_rhode_islands_slope_is_in_percent(self):
        """Heights are whole metres, so squares of slopes are whole multiples of the smallest one's."""
        slope = np.unique(self.raster("ri_srtm_slope").dataset.read(1)).astype(float)
        ratio = (slope[1:] / slope[1]) ** 2
        assert np.abs(ratio - np.rint(ratio)).max() < 0.01
        steep = (np.tan(np.radians(slope[1:])) / np.tan(np.radians(slope[1]))) ** 2
        assert np.abs(steep - np.rint(steep)).max() > 0.4

    def test_classes_of_rhode_islands_rasters_are_those_that_the_catalogue_tells(self):
        protected = np.unique(self.raster("ri_padus").dataset.read(1))
        assert protected.tolist() == [1, 2, 255]
        assert np.unique(self.raster("ri_smod").dataset.read(1)).tolist() == [1, 2, 3]
        cover = np.unique(self.raster("ri_nlcd").dataset.read(1))
        assert {0, 11, 21, 22, 23, 24, 90, 95} <= set(cover.tolist())

    @pytest.fixture(autouse=True)
    def _open(self):
        with contextlib.ExitStack() as stack:

            def opened(name):
                source = CATALOGUE.source(name)
                return stack.enter_context(open_raster(source, MIRROR / source.access.path))

            self.raster = opened
            yield

    def test_numbers_with_commas_stay_text(self):
        assert any("," in (value or "") for value in column("maricopa_parcel", "FCV_CUR"))


@pytest.mark.package
@pytest.mark.parametrize("source", [s for s in CATALOGUE.sources if s.access.kind == "package"],
                         ids=lambda source: source.id)  # fmt: skip
def test_every_package_is_the_locked_one_and_reads_as_stated(source):
    pulled = pull(source, load_lock(), cache_dir=CACHE)
    for table in source.tables.values():
        assert read_table(table, pulled.path, source).num_rows == table.rows

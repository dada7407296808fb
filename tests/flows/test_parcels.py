"""`--parcels`: assessors' files in other systems and formats, and files that cannot be used."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from tests.flows.conftest import rows


def lots(count: int, lon: float, lat: float, prefix: str = "A") -> gpd.GeoDataFrame:
    """Square lots of about 200 acres in a row eastwards."""
    west = lon + 0.012 * np.arange(count)
    return gpd.GeoDataFrame(
        {"APN": [f"{prefix}{number}" for number in range(count)], "GIS_ACRES": 210.0},
        geometry=shapely.box(west, lat, west + 0.01, lat + 0.008),
        crs="OGC:CRS84",
    )


@pytest.mark.slow
def test_geopackage_in_another_system_beside_geoparquet(world, run, tmp_path):
    lots(6, -77.6, 39.0).to_crs("EPSG:2283").to_file(tmp_path / "loudoun.gpkg")
    lots(4, -77.2, 39.1, "B").to_parquet(tmp_path / "montgomery.parquet")
    answer = run("--parcels", tmp_path / "loudoun.gpkg", tmp_path / "montgomery.parquet")
    assert answer.code == 0
    found = rows(
        world.build,
        "select parcel_id, county_id, acres, parcel_kind from core.parcel join core.parcel_metric using (parcel_id) order by 1",
    )
    assert [row[0] for row in found] == [*(f"A{n}" for n in range(6)), *(f"B{n}" for n in range(4))]
    assert {row[1] for row in found} == {"51107", "24031"}
    assert {(row[2], row[3]) for row in found} == {(210.0, "assessor")}
    assert rows(world.build, "select distinct distance_basis from core.parcel_metric") == [
        ("edge",)
    ]
    assert rows(world.build, "select parcel_kind, parcel_count, h3_resolution from meta.run") == [
        ("assessor", 10, None)
    ]
    lon, lat = rows(world.build, "select lon, lat from core.parcel where parcel_id = 'A0'")[0]
    assert (lon, lat) == pytest.approx((-77.595, 39.004), abs=1e-5)


def test_named_columns_bad_rows_and_strays_are_told(world, run, tmp_path):
    frame = lots(6, -77.6, 39.0).rename(columns={"APN": "lot", "GIS_ACRES": "big"})
    frame = pd.concat([frame, frame.iloc[[0]]], ignore_index=True)
    frame.loc[1, "geometry"] = shapely.Point(-77.5, 39)
    frame.loc[2, "geometry"] = None
    bow = shapely.Polygon([(-77.57, 39.0), (-77.56, 39.008), (-77.56, 39.0), (-77.57, 39.008)])
    frame.loc[3, "geometry"] = bow
    frame.loc[4, "geometry"] = shapely.box(-90, 30, -89.99, 30.01)
    frame.to_parquet(tmp_path / "lots.parquet")
    answer = run(
        "--parcels", tmp_path / "lots.parquet", "--parcel-id", "lot", "--parcel-acres", "big"
    )
    assert answer.code == 0
    assert "1 invalid geometries repaired" in answer.err
    assert "1 rows repeat the id and shape" in answer.err
    kept = rows(world.build, "select parcel_id from core.parcel order by 1")
    assert kept == [("A0",), ("A3",), ("A5",)]
    told = rows(
        world.build,
        "select file, raw_row, reason from meta.rejected_row where raw_table = 'parcels' order by 2",
    )
    assert told == [
        ("lots.parquet", 2, "parcel A1 is no polygon"),
        ("lots.parquet", 3, "parcel A2 has no geometry"),
        ("lots.parquet", 7, "parcel A0 repeats an earlier row"),
    ]
    assert rows(world.build, "from meta.left_out_parcel") == [
        ("A4", "lies in no county of the area")
    ]


def test_lots_that_are_mostly_lake_are_left_out(world, run, tmp_path):
    # The lake's shore is at 77.65 degrees west.
    frame = lots(4, -77.6, 39.0)
    for row, west in enumerate((-77.69, -77.6552, -77.6548)):
        frame.loc[row, "geometry"] = shapely.box(west, 38.92, west + 0.01, 38.928)
    frame.to_parquet(tmp_path / "lots.parquet")
    assert run("--parcels", tmp_path / "lots.parquet").code == 0
    kept = rows(
        world.build,
        "select parcel_id, round(lake_share, 2) from core.parcel_metric order by parcel_id",
    )
    assert kept == [("A2", 0.48), ("A3", 0.0)]
    assert rows(world.build, "from meta.left_out_parcel order by parcel_id") == [
        ("A0", "0.0% of it is land"),
        ("A1", "48.0% of it is land"),
    ]


def test_explain_knows_the_assessors_parcel(world, run, gridstead, tmp_path):
    lots(3, -77.6, 39.0).to_file(tmp_path / "lots.geojson")
    assert run("--parcels", tmp_path / "lots.geojson").code == 0
    answer = gridstead("explain", "39.004,-77.583", "--home", world.home, "--json")
    assert answer.json["parcel"]["parcel_id"] == "A1"


def _plain_table(path):
    pd.DataFrame({"APN": ["1"]}).to_csv(path.with_suffix(".csv"), index=False)
    return path.with_suffix(".csv")


def _no_system(path):
    lots(2, -77.6, 39).to_file(path.with_suffix(".shp"))
    path.with_suffix(".prj").unlink()
    return path.with_suffix(".shp")


def _wrong_system(path):
    lots(2, -77.6, 39).set_crs("EPSG:2283", allow_override=True).to_file(path.with_suffix(".gpkg"))
    return path.with_suffix(".gpkg")


def _empty(path):
    lots(2, -77.6, 39).iloc[:0].to_file(path.with_suffix(".gpkg"), geometry_type="Polygon")
    return path.with_suffix(".gpkg")


def _plain_parquet(path):
    pd.DataFrame({"APN": ["1"]}).to_parquet(path.with_suffix(".parquet"))
    return path.with_suffix(".parquet")


def _garbage(path):
    path.with_suffix(".gpkg").write_bytes(b"\0" * 500)
    return path.with_suffix(".gpkg")


def _folder(path):
    path.mkdir()
    return path


def _shapefile_without_index(path):
    """A .shp alone, as people send them by mail."""
    _no_system(path)
    for suffix in (".shx", ".dbf"):
        path.with_suffix(suffix).unlink()
    return path.with_suffix(".shp")


def _elsewhere(path):
    lots(2, 10.0, 50.0).to_file(path.with_suffix(".gpkg"))
    return path.with_suffix(".gpkg")


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize(
    ("make", "said"),
    [
        (_plain_table, "has no geometry column"),
        (_no_system, "states no coordinate reference system"),
        (_wrong_system, "lots.gpkg: no row is a usable polygon."),
        (_empty, "holds no rows"),
        (_plain_parquet, "has no geometry column"),
        (_garbage, "cannot be read as a parcel file"),
        (_shapefile_without_index, "cannot be read as a parcel file"),
        (_folder, "cannot be read as a parcel file"),
        (_elsewhere, "No parcel of the files lies on land of the area"),
        (lambda path: path.with_suffix(".gpkg"), "There is no parcel file"),
    ],
)
def test_files_that_cannot_be_used(run, tmp_path, make, said):
    answer = run("--parcels", make(tmp_path / "lots"))
    assert answer.code == 1
    assert said in answer.err


@pytest.mark.usefixtures("untouched")
def test_a_column_that_is_not_there(run, tmp_path):
    lots(2, -77.6, 39.0).to_file(tmp_path / "lots.gpkg")
    answer = run("--parcels", tmp_path / "lots.gpkg", "--parcel-id", "PIN")
    assert answer.code == 1
    assert "has no column 'PIN'" in answer.err
    assert "--parcel-id: APN, GIS_ACRES" in answer.err

"""Parcel files with every kind of bad geometry: mended or rejected by name, and never a wrong number."""

import json
import struct

import geopandas as gpd
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from tests.flows.conftest import rows
from tests.oracle.exclusion import SQUARE_METRES_PER_ACRE, to_plane
from tests.oracle.shape import wkb

NAN, INF = float("nan"), float("inf")
WEST, SOUTH = -77.6, 39.0
LOT = shapely.box(WEST, SOUTH, WEST + 0.01, SOUTH + 0.008)
HOLE = [(WEST + 0.002, SOUTH + 0.002), (WEST + 0.004, SOUTH + 0.002), (WEST + 0.003, SOUTH + 0.005)]
CORNERS = shapely.get_coordinates(LOT)


def ring(*corners):
    """Well-known binary of a polygon of one ring, whatever it is."""
    xy = np.array(corners, dtype="<f8").reshape(-1, 2)
    return struct.pack("<BIII", 1, 3, 1, len(xy)) + xy.tobytes()


def header(kind, *counts):
    return struct.pack(f"<BI{len(counts)}I", 1, kind, *counts)


def moved(shape, lon=0.0, lat=0.0):
    return shapely.transform(shape, lambda xy: xy + np.array([lon, lat]))


SPIKE = [*CORNERS[:2], (WEST + 0.02, SOUTH + 0.008), CORNERS[1], *CORNERS[2:]]
OVERLAPPING = shapely.MultiPolygon([LOT, moved(LOT, 0.005, 0.004)])
CURVE = header(10, 1) + header(8, 5) + CORNERS.astype("<f8").tobytes()
COLLECTION = shapely.GeometryCollection([LOT])

# Name -> well-known binary, and why it is no parcel.
REJECTED = {
    "missing": (None, "has no geometry"),
    "empty": (shapely.Polygon().wkb, "has no geometry"),
    "empty parts": (shapely.MultiPolygon().wkb, "has no geometry"),
    "ring of none": (ring(), "has no geometry"),
    "nan": (ring(*CORNERS[:2], (NAN, SOUTH), *CORNERS[3:]), "has coordinates that are not numbers"),
    "all nan": (ring(*[(NAN, NAN)] * 5), "has coordinates that are not numbers"),
    "inf": (ring(*CORNERS[:2], (INF, SOUTH), *CORNERS[3:]), "has coordinates that are not numbers"),
    "-inf": (ring(*CORNERS[:2], (WEST, -INF), *CORNERS[3:]), "has coordinates that are not numbers"),
    "in feet": (shapely.box(1.1e7, 7e6, 1.1001e7, 7.001e6).wkb, "lies outside the range of longitude and latitude"),
    "east of 180": (moved(LOT, 360.0).wkb, "lies outside the range of longitude and latitude"),
    "north of 90": (moved(LOT, 0.0, 52.0).wkb, "lies outside the range of longitude and latitude"),
    "one corner off": (ring(*CORNERS[:2], (WEST, 390.0), *CORNERS[3:]), "lies outside the range of longitude and latitude"),
    "around the world": (shapely.box(-179.9, 38.9, 179.9, 39.1).wkb, "reaches across more than 180 degrees of longitude"),
    "point": (shapely.Point(WEST, SOUTH).wkb, "is no polygon"),
    "points": (shapely.MultiPoint(CORNERS).wkb, "is no polygon"),
    "line": (shapely.LineString(CORNERS).wkb, "is no polygon"),
    "lines": (shapely.MultiLineString([CORNERS]).wkb, "is no polygon"),
    "collection": (COLLECTION.wkb, "is no polygon"),
    "curve": (CURVE, "has curved edges"),
    "there and back": (ring(CORNERS[0], CORNERS[1], CORNERS[2], CORNERS[1], CORNERS[0]), "has no area"),
    "one place": (ring(*[CORNERS[0]] * 5), "has no area"),
    "flat": (ring((WEST, SOUTH), (WEST + 0.01, SOUTH), (WEST + 0.02, SOUTH), (WEST, SOUTH)), "has no area"),
    "two points": (ring(CORNERS[0], CORNERS[1]), "has no area"),
    "one point": (ring(CORNERS[0]), "has no area"),
    "no bytes": (b"", "holds bytes that are no geometry"),
    "garbage": (b"\xff\xfe" * 30, "holds bytes that are no geometry"),
    "text": (b"POLYGON ((0 0, 1 0, 1 1, 0 0))", "holds bytes that are no geometry"),
    "cut off": (LOT.wkb[:-9], "holds bytes that are no geometry"),
    "four billion rings": (header(3, 0xFFFFFFFF) + LOT.wkb[9:], "holds bytes that are no geometry"),
    "four billion corners": (header(3, 1, 0xFFFFFFFF) + LOT.wkb[13:], "holds bytes that are no geometry"),
    "no such kind": (header(99, 1), "holds bytes that are no geometry"),
}  # fmt: skip

# Name -> well-known binary, and the ground that it is.
MENDED = {
    "open": (wkb(LOT, is_open=True), LOT),
    "open backwards": (wkb(shapely.reverse(LOT), is_open=True, little=False), LOT),
    "bow tie": (
        ring(CORNERS[0], CORNERS[2], CORNERS[1], CORNERS[3], CORNERS[0]),
        shapely.make_valid(shapely.Polygon(CORNERS[[0, 2, 1, 3]]), method="structure"),
    ),
    "spike": (ring(*SPIKE), LOT),
    "overlapping parts": (OVERLAPPING.wkb, shapely.union_all(OVERLAPPING.geoms)),
    "part twice": (shapely.MultiPolygon([LOT, LOT]).wkb, LOT),
    "hole outside": (
        shapely.Polygon(CORNERS, [moved(shapely.Polygon(HOLE), 0.02).exterior]).wkb,
        shapely.MultiPolygon([LOT, moved(shapely.Polygon(HOLE), 0.02)]),
    ),
    "hole across the edge": (
        shapely.Polygon(CORNERS, [moved(shapely.Polygon(HOLE), -0.003).exterior]).wkb,
        LOT.difference(moved(shapely.Polygon(HOLE), -0.003)),
    ),
}
# As good as any, though they look strange.
STRANGE = {
    "corners thrice": (ring(*np.repeat(CORNERS, 3, axis=0)), LOT),
    "clockwise": (shapely.reverse(LOT).wkb, LOT),
    "big endian": (wkb(LOT, little=False), LOT),
    "heights": (wkb(LOT, width=3, extended=True), LOT),
    "measures": (wkb(LOT, width=3), LOT),
    "heights and measures": (wkb(LOT, width=4), LOT),
    "with an srid": (wkb(LOT, extended=True, srid=4326), LOT),
    "heights that are no numbers": (
        shapely.to_wkb(shapely.Polygon([(x, y, NAN) for x, y in CORNERS]), output_dimension=3),
        LOT,
    ),
    "an empty part": (shapely.to_wkb(shapely.MultiPolygon([LOT, shapely.Polygon()])), LOT),
    "a hole": (shapely.Polygon(CORNERS, [HOLE]).wkb, shapely.Polygon(CORNERS, [HOLE])),
}


def write(path, named):
    """GeoParquet of rows of any bytes."""
    column = {"encoding": "WKB", "geometry_types": []}
    told = {"version": "1.0.0", "primary_column": "geometry", "columns": {"geometry": column}}
    table = pa.table(
        {
            "APN": pa.array([name for name, _ in named], pa.string()),
            "geometry": pa.array([data for _, data in named], pa.binary()),
        }
    )
    pq.write_table(table.replace_schema_metadata({"geo": json.dumps(told)}), path)
    return path


def good_lots():
    return [(f"good-{n}", moved(LOT, 0.012 * n, 0.1).wkb) for n in range(8)]


def of_parcels(build):
    """Everything that is known of each parcel."""
    metrics = rows(build, "from core.parcel_metric")
    parcels = rows(
        build,
        "select parcel_id, * exclude (parcel_no, parcel_id) replace (geometry::varchar as geometry) from core.parcel",
    )
    by_id = {row[0]: row for row in metrics}
    return {row[0]: (row, by_id[row[0]]) for row in parcels}


def told_of(build):
    query = "select file, raw_row, reject_code, reason from meta.rejected_row where raw_table = 'parcels' order by file, raw_row"
    return rows(build, query)


@pytest.mark.slow
def test_bad_rows_are_named_and_change_nothing_of_the_good_ones(world, run, tmp_path):
    assert run("--parcels", write(tmp_path / "good.parquet", good_lots())).code == 0
    alone = of_parcels(world.build)
    assert len(alone) == 8

    bad = [(name, data) for name, (data, _) in (REJECTED | MENDED | STRANGE).items()]
    swapped = ("swapped", shapely.box(SOUTH, WEST, SOUTH + 0.008, WEST + 0.01).wkb)
    mixed = [*good_lots(), *bad, swapped]
    mixed = [mixed[at] for at in np.random.default_rng(2).permutation(len(mixed))]
    answer = run("--parcels", write(tmp_path / "mixed.parquet", mixed))
    assert answer.code == 0, answer.err
    found = of_parcels(world.build)
    assert set(found) == {*alone, *MENDED, *STRANGE}
    # What is unknown is NULL: NaN would not be equal.
    assert {name: found[name] for name in alone} == alone

    expected = [
        ("mixed.parquet", row, "invalid", f"parcel {name} {REJECTED[name][1]}")
        for row, (name, _) in enumerate(mixed, start=1)
        if name in REJECTED
    ]
    assert told_of(world.build) == expected
    left_out = rows(world.build, "from meta.left_out_parcel")
    assert left_out == [("swapped", "lies in no county of the area")]
    assert f"mixed.parquet: {len(MENDED)} invalid geometries repaired" in answer.err
    assert rows(
        world.build, "from meta.check_result where severity = 'error' and offending_count > 0"
    ) == []  # fmt: skip

    areas = dict(rows(world.build, "select parcel_id, area_acres from core.parcel_metric"))
    for name, (_, ground) in (MENDED | STRANGE).items():
        acres = shapely.area(to_plane(ground)) / SQUARE_METRES_PER_ACRE
        assert areas[name] == pytest.approx(acres, rel=1e-9), name
    # The same ground is measured the same, however it was written.
    numbers = {
        name: row[2:] for name, (_, row) in found.items() if (MENDED | STRANGE).get(name, [0, 0])[1] is LOT
    }  # fmt: skip
    one = numbers.pop("clockwise")
    for name, row in numbers.items():
        for got, right in zip(row, one, strict=True):
            same = pytest.approx(right, rel=1e-6, abs=1e-6) if isinstance(right, float) else right
            assert got == same, name


@pytest.mark.slow
def test_in_another_system_what_has_no_place_is_rejected(world, run, tmp_path):
    frame = gpd.GeoDataFrame(
        {"APN": [f"lot-{n}" for n in range(4)]},
        geometry=[moved(LOT, 0.012 * n) for n in range(4)],
        crs="OGC:CRS84",
    ).to_crs("EPSG:26918")
    corners = shapely.get_coordinates(frame.geometry.iloc[0])
    frame.loc[1, "geometry"] = shapely.box(1e9, 1e9, 2e9, 2e9)
    frame.loc[2, "geometry"] = shapely.Polygon(corners[[0, 2, 1, 3]])
    frame.to_file(tmp_path / "utm.gpkg")
    answer = run("--parcels", tmp_path / "utm.gpkg")
    assert answer.code == 0
    assert "utm.gpkg: 1 invalid geometries repaired" in answer.err
    assert told_of(world.build) == [
        ("utm.gpkg", 2, "invalid", "parcel lot-1 lies outside the range of longitude and latitude")
    ]
    assert [row[0] for row in rows(world.build, "select parcel_id from core.parcel order by 1")] == [
        "lot-0", "lot-2", "lot-3",
    ]  # fmt: skip


@pytest.mark.slow
def test_rows_without_an_id_are_named_after_file_and_row(world, run, tmp_path):
    path = write(tmp_path / "lots.parquet", [(None, LOT.wkb), (None, None), (" ", b"bad")])
    assert run("--parcels", path).code == 0
    assert [row[2:] for row in told_of(world.build)] == [
        ("invalid", "parcel lots-2 has no geometry"),
        ("invalid", "parcel lots-3 holds bytes that are no geometry"),
    ]


@pytest.mark.usefixtures("untouched")
def test_a_file_of_bad_rows_alone_is_refused_in_one_sentence(run, tmp_path):
    bad = [(name, data) for name, (data, _) in REJECTED.items()]
    answer = run("--parcels", write(tmp_path / "bad.parquet", bad))
    assert answer.code == 1
    error = " ".join(answer.err[answer.err.index("Error:") :].split())
    assert error == (
        "Error: bad.parquet: no row is a usable polygon. "
        "See whether the file holds parcel polygons and its CRS is right."
    )

"""Layers and notes: what is refused, and what cells become."""

import datetime as dt
import decimal
import json
import math

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from geo.errors import CrsError, GeoError, GeometryError
from geo.export import ExportLayer, ExportNote


def frame(columns=None, geometry=None, crs="OGC:CRS84"):
    columns = {"rank": [1, 2]} if columns is None else columns
    if geometry is None:
        count = len(next(iter(columns.values()))) if columns else 2
        geometry = shapely.points(np.column_stack([np.arange(count) - 100.0, np.full(count, 40.0)]))
    return gpd.GeoDataFrame(columns, geometry=geometry, crs=crs)


def cleaned(cells):
    column = pd.Series(cells, dtype=object) if isinstance(cells, list) else cells
    layer = ExportLayer("a", "A", frame({"x": column}))
    return layer.frame["x"]


@pytest.mark.parametrize(
    ("cells", "dtype", "expected"),
    [
        ([True, None, False], "boolean", [True, pd.NA, False]),
        (pd.array([True, None], dtype="boolean"), "boolean", [True, pd.NA]),
        ([1, None, 2**53 + 1], "Int64", [1, pd.NA, 2**53 + 1]),
        (pd.array([1, None], dtype="Int32"), "Int32", [1, pd.NA]),
        ([decimal.Decimal("1.5"), None], "float64", [1.5, math.nan]),
        ([[1, 2], None, ["é"]], "string", ["[1, 2]", pd.NA, '["é"]']),
        (
            [{"b": {1, 2}, "a": math.nan}, (1.5, None)],
            "string",
            ['{"b": [1, 2], "a": null}', "[1.5, null]"],
        ),
        ([np.array([1.0, np.nan]), None], "string", ["[1.0, null]", pd.NA]),
        (["a\x00b", "tab\tline\n", None], "string", ["a\ufffdb", "tab\tline\n", pd.NA]),
        (["lone \ud800", "x"], "string", ["lone ?", "x"]),
        ([None, None], "string", [pd.NA, pd.NA]),
        ([1, "x"], "string", ["1", "x"]),
        ([2**63 + 1, None], "string", ["9223372036854775809", pd.NA]),
        (np.array([1, 2], dtype="uint64"), "int64", [1, 2]),
        (np.array([1, 2**64 - 1], dtype="uint64"), "string", ["1", "18446744073709551615"]),
        (pd.Categorical(["b", None]), "string", ["b", pd.NA]),
        ([dt.date(2026, 1, 2), None], "object", [dt.date(2026, 1, 2), None]),
    ],
)
def test_cells_become_types_that_every_format_has(cells, dtype, expected):
    column = cleaned(cells)
    assert column.dtype == dtype
    for got, want in zip(column, expected, strict=True):
        assert (pd.isna(got) and pd.isna(want)) or got == want


def test_times_are_kept_in_utc():
    column = cleaned(pd.to_datetime(["2026-01-02T03:00+02:00", None]))
    assert str(column.dtype).endswith("UTC]")
    assert column[0] == pd.Timestamp("2026-01-02T01:00Z")


def test_order_and_names_stay_and_geometry_comes_last():
    given = frame({"B_mi": [2.0, 1.0], "a_kv": [1, 2]}).rename_geometry("shape")
    given.index = [7, 3]
    layer = ExportLayer("a", "A", given[["shape", "B_mi", "a_kv"]])
    assert list(layer.frame.columns) == ["B_mi", "a_kv", "geometry"]
    assert layer.frame["B_mi"].tolist() == [2.0, 1.0]
    assert layer.frame.index.equals(pd.RangeIndex(2))
    assert given.columns.tolist() == ["B_mi", "a_kv", "shape"], "the given frame is not changed"


def test_geometry_is_flat_of_one_kind_and_empty_is_missing():
    box = shapely.box(-100, 40, -99, 41)
    solid = shapely.force_3d(box, 5)
    layer = ExportLayer(
        "a",
        "A",
        frame({"n": range(4)}, [solid, shapely.multipolygons([box]), None, shapely.Polygon()]),
    )
    assert layer.geometry_kind == "MultiPolygon"
    assert not shapely.has_z(layer.frame.geometry[0])
    assert layer.frame.geometry.isna().tolist() == [False, False, True, True]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": "../etc"}, "layer name"),
        ({"name": "Ünits"}, "layer name"),
        ({"column_docs": {"nope": "x"}}, "'nope', which is no column"),
        ({"frame": frame({"fid": [1, 2]})}, "reserved"),
        ({"frame": frame({"BBOX": [1, 2]})}, "reserved"),
        ({"frame": frame({"a b": [1, 2]})}, "letters, digits"),
        ({"frame": frame({"Rank": [1, 2], "rank": [1, 2]})}, "one name"),
        ({"frame": pd.DataFrame({"a": [1]})}, "no geometry"),
        ({"frame": frame().assign(other=frame().geometry)}, "second geometry"),
        ({"frame": frame({"x": [1.0, np.inf]})}, "infinite"),
    ],
)
def test_unusable_layers_are_refused_by_name(changes, words):
    with pytest.raises(GeoError, match=words):
        ExportLayer(**({"name": "a", "title": "A", "frame": frame()} | changes))


def test_repeated_columns_are_refused():
    given = frame({"a": [1, 2], "b": [1, 2]})
    given.columns = ["a", "a", "geometry"]
    with pytest.raises(GeoError, match="one name"):
        ExportLayer("a", "A", given)


@pytest.mark.parametrize("crs", [None, "EPSG:3857", "EPSG:4269"])
def test_other_crs_are_refused(crs):
    with pytest.raises(CrsError, match="EPSG:4326"):
        ExportLayer("a", "A", frame(crs=crs))


@pytest.mark.parametrize(
    "geometry",
    [
        shapely.points([[40.0, -100.0], [41.0, -99.0]]),  # swapped
        shapely.points([[-1e6, 2e6], [0, 0]]),  # metres
        shapely.points([[np.inf, 1.0], [0, 0]]),
    ],
)
def test_coordinates_that_are_not_lonlat_are_refused(geometry):
    with pytest.raises(GeometryError):
        ExportLayer("a", "A", frame(geometry=geometry))


def test_a_note_leaves_out_what_is_empty_and_says_synthetic():
    note = ExportNote(run_id="r", run_date=dt.date(2026, 1, 2), study="s", is_synthetic=True)
    items = note.items()
    assert "synthetic" in items["synthetic_note"]
    assert "licence" not in items
    assert json.loads(note.to_json()) == items

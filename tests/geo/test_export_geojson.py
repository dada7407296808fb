"""GeoJSON against what GDAL's own driver makes of the same layer."""

import datetime as dt
import json

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo.export import ExportLayer, geojson
from geo.export.model import in_epsg_4326
from tests.geo.export_samples import HOSTILE, NOTE
from tests.oracle.shapes import clusters, examples, lines, parcels

TRICKS = ["", " ", "[1,2]", '{"a": 1}', "null", "1", "1e5", "2026-01-02", '"properties": { }', "\\"]
TEXTS = st.one_of(st.text(), st.sampled_from([*HOSTILE, *TRICKS]))
FLOATS = st.floats(allow_nan=True, allow_infinity=False)
# Of subnormal ones two digits tell 32 bits apart.
SHORT = st.floats(width=32, allow_infinity=False, allow_subnormal=False)
EDGES = [shapely.box(-179.5, 10, 179.5, 11), shapely.box(179, -90, 180, -89)]
# Corners that are one after rounding.
SLIVER = shapely.Polygon([(0, 0), (1, 0), (1, 1e-9), (0, 1e-9)])


def by_gdal(path, layer):
    """Write properties and all with GDAL."""
    members = {"title": layer.title, "description": layer.description, **NOTE.items()}
    pyogrio.write_dataframe(
        in_epsg_4326(layer),
        path,
        layer=layer.name,
        driver="GeoJSON",
        geometry_type=layer.geometry_kind,
        use_arrow=True,
        layer_options={
            "RFC7946": "YES",
            "COORDINATE_PRECISION": "7",
            "AUTODETECT_JSON_STRINGS": "NO",
            "NATIVE_DATA": json.dumps({"type": "FeatureCollection", "gridstead": members}),
            "NATIVE_MEDIA_TYPE": "application/vnd.geo+json",
        },
    )
    return path


def document(path):
    return json.loads(path.read_bytes().decode("utf-8"))


def assert_same(layer, folder):
    ours = geojson.write(folder / "ours.geojson", [layer], NOTE)
    gdals = by_gdal(folder / "gdals.geojson", layer)
    assert {path.name for path in folder.iterdir()} == {ours.name, gdals.name}
    got, want = document(ours), document(gdals)
    assert list(got) == list(want)
    for feature, other in zip(got["features"], want["features"], strict=True):
        assert list(feature) == list(other)
        values, others = feature.pop("properties"), other.pop("properties")
        assert list(values) == list(others) == layer.columns
        for name, value in values.items():
            wanted = others[name]
            assert type(value) is type(wanted), name
            if isinstance(wanted, float):
                # GDAL rounds what looks like 0.31499999999999995, and 32 bits to 8 digits.
                is_short = layer.frame[name].dtype == "float32"
                wanted = pytest.approx(wanted, rel=1e-7 if is_short else 1e-11, abs=0)
            assert value == wanted, name
    assert got == want
    written = [json.loads(text)["properties"] for text in features(ours)]
    for name in layer.frame.select_dtypes("floating"):
        held = [None if np.isnan(value) else float(str(value)) for value in layer.frame[name].array]
        assert [row[name] for row in written] == held, name
    read, other = (pyogrio.read_dataframe(path, use_arrow=True) for path in (ours, gdals))
    assert read.dtypes.to_dict() == other.dtypes.to_dict()
    kinds = [pyogrio.read_info(path) for path in (ours, gdals)]
    for told in ("fields", "dtypes", "ogr_types", "ogr_subtypes"):
        assert list(kinds[0][told]) == list(kinds[1][told])


def features(path):
    texts = path.read_text(encoding="utf-8").split("\n")
    return [text.rstrip(",") for text in texts if text.startswith('{ "type"')]


@st.composite
def shapes(draw):
    kind = draw(st.sampled_from(["parcels", "lines", "points", "mixed"]))
    if kind == "lines":
        found = draw(lines())
    elif kind == "points":
        found = shapely.points(draw(clusters(12)))
    else:
        found = draw(st.lists(parcels(), min_size=1, max_size=5))
        found += draw(st.lists(st.sampled_from([*EDGES, SLIVER]), max_size=2))
        if kind == "mixed":
            found += [shapely.Point(1, 2), shapely.LineString([(0, 0), (1, 1)])]
    kept = draw(st.lists(st.booleans(), min_size=len(found), max_size=len(found)))
    found = np.array([*found, None], dtype=object)[:-1]
    found[~np.array(kept)] = None
    return found


@st.composite
def layers(draw):
    geometry = draw(shapes())
    count = len(geometry)

    def column(values, kind=object):
        some = st.one_of(st.none(), values)
        return pd.Series(draw(st.lists(some, min_size=count, max_size=count)), dtype=kind)

    # Of fractions of a second before 1970 GDAL makes whole ones.
    # From 1970 on: of fractions of a second before it GDAL makes whole ones.
    times = st.integers(0, 2**42).map(lambda ms: np.datetime64(ms, "ms"))
    frame = gpd.GeoDataFrame(
        {
            "name": column(TEXTS),
            "count": column(st.integers(-(2**62), 2**62), "Int64"),
            "score": column(FLOATS, "float64"),
            "short": column(SHORT, "float32"),
            "rounded": column(st.floats(-1e6, 1e6).map(lambda x: round(x, 3)), "float64"),
            "is_near": column(st.booleans(), "boolean"),
            "day": column(st.dates(dt.date(1000, 1, 1))),
            "at": column(times, "datetime64[ms]"),
            "at_utc": column(times, "datetime64[ms]").dt.tz_localize("UTC"),
            "members": column(st.lists(TEXTS, max_size=2)),
            "none": [None] * count,
        },
        geometry=geometry,
        crs="OGC:CRS84",
    )
    return ExportLayer("a", draw(TEXTS), frame, draw(TEXTS))


@examples(60)
@given(layer=layers())
def test_gdal_makes_the_same_of_any_layer(layer, tmp_path_factory):
    assert_same(layer, tmp_path_factory.mktemp("layer"))


def test_more_rows_than_are_made_at_once_stay_in_order(tmp_path):
    count = 9_001
    points = shapely.points(np.linspace([-100, 30], [-90, 40], count))
    frame = gpd.GeoDataFrame({"key": range(count)}, geometry=points, crs="OGC:CRS84")
    assert_same(ExportLayer("a", "A", frame), tmp_path)


@pytest.mark.parametrize("rows", [0, 2])
@pytest.mark.parametrize("columns", [[], ["key"]], ids=["bare", "key"])
def test_layers_with_nothing_in_them(rows, columns, tmp_path):
    frame = gpd.GeoDataFrame({"key": [1, 2]}, geometry=[shapely.Point(0, 1), None], crs=4326)
    assert_same(ExportLayer("a", "A", frame.head(rows)[[*columns, "geometry"]]), tmp_path)


def test_times_finer_than_milliseconds_are_rounded(tmp_path):
    texts = ["2026-01-02T03:04:05.6789", "1853-04-09T18:18:59.0491", "2026-01-02"]
    times = pd.Series(pd.to_datetime(texts, format="ISO8601").as_unit("ns"))
    frame = gpd.GeoDataFrame(
        {"at": times, "at_utc": times.dt.tz_localize("UTC")}, geometry=[None] * 3, crs=4326
    )
    path = geojson.write(tmp_path / "x.geojson", [ExportLayer("a", "A", frame)], NOTE)
    written = [json.loads(text)["properties"] for text in features(path)]
    want = ["2026-01-02T03:04:05.679", "1853-04-09T18:18:59.049", "2026-01-02T00:00:00"]
    assert written == [{"at": text, "at_utc": f"{text}Z"} for text in want]

"""The local upstream keeps to the protocols: other programs than ours read what it serves."""

import hashlib
import io
import os
import subprocess
import sys
import urllib.request
from urllib.error import HTTPError

import geopandas as gpd
import pyarrow as pa
import pyarrow.fs as pafs
import pyarrow.parquet as pq
import pyogrio
import pytest
import shapely

from tests.upstream import (
    ArcgisLayer,
    ObjectStore,
    PackageIndex,
    conditional,
    make_wheel,
    running,
)

HOLED = shapely.Polygon(
    [(-100, 40), (-98, 40), (-98, 42), (-100, 42)],
    [[(-99.5, 40.5), (-99, 40.5), (-99, 41), (-99.5, 41)]],
)
SHAPES = {
    "polygons": [HOLED, shapely.MultiPolygon([HOLED, shapely.box(-90, 30, -89, 31)])],
    "lines": [
        shapely.LineString([(-100, 40), (-99, 41)]),
        shapely.MultiLineString([[(-90, 30), (-89, 31)], [(-80, 30), (-79, 31)]]),
    ],
    "points": [shapely.Point(-100, 40), shapely.Point(-90, 30)],
}


@pytest.fixture
def upstream():
    with running() as server:
        yield server


@pytest.mark.parametrize("wkid", [None, 3857])
@pytest.mark.parametrize("kind", list(SHAPES))
def test_gdal_reads_a_layer_in_esris_form_and_as_geojson(upstream, kind, wkid):
    frame = gpd.GeoDataFrame({"kv": [1.5, None], "n": [1, 2]}, geometry=SHAPES[kind], crs=4326)
    upstream.routes |= ArcgisLayer.of(frame, wkid=wkid).routes("/layer")
    for form in ("json", "geojson"):
        url = upstream.url(f"/layer/query?where=1=1&f={form}")
        with urllib.request.urlopen(url) as answer:
            found = pyogrio.read_dataframe(io.BytesIO(answer.read()))
        assert found.crs.to_epsg() == (wkid if wkid and form == "json" else 4326)
        at_home, given = found.to_crs(4326).geometry.normalize(), frame.geometry.normalize()
        assert all(at_home.geom_equals_exact(given, 1e-6)), form
        assert found["kv"].tolist()[0] == 1.5
        assert found["n"].tolist() == [1, 2]


def test_a_file_is_asked_for_by_tag_date_and_range(upstream):
    upstream.routes["/f"] = conditional(b"0123456789", '"a"', "Mon, 01 Jan 2024 00:00:00 GMT")

    def get(**headers):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            with urllib.request.urlopen(
                urllib.request.Request(upstream.url("/f"), headers=named)
            ) as answer:
                return answer.status, answer.read()
        except HTTPError as error:
            return error.code, b""

    assert get() == (200, b"0123456789")
    assert get(If_None_Match='"a"')[0] == 304
    assert get(If_None_Match='"b"')[0] == 200
    assert get(If_Modified_Since="Mon, 01 Jan 2024 00:00:00 GMT")[0] == 304
    assert get(Range="bytes=7-", If_Range='"a"') == (206, b"789")
    assert get(Range="bytes=7-", If_Range='"b"') == (200, b"0123456789")
    assert get(Range="bytes=10-", If_Range='"a"')[0] == 416


def test_arrow_reads_objects_through_listings_of_several_pages(upstream):
    buffer = io.BytesIO()
    pq.write_table(pa.table({"a": range(10)}), buffer)
    names = [f"lakes/d/{number} é.parquet" for number in range(5)]
    store = ObjectStore(dict.fromkeys(names, buffer.getvalue()), page=2)
    upstream.routes |= store.routes()

    def files(**given):
        return pafs.S3FileSystem(
            endpoint_override=upstream.root.removeprefix("http://"),
            scheme="http",
            region="us-east-1",
            retry_strategy=pafs.AwsStandardS3RetryStrategy(max_attempts=1),
            **given,
        )

    system = files(anonymous=True)
    listed = system.get_file_info(pafs.FileSelector("lakes/d"))
    assert [info.path for info in listed] == names
    assert pq.read_table(names[3], filesystem=system)["a"].to_pylist() == list(range(10))
    with pytest.raises(OSError, match="NO_SUCH_BUCKET"):
        system.get_file_info(pafs.FileSelector("rivers"))
    store.keys = frozenset({"known"})
    with pytest.raises(OSError, match="ACCESS_DENIED"):
        system.get_file_info(names[0])
    known = files(access_key="known", secret_key="any")
    assert known.get_file_info(names[0]).size == len(buffer.getvalue())


@pytest.mark.slow
def test_pip_downloads_a_wheel_from_the_index(upstream, tmp_path):
    index = tmp_path / "index"
    index.mkdir()
    wheel = make_wheel(index, "tiny_data", "1.2", {"tiny/t.csv": b"a,b\n1,2\n"})
    upstream.routes |= PackageIndex(index).routes()
    variables = {"PIP_INDEX_URL": upstream.url("/simple"), "PIP_CONFIG_FILE": os.devnull}
    subprocess.run(
        [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "Tiny.Data==1.2"],
        cwd=tmp_path,
        env=os.environ | variables,
        check=True,
    )
    digests = {
        hashlib.sha256(path.read_bytes()).digest() for path in (wheel, tmp_path / wheel.name)
    }
    assert len(digests) == 1

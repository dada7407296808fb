"""The files of the map page: packs, chunks, short codes, archives of tiles, outlines, libraries."""

import base64
import gzip
import hashlib
import json
import re
import shutil
import struct
import subprocess
from pathlib import Path

import geopandas as gpd
import mapbox_vector_tile
import numpy as np
import pyogrio
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pmtiles.reader import MemorySource, Reader, all_tiles

from geo.export.page import coding
from geo.export.page.chunks import CHUNK_BYTES, write_chunk, write_slices
from geo.export.page.pack import (
    UNKNOWN_I32,
    UNKNOWN_U8,
    UNKNOWN_U32,
    Coded,
    pack,
    significant,
    whole,
)
from geo.export.page.simplify import layers_by_zoom
from geo.export.page.tiles import TileLayer, write_archive

PAGE = Path(coding.__file__).parent
KINDS = {"f64": "<f8", "f32": "<f4", "i32": "<i4", "u32": "<u4", "u8": "u1"}
HOSTILE = [
    '"); alert(1); ("',
    "</script><script>alert(1)</script>",
    "<!-- ' \" \\ ` ${1} -->",
    "\N{FAMILY}\N{ZERO WIDTH JOINER} \N{RIGHT-TO-LEFT OVERRIDE}drawkcab",
    "\N{HEBREW LETTER SHIN}\N{HEBREW LETTER LAMED}",
    "a\x00b\r\nc\u2028d",
    "\ud83d half a pair",
    None,
    "",
]


def read(packed):
    """Header and columns of a pack, by its description alone."""
    body = gzip.decompress(packed)
    (length,) = struct.unpack_from("<I", body)
    header, body = json.loads(body[4 : 4 + length]), body[4 + length :]
    columns = {}
    for name, told in header["columns"].items():
        part = body[told["offset"] : told["offset"] + told["bytes"]]
        if told["kind"] == "json":
            columns[name] = json.loads(part)
        else:
            dtype = np.dtype(KINDS[told["kind"]])
            if told["shuffled"]:
                part = np.frombuffer(part, "u1").reshape(dtype.itemsize, -1).T.tobytes()
            columns[name] = np.frombuffer(part, dtype)
    return header, columns


def test_a_pack_gives_back_what_went_in():
    rng = np.random.default_rng(1)
    numbers = {
        "f64": rng.normal(size=1001),
        "f32": rng.normal(size=1001).astype(np.float32),
        "i32": rng.integers(-(2**31), 2**31, 1001).astype(np.int32),
        "u32": np.repeat(rng.integers(0, 2**32, 7), 143).astype(np.uint32),
        "u8": rng.integers(0, 256, 1001).astype(np.uint8),
    }
    numbers["f64"][3] = np.nan
    names = [f"p{k}" for k in range(1001)]
    packed = pack(1001, {**numbers, "names": names, "any": {"a": [1, None]}}, note="n")
    header, columns = read(packed)
    assert (header["rows"], header["note"]) == (1001, "n")
    for kind, values in numbers.items():
        assert header["columns"][kind]["kind"] == kind
        assert header["columns"][kind]["offset"] % 8 == 0
        assert columns[kind].tobytes() == values.tobytes()
    # Both orders of bytes are in use, whichever is shorter.
    assert header["columns"]["i32"]["shuffled"] or header["columns"]["f64"]["shuffled"]
    assert not header["columns"]["u32"]["shuffled"]
    assert columns["names"] == names
    assert columns["any"] == {"a": [1, None]}
    assert pack(1001, {**numbers, "names": names, "any": {"a": [1, None]}}, note="n") == packed


def test_a_pack_of_no_rows():
    header, columns = read(pack(0, {"a": np.zeros(0), "b": []}))
    assert (header["rows"], len(columns["a"]), columns["b"]) == (0, 0, [])


@pytest.mark.parametrize("values", [np.zeros(3), np.zeros(4, np.int64), np.zeros((4, 1))])
def test_a_pack_refuses_what_it_cannot_hold(values):
    with pytest.raises(ValueError, match="column 'a' is"):
        pack(4, {"a": values})


def test_names_are_data_and_nothing_else(tmp_path):
    size = write_chunk(tmp_path, "places", pack(len(HOSTILE), {"name": HOSTILE}))
    script = (tmp_path / "places.js").read_bytes()
    assert len(script) == size
    found = re.fullmatch(rb'gridstead\.put\("places","([A-Za-z0-9+/]+=*)"\);\n', script)
    _, columns = read(base64.b64decode(found[1]))
    assert columns["name"] == [
        name and name.encode("utf-8", "replace").decode() for name in HOSTILE
    ]
    assert columns["name"][6] == "? half a pair"
    with pytest.raises(ValueError, match="is no name of a chunk"):
        write_chunk(tmp_path, 'a"); alert(1); ("', b"")
    with pytest.raises(ValueError, match="is no name of a chunk"):
        write_chunk(tmp_path, "../a", b"")


def test_slices_are_the_archive(tmp_path):
    content = np.random.default_rng(2).bytes(2 * CHUNK_BYTES + 17)
    (tmp_path / "a.pmtiles").write_bytes(content)
    told = write_slices(tmp_path, "a", tmp_path / "a.pmtiles")
    assert (told["bytes"], told["chunk_bytes"], told["chunk_count"]) == (
        len(content), CHUNK_BYTES, 3,
    )  # fmt: skip
    parts = [
        base64.b64decode(re.search(r',"(.*)"', path.read_text())[1])
        for path in sorted(tmp_path.glob("tiles-a-*.js"))
    ]
    assert b"".join(parts) == content
    assert [len(part) for part in parts] == [CHUNK_BYTES, CHUNK_BYTES, 17]


def test_whole_numbers_keep_unknown_apart():
    given_ = np.ma.array([1, 2, 3], mask=[False, True, False])
    assert whole(given_, UNKNOWN_I32, np.int32).tolist() == [1, UNKNOWN_I32, 3]
    assert whole(np.array([np.nan, 254]), UNKNOWN_U8, np.uint8).tolist() == [255, 254]
    for values in ([255.0], [256.0], [-1.0]):
        with pytest.raises(ValueError, match=r"do not fit|stands for unknown"):
            whole(np.array(values), UNKNOWN_U8, np.uint8)


def test_significant_digits():
    values = np.array([0.0, 123456.0, -0.00123456, 9.9996, 62.1, np.nan])
    np.testing.assert_array_equal(significant(values, 4), [0, 123500, -0.001235, 10, 62.1, np.nan])


# A value function: flat, rising by two slopes, flat; as meta.value_segment has it.
PIECES = [(-1e300, 0.0, 0.0), (2.0, 0.0, 0.25), (4.0, 0.5, 0.02), (29.0, 1.0, 0.0)]
FALLING = [(-1e300, 1.0, 0.0), (0.0, 1.0, -0.1), (10.0, 0.0, 0.0)]


def exactly(x, pieces):
    """Value scores in millionths, row by row."""
    out = []
    for value in x:
        if np.isnan(value):
            out.append(UNKNOWN_U32)
            continue
        from_x, from_value, slope = [piece for piece in pieces if piece[0] <= value][-1]
        score = min(max(from_value + slope * (value - from_x), 0), 1)
        out.append(int(np.floor(score * 1e6 + 0.5)))
    return np.array(out, dtype=np.uint32)


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([0, 40, 400]),
    st.sampled_from([1.0, 1e3, 1e7]),
    st.booleans(),
)
def test_short_codes_give_the_value_scores_of_sql(seed, count, scale, is_compared):
    rng = np.random.default_rng(seed)
    x = rng.uniform(-0.2, 1, count) * rng.choice([1.0, 40.0, scale], count)
    x[rng.random(count) < 0.1] = np.nan
    x[rng.random(count) < 0.1] = rng.choice([0.0, 2.0, 4.0, 29.0, 10.0, np.nextafter(4, 0)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(coding, "_MOST_LEVELS", 50)
        coded, told = coding.code_metric(x, [PIECES, FALLING], is_compared=is_compared)
    np.testing.assert_array_equal(np.isnan(told), np.isnan(x))
    known = ~np.isnan(x)
    # A wide range leaves coarser steps; only the corrections grow by it.
    is_wide = scale > 1e3
    share = 1e-6 if is_compared else 1e-4
    most = np.maximum(np.abs(x[known]) * share, 5e-3 if is_wide else 5e-7)
    assert (np.abs(told - x)[known] <= most * 1.01).all()
    for pieces in (PIECES, FALLING):
        want = exactly(x, pieces)
        corrected = coding.code_scores(want, told, pieces)
        got = np.full(count, UNKNOWN_U32, dtype=np.int64)
        got[known] = coding.page_scores(told[known], pieces)
        got[np.cumsum(corrected["gap"])] += corrected["by"]
        np.testing.assert_array_equal(got, want)
        # Few rows need to be put right: else the code would be no shorter.
        assert is_wide or len(corrected["by"]) <= max(3, 0.2 * count)
    assert coded.values.dtype == np.uint32


def test_few_values_are_kept_exactly():
    x = np.array([62.1, np.nan, 0.1 + 0.2, 62.1])
    coded, told = coding.code_metric(x, [PIECES])
    np.testing.assert_array_equal(told, x)
    assert coded.told == {"levels": [0.1 + 0.2, 62.1]}
    assert coded.values.tolist() == [1, UNKNOWN_U32, 0, 1]


def test_a_score_without_its_metric_is_refused():
    with pytest.raises(ValueError, match="unknown where its metric is known"):
        coding.code_scores(np.array([UNKNOWN_U32], np.uint32), np.array([1.0]), PIECES)


def test_columns_in_order_of_rank():
    rank = np.array([3, np.nan, 1, 2])
    coded = coding.by_rank(np.array([30, 99, 10, 20], np.int32), rank)
    assert (coded.values.tolist(), coded.told) == ([10, 20, 30], {"by": "rank"})
    header, columns = read(pack(4, {"a": coded}))
    assert header["columns"]["a"]["by"] == "rank"
    assert columns["a"].tolist() == [10, 20, 30]


@pytest.mark.skipif(shutil.which("node") is None, reason="no node on the path")
def test_the_script_reads_short_columns_like_numpy(tmp_path):
    rng = np.random.default_rng(5)
    x = rng.uniform(0, 40, 5000)
    x[::7] = np.nan
    coded, told = coding.code_metric(x, [PIECES])
    want = exactly(x, PIECES)
    gap_by = coding.code_scores(want, told, PIECES)
    rank = np.where(np.isnan(x), np.nan, np.cumsum(~np.isnan(x)))
    tens = np.rint(np.nan_to_num(told) * 10).astype(np.uint32)
    ranked = coding.by_rank(tens, rank, {"step": 0.5, "base": 0})
    tables = {
        "m-x": {"m": coded},
        "v-x": {name: Coded(values, {}) for name, values in gap_by.items()},
        "p": {"rank": whole(rank, UNKNOWN_I32, np.int32), "score": ranked},
    }
    plain = {
        name: {
            "rows": 5000,
            "header": {
                "columns": {
                    key: dict(value.told) if isinstance(value, Coded) else {}
                    for key, value in columns.items()
                },
                **({"from": "m-x", "pieces": PIECES} if name == "v-x" else {}),
            },
            "columns": {
                key: (value.values if isinstance(value, Coded) else value).tolist()
                for key, value in columns.items()
            },
        }
        for name, columns in tables.items()
    }
    (tmp_path / "tables.json").write_text(json.dumps(plain))
    (tmp_path / "run.js").write_text("""
const columns = require(process.argv[2]);
const tables = require(process.argv[3]);
const read = async (name) => {
  const { rows, header, columns: held } = tables[name];
  const kind = (key) => (key === "gap" || key === "by" || key === "rank" ? Int32Array : Uint32Array);
  return columns.decode({ rows, header, has: (key) => key in held,
    column: (key) => kind(key).from(held[key]) }, read);
};
(async () => {
  const [m, v, p] = [await read("m-x"), await read("v-x"), await read("p")];
  console.log(JSON.stringify({ m: [...m.column("m")], v: [...v.column("v")],
    score: [...p.column("score")], has: [v.has("v"), m.has("m"), p.has("none")] }));
})();
""")
    out = subprocess.run(
        ["node", tmp_path / "run.js", PAGE / "app" / "columns.js", tmp_path / "tables.json"],
        capture_output=True, check=True, text=True,
    )  # fmt: skip
    got = json.loads(out.stdout)
    assert got["has"] == [True, True, False]
    assert got["v"] == want.tolist()
    assert [None if np.isnan(a) else a for a in told.tolist()] == got["m"]
    scores = np.where(np.isnan(rank), np.nan, tens * 0.5)
    assert [None if np.isnan(a) else a for a in scores.tolist()] == got["score"]


def boxes(count, width=1.0, west=-100.0):
    shapes = [shapely.box(west + k * width, 40, west + (k + 1) * width, 41) for k in range(count)]
    return gpd.GeoDataFrame({"kv": range(count)}, geometry=shapes, crs="OGC:CRS84")


def tiles_of(path):
    content = path.read_bytes()
    source = MemorySource(content)
    return Reader(source), {
        zxy: mapbox_vector_tile.decode(gzip.decompress(tile)) for zxy, tile in all_tiles(source)
    }


def test_ids_are_rows_in_every_layer_and_zoom(tmp_path, capfd):
    path = tmp_path / "a.pmtiles"
    frame = boxes(3)
    layers = [
        TileLayer("county", frame, 0, 3),
        TileLayer("line", frame.iloc[:1], 2, 3),
        TileLayer("line", frame, 4, 5),
    ]
    write_archive(path, layers)
    reader, tiles = tiles_of(path)
    header = reader.header()
    assert (header["min_zoom"], header["max_zoom"]) == (0, 5)
    assert [header[f"{side}_e7"] / 1e7 for side in ("min_lon", "min_lat", "max_lon", "max_lat")] == [
        -100, 40, -97, 41,
    ]  # fmt: skip
    assert {layer["id"]: (layer["minzoom"], layer["maxzoom"]) for layer in
            reader.metadata()["vector_layers"]} == {"county": (0, 3), "line": (2, 5)}  # fmt: skip
    found = {}
    for (zoom, _, _), tile in tiles.items():
        for name, layer in tile.items():
            for feature in layer["features"]:
                found.setdefault((name, zoom), {})[feature["id"]] = feature["properties"]["kv"]
    every = {1: 0, 2: 1, 3: 2}
    want = {("county", zoom): every for zoom in range(4)}
    want |= {("line", zoom): {1: 0} for zoom in (2, 3)} | {("line", zoom): every for zoom in (4, 5)}
    assert found == want
    assert [file.name for file in tmp_path.iterdir()] == ["a.pmtiles"]
    assert capfd.readouterr() == ("", "")


def test_gdal_finds_the_same_layers_and_features(tmp_path):
    path = tmp_path / "a.pmtiles"
    write_archive(
        path,
        [
            TileLayer("county", boxes(12), 0, 5),
            TileLayer("line", boxes(1), 2, 3),
            TileLayer("line", boxes(5, width=2.0), 4, 5),
        ],
    )
    assert pyogrio.list_layers(path)[:, 0].tolist() == ["county", "line"]
    for name, drawn in (("county", boxes(12)), ("line", boxes(5, width=2.0))):
        # Reads the last zoom, a feature on the edge of two tiles from both.
        rows = pyogrio.read_dataframe(path, layer=name).to_crs("OGC:CRS84")
        assert (rows["mvt_id"] == rows["kv"] + 1).all()
        shapes = rows.dissolve("kv").geometry
        assert shapes.index.tolist() == drawn["kv"].tolist()
        step = 360 / 2**5 / 4096
        apart = shapely.hausdorff_distance(shapes.to_numpy(), drawn.geometry.to_numpy())
        assert (apart <= 2 * step).all()


def test_outlines_for_small_zooms_keep_neighbours_together():
    rng = np.random.default_rng(3)
    y = np.linspace(40, 41, 400)
    border = [(-99 + x, y) for x, y in zip(rng.uniform(-0.02, 0.02, 400), y.tolist(), strict=True)]
    west = shapely.Polygon([(-100, 40), *border, (-100, 41)])
    east = shapely.Polygon([(-98, 41), *border[::-1], (-98, 40)])
    # As small as a city of its own in a county.
    city = shapely.box(-98.55, 40.5, -98.53, 40.52)
    frame = gpd.GeoDataFrame(geometry=[west, east - city, city], crs="OGC:CRS84")
    layers = layers_by_zoom("county", frame, (2, 5, 7))
    assert sorted((layer.min_zoom, layer.max_zoom) for layer in layers) == [(0, 2), (3, 5), (6, 7)]
    counts = {}
    for layer in layers:
        shapes = layer.frame.geometry.to_numpy()
        counts[layer.max_zoom] = int(shapely.get_num_coordinates(shapes).sum())
        assert (shapely.area(shapes) > 0).all()
        assert shapely.coverage_is_valid(shapes)
        whole_ = shapely.union_all(shapes)
        assert shapely.area(whole_) == pytest.approx(shapely.area(shapes).sum())
        assert len(shapely.get_parts(whole_)) == 1
        assert shapely.get_num_interior_rings(whole_) == 0
    assert counts[2] < counts[5] < counts[7] < shapely.get_num_coordinates([west, east]).sum()


def test_the_libraries_are_the_pinned_ones():
    vendor = PAGE / "vendor"
    pinned = json.loads((vendor / "package.json").read_text())["dependencies"]
    locked = json.loads((vendor / "package-lock.json").read_text())["packages"]
    assert {name: locked[f"node_modules/{name}"]["version"] for name in pinned} == pinned
    sums = dict(
        reversed(line.split("  ")) for line in (vendor / "SHA256SUMS").read_text().splitlines()
    )
    files = {path.name for path in vendor.iterdir()} - {"package.json", "package-lock.json"}
    assert files == {"SHA256SUMS", *sums}
    for name, digest in sums.items():
        assert hashlib.sha256((vendor / name).read_bytes()).hexdigest() == digest, name
    assert pinned["maplibre-gl"] in (vendor / "maplibre-gl.js").read_text()[:500]


def test_nothing_of_the_page_asks_another_host():
    names = {}
    for path in [*(PAGE / "vendor").glob("*.js"), *(PAGE / "vendor").glob("*.css"),
                 *(PAGE / "app").iterdir()]:  # fmt: skip
        text = path.read_text(encoding="utf-8")
        assert "sourceMappingURL" not in text, path.name
        names[path.name] = set(re.findall(r"(?:https?|wss?):?//([a-zA-Z0-9.-]+\.[a-z]+)", text))
        if path.suffix == ".css":
            assert not re.search(r"url\((?!['\"]?(?:data:|#))|@import", text), path.name
    # Names of XML, links that a reader may click, and words in comments: none is fetched.
    inert = {"www.w3.org", "maplibre.org", "github.com", "maplibre.invalid"}
    asked = {name: hosts - inert for name, hosts in names.items() if hosts - inert}
    assert asked == {}

"""Vector tiles as independent readers see them: every tile of every zoom, decoded, against the layers."""

import gzip
from collections import defaultdict
from dataclasses import replace

import geopandas as gpd
import mapbox_vector_tile
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from pmtiles.reader import MemorySource, Reader, all_tiles
from pmtiles.tile import Compression, TileType, tileid_to_zxy, zxy_to_tileid
from pmtiles.writer import Writer

from geo.errors import GeoError
from geo.export import ExportLayer, pmtiles
from geo.export._tile_archive import join_archives
from tests.geo.export_samples import HOSTILE, NOTE

TOLD = replace(NOTE, attributions=["A & <b onclick=x>B</b>"])
NAMES = [*HOSTILE, ""]


def squares(count, side, west=-100.0, south=38.0):
    across = int(np.ceil(np.sqrt(count)))
    row, column = np.divmod(np.arange(count), across)
    x, y = west + column * side, south + row * side
    return shapely.box(x, y, x + side, y + side)


def regions():
    """Counties, one of 200 m, and two states around them."""
    shapes = np.concatenate(
        [squares(12, 0.5), [shapely.box(-99.9, 38.1, -99.898, 38.102)], squares(2, 2.0)]
    )
    count = len(shapes)
    frame = gpd.GeoDataFrame(
        {
            "region_kind": ["county"] * 13 + ["state"] * 2,
            "region_id": [f"{i:05d}" for i in range(count)],
            "region_name": (NAMES * count)[:count],
            "rank": pd.array([None if i % 5 == 4 else i + 1 for i in range(count)], dtype="Int64"),
            "score": [np.nan if i % 5 == 4 else 90 - i / 7 for i in range(count)],
            "gate_status": ["pass", None, "unknown"] * 5,
            "capacity_mw": np.linspace(10.4, 999.6, count),
            "reason": ["long words that no tile needs"] * count,
        },
        geometry=shapes,
        crs="OGC:CRS84",
    )
    return ExportLayer("training_regions", "Regions <b>", frame, column_docs={"rank": "1 is best."})


def parcels(count=64, side=0.06):
    shapes = squares(count, side).astype(object)
    shapes[3] = None
    frame = gpd.GeoDataFrame(
        {
            "parcel_id": [f"p{i}" for i in range(count)],
            "parcel_name": (NAMES * count)[:count],
            "rank": pd.array([None if i % 4 == 2 else i + 1 for i in range(count)], dtype="Int64"),
            "score": 50 + np.arange(count) / 3,
            "headroom_mw_mid": [np.nan if i % 6 == 1 else i * 10.4 for i in range(count)],
        },
        geometry=shapes,
        crs="OGC:CRS84",
    )
    return ExportLayer("training_parcels", "Parcels", frame)


def decoded(path):
    """Archive as its reader tells it: header, metadata, and features by zoom and layer."""
    source = MemorySource(path.read_bytes())
    reader = Reader(source)
    found = defaultdict(lambda: defaultdict(list))
    for (zoom, x, y), tile in all_tiles(source):
        assert reader.get(zoom, x, y) == tile
        for name, layer in mapbox_vector_tile.decode(gzip.decompress(tile)).items():
            assert layer["version"] == 2
            for feature in layer["features"]:
                box = (*tile_corner(zoom, x, y), layer["extent"])
                found[zoom][name].append((feature, box))
    return reader.header(), reader.metadata(), found


def tile_corner(zoom, x, y):
    return x / 2**zoom, y / 2**zoom, 1 / 2**zoom


def lonlat(geometry, box):
    """Tile coordinates (y upwards, as the decoder gives them) to degrees."""
    left, top, size, extent = box

    def turn(xy):
        across = left + xy[:, 0] / extent * size
        down = top + (1 - xy[:, 1] / extent) * size
        lat = np.rad2deg(np.arctan(np.sinh(np.pi * (1 - 2 * down))))
        return np.column_stack([across * 360 - 180, lat])

    return shapely.transform(shapely.geometry.shape(geometry), turn)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    layers = [regions(), parcels()]
    path = tmp_path_factory.mktemp("tiles") / "x.pmtiles"
    assert pmtiles.write(path, layers, TOLD) == path
    return path, *decoded(path)


def values(rows, columns, decimals):
    """What a tile should carry: known values, rounded."""
    return {
        row[columns[0]]: {
            column: round(row[column], decimals[column]) if column in decimals else row[column]
            for column in columns
            if not pd.isna(row[column])
        }
        for row in rows.to_dict("records")
    }


def test_every_zoom_has_every_region_with_its_values(written):
    _, header, _, found = written
    assert (header["min_zoom"], header["max_zoom"]) == (0, 8)
    columns = ["region_id", "region_name", "rank", "score", "gate_status", "capacity_mw"]
    frame = regions().frame
    assert sorted(found) == list(range(9))
    every = values(frame, columns, {"score": 1, "capacity_mw": 0})
    ids = {region: place + 1 for place, region in enumerate(every)}
    for kind in ("county", "state"):
        there = frame["region_id"][frame["region_kind"] == kind]
        want = {region: every[region] for region in there}
        numbers = {region: ids[region] for region in there}
        for zoom, layers in found.items():
            got = {f["properties"]["region_id"]: f["properties"] for f, _ in layers[kind]}
            assert got == want, (zoom, kind)
            assert {f["properties"]["region_id"]: f["id"] for f, _ in layers[kind]} == numbers


def test_parcels_have_more_detail_the_nearer_one_looks(written):
    *_, found = written
    assert [zoom for zoom in sorted(found) if "parcel" in found[zoom]] == [6, 7, 8]
    rows = parcels().frame[parcels().frame.geometry.notna()]
    columns = ["parcel_id", "parcel_name", "rank", "score", "headroom_mw_mid"]
    want = values(rows, columns, {"score": 1, "headroom_mw_mid": 0})
    numbers = {len(regions().frame) + 1 + place: parcel for place, parcel in enumerate(want)}
    for zoom in (6, 7, 8):
        got = {numbers[f["id"]]: f["properties"] for f, _ in found[zoom]["parcel"]}
        shown = columns if zoom == 8 else ["rank", "score"]
        assert got == {
            parcel: {key: value for key, value in row.items() if key in shown}
            for parcel, row in want.items()
        }


def test_shapes_lie_where_they_are(written):
    """Parts of a feature in the tiles of a zoom, put together, are the feature within two steps of the grid."""
    *_, found = written
    frame = regions().frame.set_index("region_id")
    for zoom, layers in found.items():
        step = 360 / 2**zoom / 4096
        parts = defaultdict(list)
        for feature, box in layers["county"]:
            shape = lonlat(feature["geometry"], box)
            assert shape.is_valid
            assert not shape.is_empty
            parts[feature["properties"]["region_id"]].append(shape)
        for region, shapes in parts.items():
            # Tiles reach over their edges, so parts of neighbouring tiles overlap.
            whole, want = shapely.union_all(shapes), frame.geometry[region]
            assert shapely.hausdorff_distance(whole, want) <= 2 * step, (zoom, region)


def test_metadata_and_header_are_complete(written):
    path, header, metadata, _ = written
    assert header["tile_type"] is TileType.MVT
    assert header["tile_compression"] is Compression.GZIP
    assert header["clustered"]
    corner = [header[f"{end}_{axis}_e7"] / 1e7 for end in ("min", "max") for axis in ("lon", "lat")]
    assert corner == pytest.approx([-100, 38, -96, 40], abs=1e-6)
    layers = {layer["id"]: layer for layer in metadata["vector_layers"]}
    assert list(layers) == ["county", "state", "parcel"]
    assert (layers["county"]["minzoom"], layers["parcel"]["minzoom"]) == (0, 6)
    assert {layer["maxzoom"] for layer in layers.values()} == {8}
    assert layers["parcel"]["fields"] == {
        "parcel_id": "String", "parcel_name": "String", "rank": "Number", "score": "Number", "headroom_mw_mid": "Number",
    }  # fmt: skip
    assert metadata["attribution"] == "A &amp; &lt;b onclick=x&gt;B&lt;/b&gt;"
    assert metadata["gridstead"] == TOLD.items()
    assert metadata["columns"] == {"rank": "1 is best."}
    assert "is synthetic" in metadata["description"]
    assert path.stat().st_size < 80_000


def test_gdal_finds_the_same_at_every_zoom(written):
    path, _, _, found = written
    assert pyogrio.list_layers(path)[:, 0].tolist() == ["county", "state", "parcel"]
    frame = pyogrio.read_dataframe(path, layer="county")
    assert frame.crs.to_epsg() == 3857
    assert set(frame["region_id"]) == set(regions().frame["region_id"][:13])
    named = pyogrio.read_dataframe(path, layer="parcel").set_index("parcel_id")["parcel_name"]
    assert named.to_dict() == parcels().frame.drop(index=3).set_index("parcel_id")["parcel_name"].to_dict()  # fmt: skip
    for zoom, layers in found.items():
        for name, features in layers.items():
            rows = pyogrio.read_dataframe(path, layer=name, ZOOM_LEVEL=str(zoom))
            assert set(rows["mvt_id"]) == {feature["id"] for feature, _ in features}


def test_the_same_layers_give_the_same_bytes_and_nothing_is_printed(written, tmp_path, capfd):
    path, *_ = written
    again = pmtiles.write(tmp_path / "x.pmtiles", [regions(), parcels()], TOLD)
    assert again.read_bytes() == path.read_bytes()
    assert capfd.readouterr() == ("", "")
    assert [each.name for each in tmp_path.iterdir()] == ["x.pmtiles"]


def test_small_parcels_are_shown_nearer(tmp_path):
    acres = parcels(20, side=0.004)
    _, metadata, found = decoded(pmtiles.write(tmp_path / "x.pmtiles", [acres], TOLD))
    (layer,) = metadata["vector_layers"]
    assert (layer["minzoom"], layer["maxzoom"]) == (10, 12)
    assert {len({f["id"] for f, _ in found[zoom]["parcel"]}) for zoom in found} == {19}


def test_other_tables_and_two_rankings_keep_their_names(tmp_path):
    frame = gpd.GeoDataFrame(
        {f"c{i}": [i, None] for i in range(20)},
        geometry=shapely.points([[-100, 40], [-90, 35]]),
        crs="OGC:CRS84",
    )
    other = ExportLayer("inference_regions", "Other", regions().frame)
    path = pmtiles.write(tmp_path / "x.pmtiles", [regions(), other, ExportLayer("p", "P", frame)], TOLD)  # fmt: skip
    _, metadata, found = decoded(path)
    assert [layer["id"] for layer in metadata["vector_layers"]] == [
        "training_regions_county", "training_regions_state", "inference_regions_county", "inference_regions_state", "p",
    ]  # fmt: skip
    assert [f["properties"] for f, _ in found[0]["p"]] == [{f"c{i}": i for i in range(8)}, {}]


def test_nothing_with_a_place_is_told(tmp_path):
    empty = ExportLayer("a", "A", regions().frame.head(0))
    with pytest.raises(GeoError, match="no feature has a place"):
        pmtiles.write(tmp_path / "x.pmtiles", [empty], TOLD)


GZIPPED = {"tile_type": TileType.MVT, "tile_compression": Compression.GZIP}


def archive(path, tiles, metadata=None, **header):
    """Archive of another writer."""
    with path.open("wb") as out:
        writer = Writer(out)
        for tile, content in tiles.items():
            writer.write_tile(tile, content)
        writer.finalize({**GZIPPED, **header}, metadata or {"vector_layers": []})
    return path


def tiles_by_id(path):
    source = MemorySource(path.read_bytes())
    return Reader(source), {zxy_to_tileid(*place): tile for place, tile in all_tiles(source)}


@pytest.mark.parametrize(
    ("content", "header"),
    [
        (b"", {}),
        (b"x" * 300, {}),
        (b"PMTiles", {}),
        (b"PMTiles\x03" + bytes(200), {}),
        (b"\xff" * 300, {}),
        (None, {"tile_type": TileType.PNG}),
        (None, {"tile_compression": Compression.NONE}),
    ],
)
def test_what_is_no_archive_of_tiles_is_refused(tmp_path, content, header):
    path = archive(tmp_path / "no.pmtiles", {0: b"a"}, **header)
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(GeoError, match=r"^no\.pmtiles is no archive of tiles\.$"):
        join_archives(tmp_path / "x.pmtiles", [path])
    assert not (tmp_path / "x.pmtiles").exists()


def test_an_archive_that_ends_too_early_is_refused(tmp_path):
    path = archive(tmp_path / "cut.pmtiles", {0: b"a" * 40})
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(GeoError, match="no archive of tiles"):
        join_archives(tmp_path / "x.pmtiles", [path])


def test_archives_with_many_tiles_are_joined(tmp_path):
    """Tiles of another writer, so many that directories have leaves, with runs of equal ones."""
    rng = np.random.default_rng(4)
    tiles, parts = {}, []
    # The first ids of zooms 0 to 7 are 0, 1, 5, 21, 85, 341, 1365, 5461.
    for name, first, last in (("low", 0, 1_365), ("high", 5_461, 21_000)):
        held = {}
        for tile in range(first, last):
            if rng.random() < 0.3:
                continue
            is_sea = rng.random() < 0.2
            held[tile] = b"sea" if is_sea else rng.bytes(int(rng.integers(4, 120)))
        parts.append(archive(tmp_path / name, held))
        tiles |= held
    assert tiles_by_id(parts[1])[0].header()["leaf_directory_length"] > 0
    path = tmp_path / "both"
    # In whatever order they come.
    join_archives(path, parts[::-1], metadata={"name": "both"}, centre_zoom=3)
    reader, found = tiles_by_id(path)
    assert found == tiles
    assert reader.metadata() == {"name": "both"}
    told = reader.header()
    assert told["root_length"] <= 16_384 - 127
    assert told["leaf_directory_length"] > 0
    assert told["clustered"]
    assert (told["min_zoom"], told["max_zoom"], told["center_zoom"]) == (0, 7, 3)
    assert told["addressed_tiles_count"] == len(tiles)
    # Each content is there once.
    assert told["tile_contents_count"] == len(set(tiles.values()))
    assert told["tile_data_length"] == sum(map(len, set(tiles.values())))
    assert reader.get(*tileid_to_zxy(2_000)) is None
    # What was joined is read again like any other.
    join_archives(tmp_path / "again", [path], metadata={"name": "both"}, centre_zoom=3)
    assert (tmp_path / "again").read_bytes() == path.read_bytes()


def test_a_tile_of_several_archives_has_the_layers_of_each(tmp_path):
    def tile(name):
        return mapbox_vector_tile.encode(
            {"name": name, "features": [{"geometry": shapely.Point(1, 2), "properties": {}}]}
        )

    def layer(name, first, last, **fields):
        return {"id": name, "minzoom": first, "maxzoom": last, "fields": fields}

    parts = [
        archive(
            tmp_path / f"{number}.pmtiles",
            {at: gzip.compress(tile(name)) for at in ids},
            {"vector_layers": layers},
            min_lon_e7=west,
            max_lat_e7=north,
        )
        for number, (name, ids, layers, west, north) in enumerate(
            [
                ("a", [0, 1, 2], [layer("a", 0, 1, kv="Number")], -1000, 50),
                ("b", [0, 2, 5], [layer("b", 0, 2), layer("a", 2, 3, owner="String")], -10, 500),
                ("c", [0], [layer("c", 0, 0)], -100, 5),
            ]
        )
    ]
    path = tmp_path / "x.pmtiles"
    join_archives(path, parts)
    reader, found = tiles_by_id(path)
    names = {at: list(mapbox_vector_tile.decode(gzip.decompress(found[at]))) for at in found}
    assert names == {0: ["a", "b", "c"], 1: ["a"], 2: ["a", "b"], 5: ["b"]}
    told = reader.header()
    assert (told["min_lon_e7"], told["max_lat_e7"]) == (-1000, 500)
    assert (told["min_zoom"], told["max_zoom"], told["center_zoom"]) == (0, 2, 0)
    assert reader.metadata() == {
        "vector_layers": [
            layer("a", 0, 3, kv="Number", owner="String"),
            layer("b", 0, 2),
            layer("c", 0, 0),
        ]
    }
    join_archives(tmp_path / "again.pmtiles", parts)
    assert (tmp_path / "again.pmtiles").read_bytes() == path.read_bytes()

"""Rasters that every run writes, and tiles and KMZ by `gridstead export`, against the build."""

import gzip
from pathlib import Path

import mapbox_vector_tile
import numpy as np
import pyogrio
import pyproj
import pytest
import rasterio
from pmtiles.reader import MemorySource, Reader, all_tiles
from rio_cogeo import cog_validate

from tests.flows.conftest import rows


@pytest.fixture
def export(gridstead, base, tmp_path):
    return lambda *words: gridstead(
        "export", *words, "--home", base.home, "--out", tmp_path / "out", "--json"
    )


def test_a_run_writes_the_scores_of_each_workload_as_a_raster(base):
    to_plane = pyproj.Transformer.from_crs("OGC:CRS84", 5070, always_xy=True)
    workloads = rows(base.build, "select distinct workload from mart.parcel_score order by 1")
    assert len(workloads) > 1
    for (workload,) in workloads:
        path = base.home / "exports" / f"{workload}.tif"
        assert cog_validate(path, strict=True) == (True, [], [])
        # The centre of a cell of H3 lies well within it.
        lon, lat, rank, score = zip(*rows(
            base.build,
            "select lon, lat, rank, score from mart.ranked_parcels "
            f"where workload = '{workload}' and parcel_kind = 'h3_cell' order by parcel_id",
        ), strict=True)  # fmt: skip
        with rasterio.open(path) as file:
            row, column = rasterio.transform.rowcol(file.transform, *to_plane.transform(lon, lat))
            stored = file.read(1)[row, column]
            assert file.tags()["study"] == rows(base.build, "select study from meta.run")[0][0]
        want = [
            255 if one is None else round(value) for one, value in zip(rank, score, strict=True)
        ]
        assert stored.tolist() == want
        assert np.unique(stored).size > 1


def test_tiles_of_all_parcels_have_the_regions_around_them(export, base):
    answer = export("training", "pmtiles", "--level", "parcel", "--top", "all")
    assert answer.code == 0, answer.err
    (file,) = answer.json
    source = MemorySource(Path(file["file"]).read_bytes())
    metadata = Reader(source).metadata()
    names = {"region": {}, "parcel": {}}
    for place, tile in all_tiles(source):
        for layer, held in mapbox_vector_tile.decode(gzip.decompress(tile)).items():
            kind = "parcel" if layer == "parcel" else "region"
            found = {feature["properties"].get(f"{kind}_id") for feature in held["features"]}
            names[kind].setdefault(place[0], set()).update(found)
    regions = rows(base.build, "select region_id from mart.training_regions where lon is not null")
    parcels = rows(base.build, "select parcel_id from mart.training_parcels")
    assert [names["region"][zoom] for zoom in range(9)] == [{one for (one,) in regions}] * 9
    assert names["parcel"][8] == {one for (one,) in parcels}
    assert metadata["gridstead"]["run_id"] == rows(base.build, "select run_id from meta.run")[0][0]


def test_kmz_has_the_counties_with_their_values(export, base):
    answer = export("training", "kmz")
    assert answer.code == 0, answer.err
    (file,) = answer.json
    found = {}
    for name, _ in pyogrio.list_layers(file["file"]):
        for row in pyogrio.read_dataframe(file["file"], layer=name).to_dict("records"):
            found[row["region_id"]] = row["rank"]
    want = dict(rows(
        base.build, "select region_id, rank from mart.training_regions where region_kind = 'county'"
    ))  # fmt: skip
    assert {key: None if np.isnan(rank) else rank for key, rank in found.items()} == want

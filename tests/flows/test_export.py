"""`gridstead export`: formats, levels, and words that are neither."""

import geopandas as gpd
import pandas as pd
import pytest

from tests.flows.conftest import rows

SUFFIX = {
    "gpkg": ".gpkg",
    "geoparquet": ".parquet",
    "fgb": ".fgb",
    "geojson": ".geojson",
    "csv": ".csv",
}


@pytest.fixture
def export(gridstead, base, tmp_path):
    return lambda *words: gridstead(
        "export", *words, "--home", base.home, "--out", tmp_path / "out", "--json"
    )


def test_every_format_holds_the_same_counties(export, base):
    answer = export("training", *SUFFIX)
    assert answer.code == 0
    assert [row["file"].rpartition(".")[2] for row in answer.json] == [
        s[1:] for s in SUFFIX.values()
    ]
    want = rows(
        base.build,
        "select region_id, rank from mart.training_regions where region_kind = 'county' order by 1",
    )
    for row in answer.json:
        path = row["file"]
        if path.endswith(".csv"):
            frame = pd.read_csv(path, dtype={"region_id": str}, comment="#")
        else:
            frame = (
                gpd.read_parquet(path)
                if path.endswith(".parquet")
                else gpd.read_file(path, layer=0)
            )
            assert frame.crs.to_epsg() == 4326 or frame.crs == "OGC:CRS84"
        frame = frame.sort_values("region_id")
        assert frame["region_id"].tolist() == [region for region, _ in want]
        ranks = [None if pd.isna(rank) else int(rank) for rank in frame["rank"]]
        assert ranks == [rank for _, rank in want]


@pytest.mark.parametrize("level", ["metro", "state", "zone", "parcel"])
def test_every_level(export, level):
    answer = export("inference", "geoparquet", "--level", level, "--top", 2)
    assert answer.code == 0
    (written,) = answer.json
    assert written["file"].endswith(f"inference_{level}.parquet")
    assert len(gpd.read_parquet(written["file"])) == 2 or level in {"metro", "zone", "state"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["training"], "Name a format."),
        (["training", "dwg"], "dwg"),
        (["training", "gpkg", "csv", "dwg"], "dwg"),
        (["cooking", "gpkg"], "The build ranks no workload 'cooking'."),
        (["training", "gpkg", "--level", "planet"], "planet"),
        (["training", "gpkg", "--top", "0"], "--top 0"),
        (["training", "gpkg", "--top", "-3"], "--top -3"),
    ],
)
def test_wrong_words_write_nothing(export, tmp_path, words, said):
    answer = export(*words)
    assert answer.code == 2
    assert said in answer.err
    assert not (tmp_path / "out").exists()


def test_an_out_that_is_a_file(gridstead, base, tmp_path):
    (tmp_path / "out").write_text("mine")
    answer = gridstead("export", "training", "csv", "--home", base.home, "--out", tmp_path / "out")
    assert answer.code in {1, 2}
    assert (tmp_path / "out").read_text() == "mine"

"""The benchmark of parcels on little data: its figures come out, and both ways agree."""

import sys
from pathlib import Path

import pytest

# rasterio and exactextract multiply transforms as affine used to have it.
pytestmark = pytest.mark.filterwarnings("ignore:Use `@` matmul:PendingDeprecationWarning")

ROOT = Path(__file__).resolve().parent.parent
# Within which the plain way's metrics lie of the engine's: relative, in the median and for 99 of 100. What EPSG:5070
# does to distances is 1 %; a disc bent by it takes in another plant now and then.
TOLERANCES = {
    "area_acres": (1e-6, 1e-4),
    "compactness": (5e-3, 2e-2),
    "substation_mi": (0.005, 0.011),
    "line_230kv_mi": (0.005, 0.011),
    "fiber_mi": (0.005, 0.011),
    "metro_mi": (0.005, 0.011),
    "generation_10mi_mw": (0.0, 0.5),
    "generation_25mi_mw": (0.0, 0.5),
    "generation_50mi_mw": (0.0, 0.5),
    "population_100mi (exactextract)": (0.01, 0.1),
    "excluded_share": (0.0, 1e-3),
    "slope_mean_pct (exactextract)": (1e-6, 1e-4),
    "contiguous_acres": (1e-6, 1e-3),
    "minimum_width_m": (0.02, 0.2),
    "inscribed_diameter_m": (0.02, 0.06),
}


@pytest.fixture
def benchmarks(monkeypatch):
    """Benchmarks are scripts in a folder of their own."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if str(ROOT / "benchmarks") in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


@pytest.mark.usefixtures("benchmarks")
def test_figures_come_out_and_the_plain_way_agrees(tmp_path):
    pytest.importorskip("exactextract", reason="the plain side needs exactextract")
    import made_parcels
    import parcels
    from made_layers import MadeLayers
    from parcels_section import section

    layers = MadeLayers(tmp_path, share=0.05, people_per_deg=10, slope_per_deg=40)
    file = made_parcels.made_parcels(2_000, folder=tmp_path)
    needs_rasterstats = ("population_100mi", "slope_mean_pct")
    found = parcels.figures(
        file, layers=layers, runs=1, plain=True, plain_without=needs_rasterstats, first=False
    )

    twelve = found["twelve"]
    assert twelve["measured"] + twelve["rejected"] == found["parcels"] == 2_000
    assert twelve["parcels_per_s"] > 0
    assert found["floor_s"] < found["everything"]["wall_s"]
    for name, (median, most) in TOLERANCES.items():
        difference = found["plain"]["differences"][name]
        assert difference["compared"] > 50, name
        assert difference["median"] <= median, (name, difference)
        assert difference["p99"] <= most, (name, difference)
    text = section([found])
    assert text.startswith("## Parcels\n")
    assert "| 12 metrics, warm, s |" in text


@pytest.mark.usefixtures("benchmarks")
def test_neither_order_nor_chunks_nor_reading_ahead_change_a_bit(tmp_path):
    import engine
    import made_parcels
    import pyarrow.parquet as pq
    from made_layers import MadeLayers

    layers = MadeLayers(tmp_path, share=0.02, people_per_deg=10, slope_per_deg=40)
    ground = engine.Ground.of(layers, tmp_path, engine.Clock())

    def measured(*, shuffled, chunk, ahead):
        file = made_parcels.made_parcels(1_500, shuffled=shuffled, folder=tmp_path)
        out = tmp_path / "out.parquet"
        engine.run(file, ground, engine.EVERYTHING, out, chunk=chunk, ahead=ahead)
        return pq.read_table(out).to_pandas().set_index("parcel_id").sort_index()

    whole = measured(shuffled=False, chunk=65_536, ahead=True)
    cut = measured(shuffled=True, chunk=170, ahead=False)
    assert list(whole.index) == list(cut.index)
    for name in whole:
        assert whole[name].to_numpy().tobytes() == cut[name].to_numpy().tobytes(), name


@pytest.mark.usefixtures("benchmarks")
def test_a_made_parcel_depends_on_its_number_alone(tmp_path):
    import made_parcels
    import pyarrow.parquet as pq

    few, many, shuffled = (
        pq.read_table(made_parcels.made_parcels(count, shuffled=mixed, folder=tmp_path))
        .to_pandas()
        .set_index("parcel_id")
        for count, mixed in ((300, False), (900, False), (900, True))
    )
    assert not shuffled.index.equals(many.index)
    assert shuffled.loc[many.index].equals(many)
    assert many.loc[few.index].equals(few)

"""The benchmark of parcels on little data: its figures come out, and both ways agree."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

# rasterio and exactextract multiply transforms as affine used to have it.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:Use `@` matmul:PendingDeprecationWarning"),
]

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


@pytest.mark.usefixtures("benchmarks")
def test_published_round_trips_are_told_with_their_source_and_none_is_quicker_than_light():
    from published_rtt import BANDS_KM, published

    pairs = published()
    assert len(pairs) >= 7
    needed = [*("publisher", "address", "accessed", "measured", "statistic"), "location_note"]
    assert pairs[needed].notna().all(axis=None)
    assert (pd.to_datetime(pairs["accessed"]) <= pd.Timestamp("2026-11-22")).all()
    assert not pairs.duplicated(["from_place", "to_place", "publisher"]).any()
    for end in ("from", "to"):
        assert pairs[f"{end}_lon"].between(-125, -66).all()
        assert pairs[f"{end}_lat"].between(24, 50).all()
    assert (pairs["rtt_ms"] >= 2 * 0.0049 * pairs["km"]).all()
    assert 0 < pairs["km"].min() < pairs["km"].max() < BANDS_KM[-1]
    assert 200 < pairs["is_placed"].sum() < len(pairs)


@pytest.mark.usefixtures("benchmarks")
def test_pairs_are_judged_by_worked_out_round_trips():
    """Two nodes 100 km apart along a meridian, and points 10 km beyond each: laterals of 10 km, both ways."""
    from published_rtt import judged, told

    from geo.fiber.network import FiberNetwork
    from geo.geodesy import GEOD
    from tests.geo.fiber import test_network, worlds

    made = test_network.layers(
        pop=worlds.pops(("a1", "x", 0.0), ("b1", "x", 100.0)),
        carrier_link=worlds.links(("1", "a1", "b1")),
    )
    index = FiberNetwork.of(made, worlds.rules_of()).index
    points = [worlds.at_km(km) for km in (-10.0, 110.0, 50.0)]
    assert GEOD.inv(points[0], 0.0, points[1], 0.0)[2] == pytest.approx(120_000, rel=1e-6)
    columns = ["from_lon", "to_lon", "rtt_ms"]
    rows = [[*points[:2], 1.2], [*points[:2], 3.7], [*points[:2], 3.0], [-150.0, points[2], 9.0]]
    pairs = pd.DataFrame(rows, columns=columns).assign(from_lat=0.0, to_lat=0.0)
    found = judged(pairs, index)
    assert found[["low", "mid", "high"]].iloc[0].tolist() == pytest.approx([1.2, 2.4, 3.6])
    assert found["is_covered"].tolist() == [True, False, True, False]
    assert found["error"].tolist()[:3] == pytest.approx([1.0, 2.4 / 3.7 - 1, -0.2])
    assert found["mid"].isna().tolist() == [False, False, False, True]
    counts = told(found[:3])
    assert counts["covered"] == pytest.approx(2 / 3)
    assert (counts["above"], counts["below"]) == (pytest.approx(1 / 3), 0.0)
    assert counts["width"] == pytest.approx(1.0)


@pytest.mark.usefixtures("benchmarks")
def test_the_plain_way_to_round_trips_agrees_with_the_engine():
    import plain_latency

    from geo.fiber.network import FiberNetwork
    from tests.geo.fiber import test_network

    found = FiberNetwork.of(test_network.northward(test_network.layers()), test_network.RULES)
    rng = np.random.default_rng(1)
    parcel = pd.DataFrame({"lon": rng.uniform(-101, -99, 40), "lat": rng.uniform(35, 38, 40)})
    compared = plain_latency.compared(found.index, found.graph, parcel)
    assert compared["ms_off"] < 0.01
    assert compared["people_off"] < 0.01
    assert compared["all_s"] == pytest.approx(compared["each_s"] * 40)

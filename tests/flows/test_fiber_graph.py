"""The fiber step of a run: kept by what it is made of, and nothing made up where a study has none."""

import json

import numpy as np
import pandas as pd
import pytest
import yaml

from flows import fiber_graph
from flows.home import Home
from tests.flows import tiny
from tests.flows.conftest import rows


@pytest.fixture
def steps(base):
    """Layers and people of the tiny study."""
    work = base.home / "work"
    (layers,), (people,) = work.glob("layers-*.duckdb"), work.glob("people-*.npz")
    return layers, people


def test_an_unchanged_graph_is_reused_and_built_again_to_the_last_bit(base, steps, tmp_path):
    said = []
    again = fiber_graph.make_fiber(*steps, Home.at(base.home), said.append)
    assert said == ["fiber: unchanged, reused"]
    other = fiber_graph.make_fiber(*steps, Home.at(tmp_path).make(), said.append)
    assert other.name == again.name
    for path in sorted(again.parent.glob(f"{again.stem}.*parquet")):
        pd.testing.assert_frame_equal(
            pd.read_parquet(path), pd.read_parquet(other.parent / path.name), check_exact=True
        )
    with np.load(again.with_suffix(".npz")) as one, np.load(other.with_suffix(".npz")) as two:
        assert sorted(one.files) == sorted(two.files)
        for name in one.files:
            assert one[name].tobytes() == two[name].tobytes(), name
    assert any(line.startswith("fiber: 3 nodes, 3 of them") for line in said)


@pytest.mark.slow
def test_a_lake_leaves_the_graph_and_a_carrier_s_link_does_not(run, world):
    files = world.study.parent / "files"
    lake = files / "lake.geojson"
    lake.write_text(lake.read_text() + "\n")
    tiny.lock(world.study.parent)
    answer = run()
    assert answer.code == 0
    assert "land layers: unchanged, reused" not in answer.err
    assert "fiber: unchanged, reused" in answer.err

    links = (
        "select carrier_id, count(*) from mart.fiber_link where carrier_id is not null group by 1"
    )
    assert dict(rows(world.build, links)) == {"att": 1, "lumen": 2}
    member = "topohub/data/caida/2024-08/7018.json"
    network = json.loads(tiny.read_member(files / "backbone.zip", member))
    tiny.rewrite_member(files / "backbone.zip", member, json.dumps(network | {"edges": []}))
    tiny.lock(world.study.parent)
    answer = run()
    assert answer.code == 0
    assert "fiber: unchanged, reused" not in answer.err
    assert dict(rows(world.build, links)) == {"lumen": 2}


@pytest.mark.slow
def test_a_study_without_fiber_leaves_round_trips_unknown_and_says_so(run, world, gridstead):
    themes = yaml.safe_load(world.study.read_text())["themes"]
    del themes["fiber"]
    tiny.edit(world.study, {"themes": themes})
    answer = run()
    assert answer.code == 0, answer.err
    counts = "count(*), count(rtt_metro_ms_mid), count(people_10ms_mid), count(disjoint_path_count)"
    ((parcels, *known),) = rows(world.build, f"select {counts} from core.parcel_metric")
    assert (parcels > 30, known) == (True, [0, 0, 0])
    assert rows(world.build, "select distinct rtt_unknown_reason from core.parcel_metric") == [
        ("no fiber layer",)
    ]
    # Miles need no fiber.
    ((near, people),) = rows(
        world.build,
        "select count(is_within_100mi_of_major_metro), count(population_100mi) from core.parcel_metric",
    )
    assert near == people == parcels
    told = gridstead("latency", "39.0,-77.5", "--home", world.home)
    assert told.code == 0
    assert "The study has no fiber layer: round trips are unknown." in " ".join(told.out.split())

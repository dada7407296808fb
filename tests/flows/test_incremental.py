"""A night on which little has changed: what is not asked for, not computed, and not measured again."""

import shutil

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from data.parts import RowReader
from data.study import load_study
from flows import measuring, remeasuring
from flows.home import Home
from flows.measured_by import MeasuredBy, beside_metrics
from flows.remeasuring import Again, aligned
from geo.errors import GeometryError
from tests.flows import tiny
from tests.flows.test_measuring import only
from tests.upstream.kinds import HttpServed
from tests.upstream.server import Upstream

CHUNK = 7
FAR = "update core.place set place_name = 'Elsewhere' where place_id = (select max(place_id) from core.place)"


def lots(ids, acres=1.0):
    """Rows of a file of parcels, as far as they are compared."""
    return pa.table({"parcel_id": [*ids], "area_acres": np.broadcast_to(acres, len(ids)).copy()})


@pytest.fixture
def two(tmp_path):
    """Row of each parcel of a file in another one."""

    def run(old, new):
        for name, table in (("old", old), ("new", new)):
            pq.write_table(table, tmp_path / name, row_group_size=2)
        found = aligned(tmp_path / "old", tmp_path / "new")
        return None if found is None else found.tolist()

    return run


def test_parcels_are_found_again_whatever_came_and_went(two):
    assert two(lots("abcd"), lots("abcd")) == [0, 1, 2, 3]
    assert two(lots("abcd"), lots("abxcyd")) == [0, 1, -1, 2, -1, 3]
    assert two(lots("abcd"), lots("bd")) == [1, 3]
    assert two(lots("ab"), lots("xy")) == [-1, -1]
    # What stands elsewhere in the order is not looked for.
    assert two(lots("abcde"), lots("abdec")) == [0, 1, 3, 4, -1]


def test_parcels_that_were_altered_are_not_taken_for_the_same(two):
    assert two(lots("abc"), lots("abc", np.array([1.0, 2.0, 1.0]))) == [0, -1, 2]
    assert two(lots("abc", np.nan), lots("abc", np.nan)) == [0, 1, 2]
    # Equal numbers of different bits.
    assert two(lots("ab", 0.0), lots("ab", np.array([0.0, -0.0]))) == [0, -1]
    gone = lots("ab").set_column(1, "area_acres", pa.array([1.0, None]))
    assert two(lots("ab"), gone) == [0, -1]


def test_what_cannot_be_laid_side_by_side_is_not(two):
    assert two(lots("aa"), lots("ab")) is None
    assert two(lots("ab"), lots("ab").append_column("acres", pa.array([1.0, 2.0]))) is None


def test_what_metrics_were_measured_by_is_told_beside_them(tmp_path):
    path = tmp_path / "work"
    path.mkdir()
    by = MeasuredBy(
        *(path / "layers", tmp_path / "power", path / "fiber", path / "parcels", None, None),
        *(["sha", 1.5], "code"),
    )
    metrics = path / "metric-0123456789abcdef.parquet"
    by.write(metrics)
    told = beside_metrics(metrics)
    assert told.name == "metric-0123456789abcdef.inputs.json"
    assert MeasuredBy.read(told) == by
    assert not by.is_there
    # A home that is moved finds its files, which stand beside.
    (tmp_path / "moved").mkdir()
    shutil.copy(told, tmp_path / "moved")
    assert MeasuredBy.read(tmp_path / "moved" / told.name).layers == tmp_path / "moved" / "layers"
    told.write_text("{}")
    assert MeasuredBy.read(told) is None


def test_rows_that_were_measured_stand_among_those_that_hold(tmp_path):
    schema = pa.schema([("parcel_id", pa.string()), ("acres", pa.float64())])
    last = pa.table({"parcel_id": list("abcde"), "acres": [1.0, None, 3.0, 4.0, 5.0]})
    pq.write_table(last.append_column("known_share", pa.array([1.0] * 5)), tmp_path / "m")
    again = Again(tmp_path / "m", np.array([0, -1, 2, -1, 4]), "")
    new = pa.table({"parcel_id": ["x", "y"], "acres": [9.0, None]}, schema=schema)
    with RowReader(tmp_path / "m") as base:
        chunk = remeasuring.Chunk(0, 0, 5)
        spliced = again.spliced(base, chunk, new, schema)
    assert spliced.column(0).to_pylist() == ["a", "x", "c", "y", "e"]
    assert spliced.column(1).to_pylist() == [1.0, 9.0, 3.0, None, 5.0]
    assert again.known_columns([chunk], set()) == {"parcel_id", "acres", "known_share"}
    nothing = Again(tmp_path / "m", np.array([1]), "")
    only_b = remeasuring.Chunk(0, 0, 1)
    assert "acres" not in nothing.known_columns([only_b], set())


@pytest.fixture
def night(base, tmp_path):
    """Measure the tiny study by layers edited in SQL, in a home with the last metrics or in an empty one."""
    work = base.home / "work"
    (layers,) = work.glob("layers-*.duckdb")
    (people,) = work.glob("people-*.npz")
    by = {"power": only(base.home, "power"), "fiber": only(base.home, "fiber")}
    study = load_study(str(base.study))
    how = study.measure.model_copy(update={"chunk_parcels": CHUNK})
    study = study.model_copy(update={"measure": how})

    def run(home, *edits, said=None, parcels=None):
        edited = tmp_path / f"layers-{abs(hash(edits)):x}.duckdb"
        if not edited.exists():
            shutil.copyfile(layers, edited)
            with duckdb.connect(str(edited)) as con:
                for sql in edits:
                    con.execute(sql)
        return measuring.measure_parcels(
            study,
            edited,
            by["power"],
            by["fiber"],
            parcels or only(base.home, "parcel"),
            None,
            Home.at(tmp_path / home).make(),
            ([] if said is None else said).append,
            people=people,
        )

    return run


def assert_as_all(night, again, *edits, **more):
    """What was measured from the last metrics is the file that measuring all makes."""
    assert again.read_bytes() == night("all", *edits, **more).read_bytes()


@pytest.mark.slow
def test_only_parcels_near_what_changed_are_measured(night, monkeypatch):
    night("home")
    seen = []
    real = measuring.measure_chunk
    monkeypatch.setattr(
        measuring,
        "measure_chunk",
        lambda rows, *more: (seen.append(len(rows)), real(rows, *more))[1],
    )
    said = []
    again = night("home", FAR, said=said)
    total = pq.read_metadata(again).num_rows
    count = sum(seen)
    assert 0 < count < total / 2
    assert said == [
        f"metrics: {count:,} of {total:,} parcels measured again, near what changed (place: 1 row)"
    ]
    monkeypatch.setattr(measuring, "measure_chunk", real)
    assert_as_all(night, again, FAR)
    assert "Elsewhere" in " ".join(pd.read_parquet(again)["parcel_name"])


@pytest.mark.slow
def test_what_is_not_measured_costs_a_copy(night, monkeypatch):
    night("home")
    said = []
    names = "update core.plant set plant_name = 'other', dispatch_mw = 0"
    with monkeypatch.context() as patch:
        patch.setattr(measuring, "prepare", None)
        again = night("home", names, said=said)
    assert said == ["metrics: nothing that parcels are measured by has changed, copied"]
    assert_as_all(night, again, names)


@pytest.mark.slow
def test_parcels_that_came_went_or_changed_are_measured(night, base, tmp_path):
    before = pq.read_table(only(base.home, "parcel"))
    share = before.column("lake_share").to_numpy().copy()
    share[11] = 0.5
    at = before.column_names.index("lake_share")
    fewer = before.set_column(at, before.schema.field(at), pa.array(share))
    fewer = fewer.take([*range(1, 9), *range(10, len(fewer))])
    paths = [tmp_path / f"parcel-{name}.parquet" for name in ("fewer", "again")]
    for path, rows in zip(paths, (fewer, before), strict=True):
        pq.write_table(rows, path, row_group_size=5)
    night("home")
    said = []
    for path, count in zip(paths, (1, 3), strict=True):
        again = night("home", said=said, parcels=path)
        total = pq.read_metadata(path).num_rows
        near = "near what changed (parcels: "
        assert said[-1].startswith(f"metrics: {count} of {total} parcels measured again, {near}")
        assert_as_all(night, again, parcels=path)


@pytest.mark.slow
def test_a_killed_run_goes_on_and_its_last_metrics_may_fail(night, monkeypatch, tmp_path):
    first = night("home")
    kept = shutil.copytree(tmp_path / "home", tmp_path / "kept")
    real, seen = measuring.measure_chunk, []

    def dying(rows, *more):
        if seen:
            raise KeyboardInterrupt
        seen.append(len(rows))
        return real(rows, *more)

    edits = (FAR, "update core.place set place_name = 'There' where place_id = (select min(place_id) from core.place)")  # fmt: skip
    with monkeypatch.context() as patch:
        patch.setattr(measuring, "measure_chunk", dying)
        with pytest.raises(KeyboardInterrupt):
            night("home", *edits)
    assert len(list((tmp_path / "home" / "work").glob("metric-*.parts/part-*"))) == 1
    again = night("home", *edits)
    assert_as_all(night, again, *edits)

    calls, crooked = [], "It is crooked."

    def once(rows, *more):
        calls.append(len(rows))
        if len(calls) == 1:
            raise GeometryError(crooked)
        return real(rows, *more)

    said = []
    with monkeypatch.context() as patch:
        patch.setattr(measuring, "measure_chunk", once)
        other = night(kept, *edits, said=said)
    assert said[0] == "metrics: the last ones cannot be used, all parcels measured: It is crooked."
    assert other.read_bytes() == again.read_bytes() != first.read_bytes()


@pytest.mark.slow
def test_most_parcels_near_a_change_are_all_measured(night):
    night("home")
    said = []
    wide = "update core.state set industrial_usd_per_mwh = 1"
    again = night("home", wide, said=said)
    assert said[0].startswith("metrics: all parcels measured, since what changed is near ")
    assert_as_all(night, again, wide)
    counties = "insert into core.metro_county by name select '51107' as county_id, min(metro_id) as metro_id from core.metro"
    said.clear()
    again = night("home", counties, said=said)
    assert said[0] == "metrics: all parcels measured, since this has changed: counties of metros"
    assert_as_all(night, again, counties)


@pytest.mark.slow
def test_unchanged_sources_are_not_downloaded_and_unchanged_steps_not_computed(
    gridstead, plain, tmp_path
):
    study = tiny.write_study(tmp_path / "study")
    with Upstream() as upstream:
        grid = study.parent / "files" / "grid.zip"
        served = HttpServed(upstream, "tamu_grid", grid.read_bytes(), ("sub.csv", "lat"))
        for name in ("own.yaml", "own.lock"):
            path = study.parent / name
            content = yaml.safe_load(path.read_text())
            if name == "own.yaml":
                entry = next(one for one in content["sources"] if one["id"] == "tamu_grid")
                entry["access"] = served.access
            else:
                content["sources"].pop("tamu_grid")
            path.write_text(yaml.safe_dump(content, sort_keys=False))
        words = ("run", study, "--home", tmp_path / "home", "--no-export")
        first = gridstead(*words)
        assert first.code == 0, first.err
        asked = len(upstream.requests)
        again = gridstead(*words)
        assert again.code == 0, again.err
        later = upstream.requests[asked:]
        assert asked == len(later) == 1
        assert later[0].headers["if-none-match"]
    unchanged = [line for line in again.err.splitlines() if "unchanged, reused" in line]
    themes = len(load_study(str(study)).themes)
    steps = ("layers", "power", "people", "fiber", "parcels", "metrics", "region", "cost")
    for step in steps:
        assert any(f" {step}" in line for line in unchanged), (step, unchanged)
    assert len(unchanged) >= themes + len(steps)
    assert "unchanged, reused" not in first.err

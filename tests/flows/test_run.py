"""A run from files to a published build, and what an equal or a changed one does again."""

import json
from pathlib import Path

import pytest
import yaml

from tests.flows import tiny
from tests.flows.conftest import rankings, rows


def test_publishes_ranked_counties_with_every_row_accounted_for(base):
    counties = rows(base.build, "select region_id from mart.region where region_kind = 'county'")
    assert {county for (county,) in counties} == set(tiny.COUNTIES)
    assert rows(
        base.build, "select count(*) from mart.region_rank where rank is null and reason is null"
    ) == [(0,)]
    uneven = "from meta.source_load where rows_read <> rows_loaded + rows_rejected"
    assert rows(base.build, uneven) == []
    rejected = rows(
        base.build, "select file, raw_row, reject_code, reason from meta.rejected_row order by all"
    )
    assert [row[:3] for row in rejected] == [
        ("census.zip / cb_2016_us_county_500k.shp", 5, "outside_area"),
        ("grid.zip / sub.csv", 57, "outside_area"),
        ("grid.zip / sub.csv", 58, "invalid"),
    ]
    assert all(reason for *_, reason in rejected)


def test_exports_files_maps_and_report(base):
    manifest = json.loads((base.home / "exports" / "manifest.json").read_text())
    assert {"gridstead.gpkg", "training_regions.parquet", "training.png", "report.md"} <= set(
        manifest["files"]
    )
    assert all((base.home / "exports" / name).stat().st_size > 0 for name in manifest["files"])
    assert "Four square counties" in (base.home / "exports" / "report.md").read_text()


def test_an_equal_run_reuses_every_step_and_ranks_the_same(world, run, base):
    answer = run()
    assert answer.code == 0
    for reused in ("grid layers", "population layers", "fiber layers", "land layers", "layers", "parcels",
                   "metrics", "region shapes", "scores and ranks"):  # fmt: skip
        assert f"{reused}: unchanged, reused" in answer.err
    assert "read," not in answer.err
    assert rankings(world.build) == rankings(base.build)
    first, second = (
        rows(build, "select run_id from meta.run") for build in (base.build, world.build)
    )
    assert first != second
    assert len(list((world.home / "builds").glob("*.duckdb"))) == 2


@pytest.mark.slow
def test_a_build_made_anew_ranks_the_same(world, run, base):
    """Nothing of the first run is there, so everything is measured and ranked once more."""
    for path in [*(world.home / "work").iterdir(), world.build]:
        path.unlink()
    answer = run()
    assert answer.code == 0
    assert "reused" not in answer.err
    assert rankings(world.build) == rankings(base.build)


def test_changed_weights_score_again_and_measure_nothing(world, run, base):
    write_profile(world.study.parent / "mine.yaml", swap=True)
    workloads = yaml.safe_load(world.study.read_text())["workloads"]
    tiny.edit(world.study, {"workloads": [workloads[0] | {"profile": "mine.yaml"}, workloads[1]]})
    answer = run()
    assert answer.code == 0
    assert "metrics: unchanged, reused" in answer.err
    assert "region shapes: unchanged, reused" in answer.err
    assert "scores and ranks: unchanged" not in answer.err
    scores = (
        "select parcel_id, score from mart.parcel_score where workload = '{}' order by parcel_id"
    )
    assert rows(world.build, scores.format("training")) != rows(
        base.build, scores.format("training")
    )
    assert rows(world.build, scores.format("inference")) == rows(
        base.build, scores.format("inference")
    )


def test_a_changed_source_stages_its_theme_again_and_no_other(world, run, base):
    grid = world.study.parent / "files" / "grid.zip"
    tiny.rewrite_member(
        grid, "plant.csv", tiny.read_member(grid, "plant.csv").replace("1500.0", "2500.0")
    )
    tiny.lock(world.study.parent)
    answer = run()
    assert answer.code == 0
    assert "grid layers: unchanged" not in answer.err
    assert "tamu_plant: 5 read, 5 loaded" in answer.err
    for theme in ("population", "fiber", "land"):
        assert f"{theme} layers: unchanged, reused" in answer.err
    # A plant moves no parcel.
    assert "parcels: unchanged, reused" in answer.err
    firm = "select max(firm_generation_50mi_mw) from core.parcel_metric"
    assert rows(world.build, firm)[0][0] == rows(base.build, firm)[0][0] + 1000


def test_only_stages_one_theme_and_publishes_nothing(world, run):
    answer = run("--only", "grid", "--json")
    assert answer.code == 0
    assert Path(answer.json["path"]).name.startswith("stage-grid-")
    assert len(list((world.home / "builds").glob("*.duckdb"))) == 1


@pytest.mark.slow
def test_keeps_as_many_builds_as_asked_and_what_they_share(world, run):
    published = []
    for keep in (5, 2, 2):
        assert run("--keep-builds", keep).code == 0
        published += rows(world.build, "select run_id from meta.run")[0]
    kept = sorted(path.stem for path in (world.home / "builds").glob("*.duckdb"))
    assert kept == published[-2:]
    newest = world.home / "builds" / f"{kept[-1]}.duckdb"
    assert newest.stat().st_ino == world.build.stat().st_ino


def write_profile(path: Path, *, swap: bool = False, **change: object) -> None:
    """Our training profile, with the first two weights swapped or other keys replaced."""
    from data.workload import WORKLOADS_DIR

    profile = yaml.safe_load((WORKLOADS_DIR / "training.yaml").read_text())
    if swap:
        one, two = profile["factors"][:2]
        one["weight"], two["weight"] = two["weight"], one["weight"]
    path.write_text(yaml.safe_dump(profile | change))

"""What operations ask of a home: runs, doctor, restore, and a cap on its size."""

import json
import os
import shutil
import time
from types import SimpleNamespace

import pytest

from data import store
from flows import doctor, home_lock, housekeeping, journal, retention
from flows.home import Home
from tests.flows.conftest import rows, write_to

EARLIER, FAILED, KILLED = "20200101T021500000-1", "20200102T021500000-1", "20200103T021500000-1"


@pytest.fixture
def older(world):
    """A home with a build of an earlier run beside the published one."""
    path = world.home / "builds" / f"{EARLIER}.duckdb"
    shutil.copyfile(world.build, path)
    write_to(path, f"update meta.run set run_id = '{EARLIER}', inputs_sha256 = 'other'")
    (run_id,) = rows(world.build, "select run_id from meta.run")[0]
    return SimpleNamespace(home=world.home, build=world.build, path=path, newest=run_id)


def published(home):
    return rows(home / "gridstead.duckdb", "select run_id from meta.run")[0][0]


# ---- Runs ------------------------------------------------------------------------------------------


def test_failed_and_killed_runs_are_listed_with_why(gridstead, older):
    logs = older.home / "logs"
    shutil.copyfile(logs / f"{older.newest}.jsonl", logs / "20200104T021500000-1.jsonl")
    began = json.dumps({"ts": "2020-01-02T02:15:00+00:00", "message": "began", "study": "tiny"})
    end = json.dumps({"message": "The server is gone.", "outcome": journal.FAILED})
    (logs / f"{FAILED}.jsonl").write_text(f"{began}\n{end}\n")
    (logs / f"{KILLED}.jsonl").write_text(f"{began}\n")
    write_to(older.path, "update meta.source set is_stale = true where source_id = 'tamu_grid'")
    listed = gridstead("runs", "--home", older.home, "--json").json
    # A run whose build was removed since is no news.
    assert [row["run_id"] for row in listed] == [older.newest, KILLED, FAILED, EARLIER]
    assert [row["outcome"] for row in listed] == ["published", "killed", "failed", "published"]
    assert [row["is_published"] for row in listed] == [True, False, False, False]
    assert (listed[2]["note"], listed[2]["study"]) == ("The server is gone.", "tiny")
    assert (listed[0]["stale"], listed[3]["stale"]) == ([], ["tamu_grid"])
    shown = gridstead("runs", "--home", older.home).out
    assert f"{FAILED}: The server is gone." in shown


# ---- Restore ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "word",
    ["previous", *(pytest.param(word, marks=pytest.mark.slow) for word in (EARLIER, EARLIER[:6]))],
)
def test_a_kept_build_is_published_again(gridstead, older, word):
    (older.home / "exports" / "manifest.json").write_text('{"inputs_sha256": "mine"}')
    with store.open_build(older.build) as reader:
        answer = gridstead("restore", word, "--home", older.home, "--json")
        assert answer.code == 0, answer.err
        # Whoever reads keeps what they opened.
        assert reader.sql("select run_id from meta.run").fetchall() == [(older.newest,)]
    assert answer.json["before_run_id"] == older.newest
    assert answer.json["is_exported"] is False
    assert published(older.home) == EARLIER
    assert older.build.samefile(older.path)
    assert gridstead("restore", older.newest, "--home", older.home).code == 0
    assert published(older.home) == older.newest


@pytest.mark.slow
def test_exports_of_another_run_are_said(gridstead, older):
    (older.home / "exports" / "manifest.json").write_text('{"inputs_sha256": "mine"}')
    said = gridstead("restore", "previous", "--home", older.home).out
    assert "are of another run" in said
    assert "--export" in said


@pytest.mark.slow
@pytest.mark.parametrize(
    ("word", "code", "said"),
    [
        ("1999", 2, "No build of run '1999' is kept."),
        ("2", 2, "2 kept builds begin with '2'."),
        ("", 2, "No build of run '' is kept."),
    ],
)
def test_a_build_that_is_not_meant_is_refused(gridstead, older, word, code, said):
    answer = gridstead("restore", word, "--home", older.home)
    assert answer.code == code
    assert said in answer.err
    assert EARLIER in answer.err
    assert published(older.home) == older.newest


@pytest.mark.slow
def test_there_is_none_before_the_first(gridstead, older):
    assert gridstead("restore", "previous", "--home", older.home).code == 0
    answer = gridstead("restore", "previous", "--home", older.home)
    assert (answer.code, "No build before" in answer.err) == (2, True)


def spoil_header(path):
    path.write_bytes(b"\0" * 5000)


def spoil_middle(path):
    """Blocks that opening does not read."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(size // 3)
        file.write(b"\0" * (size // 3))


def fail_check(path):
    write_to(path, "update mart.parcel_score set score_low = 700")


SLOW = pytest.mark.slow
SPOILED = [
    pytest.param(spoil_header, marks=SLOW),
    pytest.param(spoil_middle, marks=SLOW),
    fail_check,
]


@pytest.mark.parametrize("spoil", SPOILED)
def test_a_damaged_build_is_not_restored(gridstead, older, spoil):
    spoil(older.path)
    before = older.build.stat().st_ino
    answer = gridstead("restore", EARLIER, "--home", older.home)
    assert answer.code == 1
    assert len(answer.err.splitlines()) == 2
    assert older.build.stat().st_ino == before
    assert published(older.home) == older.newest


@pytest.mark.slow
def test_the_next_run_publishes_again_as_ever(gridstead, older, world, run):
    assert gridstead("restore", "previous", "--home", older.home).code == 0
    assert run("--keep-builds", 1).code == 0
    assert published(older.home) > older.newest
    assert gridstead("doctor", "--home", older.home).code == 0


@pytest.mark.slow
def test_a_clock_that_was_put_back_loses_nothing(gridstead, older, run):
    """The last run was next century by its clock; what is run now is the newest all the same."""
    ahead = "20990101T021500000-1"
    older.path.rename(older.path.with_stem(ahead))
    future = time.time() + 80_000
    for path in (older.home / "work").iterdir():
        os.utime(path, (future, future))
    answer = run("--keep-builds", 1)
    assert answer.code == 0
    assert "The clock is behind the last run's" in answer.err
    assert "metrics: unchanged, reused" in answer.err
    now = published(older.home)
    assert now > ahead
    assert [path.stem for path in (older.home / "builds").glob("*.duckdb")] == [now]
    assert all(path.stat().st_mtime < future for path in (older.home / "work").iterdir())
    # Nothing that the run has just used was taken for old.
    assert "metrics: unchanged, reused" in run().err
    listed = gridstead("runs", "--home", older.home, "--json").json
    assert listed[0]["run_id"] > now


# ---- Doctor ----------------------------------------------------------------------------------------


@pytest.fixture
def examine(gridstead, older):
    def ask(*words):
        answer = gridstead("doctor", "--home", older.home, "--json", *words)
        found = {row["check"]: row for row in answer.json["checks"]}
        return answer.code, found, answer.json

    return ask


def test_a_home_that_is_well_has_no_error(examine):
    code, found, told = examine("--deep")
    assert code == 0
    assert {row["status"] for row in found.values()} <= {"ok", "warn"}
    assert {source["source_id"] for source in told["sources"]} > {
        "tamu_grid",
        "census_boundary_2016",
    }
    assert "no notification" not in found["notify"]["found"]


def test_a_home_that_is_not_there_yet_is_no_error(gridstead, tmp_path):
    answer = gridstead("doctor", "--home", tmp_path / "new")
    assert answer.code == 0
    assert "There is no build yet." in answer.out
    assert not (tmp_path / "new").exists()


def test_a_damaged_object_of_the_cache_is_found(examine, older):
    folder = older.home / "cache" / "objects" / "ab" / ("ab" + "0" * 62)
    folder.mkdir(parents=True)
    (folder / "grid.zip").write_bytes(b"not what it was")
    code, found, _ = examine()
    assert (code, found["cache"]["status"]) == (1, "error")
    assert "grid.zip" in found["cache"]["found"]


@pytest.mark.slow
def test_a_damaged_build_is_found(examine, older):
    spoil_header(older.build)
    code, found, told = examine()
    assert (code, found["build"]["status"]) == (1, "error")
    assert "gridstead restore" in found["build"]["hint"]
    assert told["sources"] == []


def test_what_a_killed_run_left_is_told_and_left_alone(examine, older):
    holder = {"pid": 4711, "host": "here", "user": "ops", "began_at": "2020-01-01T02:15:00+00:00", "command": "run", "study": "tiny"}  # fmt: skip
    (older.home / home_lock.LOCK_NAME).write_text(json.dumps(holder))
    half = older.home / "work" / "a.duckdb.tmp"
    half.touch()
    (older.home / "cache" / "partial" / "tamu_grid").mkdir(parents=True)
    _, found, _ = examine()
    for check in ("lock", "leftovers", "downloads"):
        assert found[check]["status"] == "warn"
    assert "process 4711 of ops" in found["lock"]["found"]
    assert half.exists()


@pytest.mark.slow
def test_a_run_that_goes_on_is_told(examine, older):
    with housekeeping.alone(Home.at(older.home), "run", "tiny"):
        _, found, _ = examine()
    assert found["lock"]["status"] == "warn"
    assert found["lock"]["found"].startswith("A run goes on: process ")


@pytest.mark.slow
def test_a_last_run_that_is_old_failed_or_of_the_future_is_told(examine, older):
    write_to(older.build, "update meta.run set finished_at = now()::timestamp - interval 40 hour")
    code, found, _ = examine()
    assert (code, found["last run"]["status"]) == (0, "warn")
    code, found, _ = examine("--max-age", "30")
    assert (code, found["last run"]["status"]) == (1, "error")
    write_to(older.build, "update meta.run set finished_at = now()::timestamp + interval 5 hour")
    (older.home / "logs" / "20990101T000000000-1.jsonl").write_text(
        json.dumps({"message": "The server is gone.", "outcome": "failed"})
    )
    _, found, _ = examine()
    assert "in the future" in found["last run"]["found"]
    assert found["clock"]["status"] == "warn"
    assert "The server is gone." in found["last try"]["found"]


@pytest.mark.slow
def test_stale_sources_are_told_with_their_age(examine, older):
    write_to(
        older.build,
        "update meta.source set is_stale = true, fetched_at = now()::timestamp - interval 9 day "
        "where source_id = 'tamu_grid'",
    )
    _, found, told = examine()
    assert found["sources"]["status"] == "warn"
    assert "tamu_grid (its copy was fetched 9 days ago" in found["sources"]["found"]
    (grid,) = [row for row in told["sources"] if row["source_id"] == "tamu_grid"]
    assert (grid["is_stale"], grid["fetched"]) == (True, "9 days ago")


@pytest.mark.slow
def test_what_the_environment_names_is_asked(examine, monkeypatch, tmp_path):
    monkeypatch.setenv("GRIDSTEAD_MIRROR", str(tmp_path / "none"))
    monkeypatch.setenv("PREFECT_API_URL", "http://ops:s3cr3t@127.0.0.1:9/api")
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    code, found, told = examine()
    assert code == 1
    for check in ("mirror", "prefect", "disk"):
        assert found[check]["status"] == "error"
        assert found[check]["hint"]
    assert "s3cr3t" not in json.dumps(told)
    assert examine("--notify")[1]["notify"]["status"] == "error"


# ---- Size ------------------------------------------------------------------------------------------


@pytest.fixture
def full(tmp_path):
    """A home with something of each kind, 1 MB a file, the oldest first."""
    home = Home.at(tmp_path / "full").make()
    kept = "aa" + "0" * 62
    for number, sha256 in enumerate((kept, "ab" + "0" * 62, "ac" + "0" * 62)):
        put(home.cache / "objects" / sha256[:2] / sha256 / "a.zip", number)
    (home.cache / "index").mkdir()
    (home.cache / "index" / "ours.json").write_text(json.dumps({"sha256": kept, "bytes": 10**6}))
    for number in range(3):
        put(home.work / f"parcel-{number:016x}.parquet", 10 + number)
        put(home.builds / f"2020010{number + 1}T000000000-1.duckdb", number)
    home.build.hardlink_to(home.builds / "20200101T000000000-1.duckdb")
    put(home.exports / "training.png", 0)
    put(home.logs / "20200101T000000000-1.jsonl", 0)
    return home


def put(path, moment):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\0" * 10**6)
    os.utime(path, (moment, moment))


def left(home):
    return sorted(
        str(path.relative_to(home.root)) for path in home.root.rglob("*") if path.is_file()
    )


def test_what_costs_least_to_have_again_goes_first(full):
    before = left(full)
    found, size = retention.over(full, 0.0095)
    assert size <= 9_500_000
    assert [item.what for item in found] == ["cache object", "cache object"]
    assert {path.name[:2] for item in found for path in item.paths} == {"ab", "ac"}
    found, size = retention.over(full, 0.0001)
    assert [item.what for item in found] == [
        *["cache object"] * 2, *["parcel result"] * 2, *["build"] * 2, "parcel result",
    ]  # fmt: skip
    assert left(full) == before
    # Published build, last good copy, export, log; and the index.
    assert size == pytest.approx(4e6, abs=1000)


def test_the_oldest_result_goes_before_the_newer(full):
    found, _ = retention.over(full, 0.0085)
    assert [item.paths[0].name for item in found[2:]] == [f"parcel-{0:016x}.parquet"]


def test_a_dry_run_removes_nothing_and_a_real_one_what_it_said(gridstead, full):
    before = left(full)
    words = ("prune", "--max-gb", "0.005", "--home", full.root)
    told = gridstead(*words, "--dry-run", "--json").json
    assert left(full) == [home_lock.LOCK_NAME, *before]
    assert gridstead(*words, "--json").json == told
    gone = set(before) - set(left(full))
    assert {row["path"].partition("/")[0] for row in told} == {"cache", "work", "builds"} & {
        path.partition("/")[0] for path in gone
    }
    assert len(gone) == sum(row["files"] for row in told)
    assert full.build.is_file()


def test_what_cannot_be_kept_under_a_size_is_said(gridstead, full):
    answer = gridstead("prune", "--max-gb", "0.001", "--home", full.root)
    assert answer.code == 0
    assert "still holds 0.0 GB, more than 0.001 GB" in answer.out
    assert "exports/training.png" in left(full)


def test_old_logs_go_by_the_order_of_runs(full):
    for number in range(housekeeping.KEEP_LOGS + 3):
        (full.logs / f"20200102T{number:09d}-1.jsonl").touch()
    housekeeping.prune(full, 5)
    kept = sorted(path.name for path in full.logs.iterdir())
    assert len(kept) == housekeeping.KEEP_LOGS
    assert kept[-1] == f"20200102T{housekeeping.KEEP_LOGS + 2:09d}-1.jsonl"


@pytest.mark.parametrize(
    ("words", "said"),
    [(["--max-gb", "0"], "leaves no room"), (["--keep-builds", "0"], "keeps no build")],
)
def test_a_number_that_keeps_nothing_is_refused(gridstead, full, words, said):
    answer = gridstead("prune", *words, "--home", full.root)
    assert (answer.code, said in answer.err) == (2, True)


@pytest.mark.slow
def test_a_run_brings_its_home_under_a_size(world, run):
    stray = world.home / "cache" / "objects" / "ab" / ("ab" + "0" * 62) / "a.zip"
    put(stray, time.time())
    assert run("--max-gb", "1000").code == 0
    assert stray.exists()
    answer = run("--max-gb", "0.001")
    assert answer.code == 0
    assert not stray.exists()
    assert "still holds" in answer.err
    assert list((world.home / "builds").glob("*.duckdb")) == [
        path for path in (world.home / "builds").iterdir() if path.samefile(world.build)
    ]
    assert run().code == 0

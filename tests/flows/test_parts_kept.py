"""Parts stay as long as a build that names them, and the doctor looks whether they are there."""

import os

import pytest

from data import store
from flows import housekeeping, retention
from flows.doctor import doctor
from flows.home import Home


@pytest.fixture
def home(tmp_path):
    return Home.at(tmp_path / "home").make()


def folder(home, kind, number, at):
    """A folder of parts with a file in it, last written at a moment."""
    path = home.parts / f"{kind}-{number:016x}"
    path.mkdir(parents=True)
    (path / "a-0000.parquet").write_bytes(b"x" * 1000)
    os.utime(path, (at, at))
    return path


def build(home, name, folders):
    """A kept build that names folders."""
    path = home.builds / f"{name}.duckdb"
    with store.create(path) as con:
        store.run_file(con, "meta/schema")
        store.run_file(con, "meta/run")
        store.run_file(con, "meta/profile")
        con.execute("insert into meta.run (run_id, study) values ($1, 'tiny')", [name])
        for each in folders:
            told = (
                "insert into meta.parts (part_kind, folder, view_name) values ('parcel', $1, 'v')"
            )
            con.execute(told, [str(each)])
    return path


def gone(home, keep):
    return {path for _, paths, _ in housekeeping.outdated(home, keep) for path in paths}


def test_parts_go_with_the_last_build_that_names_them(home):
    first, both, second, dead, newest = (folder(home, "parcel", n, 1000 + n) for n in range(5))
    old = build(home, "20240101T000000000", [first, both])
    new = build(home, "20240102T000000000", [both, second])
    home.build.hardlink_to(new)
    assert gone(home, keep=5) == {dead}
    assert gone(home, keep=1) == {old, first, dead}
    housekeeping.prune(home, keep=1)
    assert sorted(home.parts.iterdir()) == [both, second, newest]


def test_parts_of_the_published_build_stay_whatever_the_cap(home):
    first, both, second = (folder(home, "score", n, 1000 + n) for n in range(3))
    old = build(home, "20240101T000000000", [first, both])
    new = build(home, "20240102T000000000", [both, second])
    home.build.hardlink_to(new)
    found, _ = retention.over(home, 1e-9)
    assert [item.paths for item in found] == [(old, first)]


def test_parts_elsewhere_are_not_the_homes(home, tmp_path):
    shared = tmp_path / "shared" / f"parcel-{1:016x}"
    shared.mkdir(parents=True)
    old = build(home, "20240101T000000000", [shared])
    home.build.hardlink_to(build(home, "20240102T000000000", []))
    assert gone(home, keep=1) == {old}
    found, _ = retention.over(home, 1e-9)
    assert [item.paths for item in found] == [(old,)]


def test_what_was_left_half_written_goes(home):
    part = folder(home, "metric", 1, 1000) / "a-0001.parquet.1f2e3d4c.part"
    part.write_bytes(b"half")
    spill = home.work / "spill-8a_x"
    spill.mkdir()
    (spill / "sorted.tmp").write_bytes(b"half")
    assert housekeeping.sweep(home) == [part, spill]
    assert not part.exists()
    assert not spill.exists()


def test_the_doctor_looks_for_parts(home):
    parts = folder(home, "parcel", 1, 1000)
    named = build(home, "20240101T000000000", [parts])
    with store.create(named) as con:
        con.execute(
            "insert into meta.partition (piece) values ('a-0000');"
            "update meta.run set finished_at = now()::timestamp, parcel_count = 9, kept_count = 4"
        )
    home.build.hardlink_to(named)

    def told():
        checks = {row["check"]: row for row in doctor(home).payload["checks"]}
        return checks["build"]["found"], checks["parts"]["status"], checks["parts"]["found"]

    about, status, found = told()
    assert "9 parcels (4 of them in full)" in about
    assert (status, found) == ("ok", "1 files of 1 folders are there.")
    (parts / "a-0000.parquet").unlink()
    _, status, found = told()
    assert status == "error"
    assert "1 of 1 files are gone" in found

"""Readers keep reading while builds are published one after the other, and each sees one build."""

import subprocess
import sys
from pathlib import Path

import pytest

from data import store
from flows import publishing
from flows.home import Home

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
BUILDS = 20
ROWS = 20_000
# Opens the build again and again, holds one connection all the time, and says what it saw of each: the run, and
# the run that every row of the ranks was made by.
READER = """
import sys, threading
from pathlib import Path
from data import store

build, readers = Path(sys.argv[1]), int(sys.argv[2])
QUERY = '''
    select run_id, (select count(*) from mart.rank), (select min(made_by) from mart.rank),
        (select max(made_by) from mart.rank), (select sum(rank) from mart.rank)
    from meta.run
'''
done = threading.Event()
faults, seen = [], set()

def check(con):
    ((run_id, count, first, last, total),) = con.execute(QUERY).fetchall()
    if not (run_id == first == last and total == count * (count + 1) // 2):
        faults.append((run_id, count, first, last, total))
    return run_id

def read():
    try:
        while not done.is_set():
            with store.open_build(build) as con:
                seen.add(check(con))
                seen.add(check(con))
    except Exception as error:
        faults.append(repr(error))

held = store.open_build(build) if sys.argv[3] == "hold" else None
first = check(held) if held else None
threads = [threading.Thread(target=read) for _ in range(readers)]
for thread in threads:
    thread.start()
print("reading", flush=True)
sys.stdin.readline()
done.set()
for thread in threads:
    thread.join()
if held and check(held) != first:
    faults.append("the build that was held has changed")
print(len(seen), faults, flush=True)
"""


def make(home: Home, number: int) -> None:
    """Publish a build the way a run does; all its rows say which run made them."""
    run_id = f"20260101T{number:09d}-1"
    temporary = home.builds / f"{run_id}.duckdb.tmp"
    con = store.create(temporary)
    con.execute("create schema meta")
    con.execute("create schema mart")
    con.execute("create table meta.run as select $id as run_id", {"id": run_id})
    con.execute(
        "create table mart.rank as select range + 1 as rank, $id as made_by from range($n)",
        {"id": run_id, "n": ROWS + number},
    )
    store.seal(con, temporary)
    publishing._put_in_place(temporary, home, run_id)


def test_readers_see_whole_builds_while_twenty_are_published(tmp_path):
    home = Home.at(tmp_path / "home").make()
    make(home, 0)
    kinds = [("1", "hold"), ("4", "hold"), ("1", "reopen"), ("4", "reopen")]
    readers = [
        subprocess.Popen(
            [sys.executable, "-c", READER, str(home.build), *kind],
            cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )
        for kind in kinds
    ]  # fmt: skip
    for reader in readers:
        assert reader.stdout.readline() == "reading\n"
    for number in range(1, BUILDS + 1):
        make(home, number)
        for old in sorted(home.builds.glob("*.duckdb"))[:-2]:
            old.unlink()
    said = [reader.communicate("stop\n", timeout=60)[0].split(maxsplit=1) for reader in readers]
    assert [faults.strip() for _, faults in said] == ["[]"] * len(kinds)
    # Who opens anew sees new builds; threads beside a connection that is held share its build.
    assert int(said[2][0]) > 2
    with store.open_build(home.build) as con:
        assert con.execute("from meta.run").fetchall() == [(f"20260101T{BUILDS:09d}-1",)]

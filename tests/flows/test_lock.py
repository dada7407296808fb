"""The lock of a home, run ids and ages by a clock that may be put back."""

import errno
import fcntl
import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from data.errors import BuildError
from flows import clock, home_lock, housekeeping
from flows.home import Home

NOW = datetime(2026, 3, 1, 2, 30, tzinfo=UTC)
DIES = """
import os, sys
from pathlib import Path
from flows.home_lock import hold
with hold(Path(sys.argv[1]), "run", "tiny"):
    os.kill(os.getpid(), 9)
"""


@pytest.fixture
def home(tmp_path):
    return Home.at(tmp_path).make()


def write_lock(home, **change):
    record = {"pid": 4711, "host": "far", "user": "ops", "began_at": "2026-03-01T02:15:04+00:00",
              "command": "run", "study": "tiny"}  # fmt: skip
    (home.root / home_lock.LOCK_NAME).write_text(json.dumps(record | change))


def test_the_second_run_is_told_who_writes_of_what_and_since_when(home):
    with (
        housekeeping.alone(home, "run", "tiny"),
        pytest.raises(BuildError) as refused,
        housekeeping.alone(home, "run", "other"),
    ):
        pass
    said = refused.value.message
    assert said.startswith(f"Another run (process {os.getpid()} of ")
    assert ", of study tiny, began " in said
    assert f"ago) writes to {home.root}." in said
    assert home_lock.holder_of(home.root) == (None, False)


def test_a_run_that_was_killed_is_told_and_cleared(home, caplog):
    with subprocess.Popen([sys.executable, "-c", DIES, home.root]) as process:
        pass
    assert home_lock.holder_of(home.root)[0].pid == process.pid
    half = home.builds / "1.duckdb.tmp"
    half.touch()
    with housekeeping.alone(home) as killed:
        assert f"(process {process.pid} of " in killed
        assert killed.endswith("was killed; what it left half written is removed.")
        assert not half.exists()
    with housekeeping.alone(home) as killed:
        assert killed is None


def test_who_asks_for_the_holder_changes_nothing_and_keeps_no_run_out(home):
    with housekeeping.alone(home, "restore"):
        holder, is_held = home_lock.holder_of(home.root)
        assert (holder.pid, holder.command, is_held) == (os.getpid(), "restore", True)
        assert "gridstead restore, began" in holder.told(datetime.now(UTC))
    asked = home_lock.holder_of(home.root)
    assert asked == (None, False)


def test_a_holder_of_an_earlier_version_is_no_holder(home):
    (home.root / home_lock.LOCK_NAME).write_text("4711\n")
    with housekeeping.alone(home) as killed:
        assert killed is None


def test_a_lock_of_another_machine_that_is_old_says_what_to_look_at(home):
    write_lock(home)
    with (home.root / home_lock.LOCK_NAME).open("r") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        with pytest.raises(BuildError) as refused, housekeeping.alone(home):
            pass
    assert "process 4711 of ops on far, of study tiny, began 2026-03-01" in refused.value.message
    assert "look on far" in refused.value.hint
    assert str(home.root / home_lock.LOCK_NAME) in refused.value.hint


def test_a_file_system_without_locks_is_said(home, monkeypatch):
    def refuse(*_args):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(BuildError, match="file system without locks"), housekeeping.alone(home):
        pass


# ---- Clock -----------------------------------------------------------------------------------------


def test_a_run_id_comes_after_all_that_the_home_knows():
    ahead = clock.new_run_id(NOW + timedelta(days=3))
    later = clock.new_run_id(NOW, [ahead, "notes", "99999999T999999999-1"])
    assert later > ahead
    assert clock.moment_of(later) - clock.moment_of(ahead) == timedelta(milliseconds=1)
    assert clock.is_behind(NOW, [ahead])
    assert not clock.is_behind(NOW + timedelta(days=4), [ahead])
    assert clock.new_run_id(NOW, []) == f"20260301T023000000-{os.getpid()}"
    # A run within the same millisecond is no clock that was put back.
    same = clock.new_run_id(NOW)
    assert clock.new_run_id(NOW, [same]) > same
    assert not clock.is_behind(NOW, [same])


def test_the_end_of_all_years_stops_no_run():
    assert clock.new_run_id(NOW, ["99991231T235959999-1"]) < "2027"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 seconds ago"), (1, "1 second ago"), (75, "1 minute ago"), (14 * 60 + 3, "14 minutes ago"),
        (3 * 3600, "3 hours ago"), (49 * 3600, "2 days ago"), (-0.4, "0 seconds ago"),
        (-7200, "2 hours in the future"),
    ],
)  # fmt: skip
def test_ages(seconds, said):
    assert clock.age(NOW - timedelta(seconds=seconds), NOW) == said


def test_results_used_in_the_future_keep_their_order_and_come_before_those_of_this_run(home):
    """The clock was put back by a day: yesterday's results must not push out today's."""
    now = datetime.now(UTC).timestamp()
    for number, moment in enumerate((now - 3600, now + 3600, now + 80_000)):
        path = home.work / f"parcel-{number:016x}.parquet"
        path.touch()
        os.utime(path, (moment, moment))
    with housekeeping.alone(home):
        used = home.work / f"parcel-{9:016x}.parquet"
        used.touch()
        housekeeping.prune(home, 3)
    kept = sorted(home.work.iterdir(), key=lambda path: path.stat().st_mtime)
    assert [path.name[-9] for path in kept] == ["1", "2", "9"]


def test_the_published_build_is_kept_however_old_its_name_is(home):
    names = [f"2026030{day}T020000000-1" for day in range(1, 6)]
    for name in names:
        (home.builds / f"{name}.duckdb").write_text(name)
    home.build.hardlink_to(home.builds / f"{names[0]}.duckdb")
    housekeeping.prune(home, 2)
    kept = sorted(path.stem for path in home.builds.iterdir())
    assert kept == [names[0], *names[3:]]
    assert home.run_ids() == set(kept)


# ---- The server of a run ---------------------------------------------------------------------------

PARENT = """
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-m", "flows.watched", str(os.getpid()), "http.server", "0"])
print(child.pid, flush=True)
time.sleep(60)
"""


@pytest.mark.slow
def test_what_a_killed_run_started_ends(tmp_path):
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], cwd=root, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as parent:  # fmt: skip
        child = int(parent.stdout.readline())
        os.kill(child, 0)
        parent.kill()
    assert ended(child, 20)


def ended(pid, seconds):
    """Whether a process that is not ours ends in time; a zombie that nobody reaps has ended."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            if "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text():
                return True
        except FileNotFoundError:
            return True
        time.sleep(0.1)
    return False

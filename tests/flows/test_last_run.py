"""A source that changes between two runs: what is declared an error keeps the last build, the rest is told."""

import csv
import io
import zipfile

import pytest
import yaml

from tests.flows import tiny
from tests.flows.conftest import rows
from tests.upstream.server import Response, Upstream

pytestmark = pytest.mark.slow


@pytest.fixture
def upstream():
    with Upstream() as server:
        yield server


@pytest.fixture
def grid(world, upstream):
    """The grid of the tiny study, from the network: a function that changes one member of it."""
    path = world.study.parent / "files" / "grid.zip"
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name).decode() for name in archive.namelist()}
    catalogue = world.study.parent / "own.yaml"
    content = yaml.safe_load(catalogue.read_text())
    (source,) = [one for one in content["sources"] if one["id"] == "tamu_grid"]
    source["access"] = {"kind": "http", "url": upstream.url("/grid.zip")}
    source["tables"]["tamu_bus"]["expect"] = [{"column": "Pd", "type": "number"}]
    source["tables"]["tamu_branch"]["expect"] = [{"column": "branch_device_type", "has": ["Line"]}]
    catalogue.write_text(yaml.safe_dump(content, sort_keys=False))
    lock = world.study.parent / "own.lock"
    pinned = yaml.safe_load(lock.read_text())
    del pinned["sources"]["tamu_grid"]
    lock.write_text(yaml.safe_dump(pinned))

    def publish(member=None, change=None):
        now = dict(members)
        if member:
            table = list(csv.DictReader(io.StringIO(now[member])))
            now[member] = _text(change(table))
        tiny._zip(path, now)
        upstream.routes["/grid.zip"] = Response(path.read_bytes())

    publish("sub.csv", _noted)
    return publish


def _text(table):
    text = io.StringIO()
    writer = csv.DictWriter(text, list(table[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(table)
    return text.getvalue()


def _noted(table):
    """With two columns that nobody needs."""
    return [row | {"note": "", "built": 1990 + number % 30} for number, row in enumerate(table)]


def _owned(table):
    return [{**row, "built": f"in {row['built']}", "owner": "x"} for row in _noted(table)]


def _swapped(table):
    return [row | {"lat": row["lon"], "lon": row["lat"]} for row in _noted(table)]


def _renamed(table):
    return [{("latitude" if key == "lat" else key): row[key] for key in row} for row in table]


def found(world):
    """What the published build says was found of its sources."""
    told = rows(
        world.build,
        "select check_name, severity, examples[1] from meta.check_result where offending_count > 0",
    )
    return {name: (severity, example) for name, severity, example in told}


def test_what_a_source_changes_is_told_or_stops_the_run(world, run, grid):
    assert run().code == 0
    assert "tamu_sub new columns" in found(world)  # Of the run before, without the two.

    grid(
        "sub.csv",
        lambda table: [{k: v for k, v in row.items() if k != "note"} for row in _owned(table)],
    )
    answer = run()
    assert answer.code == 0
    told = found(world)
    assert told["tamu_sub new columns"] == ("info", "owner")
    assert told["tamu_sub columns gone"] == ("warn", "note")
    assert told["tamu_sub columns retyped"] == ("warn", "built: text (100% numbers), now text (0%)")
    assert (
        "check tamu_sub columns gone (warn): 1 rows: table tamu_sub of source tamu_grid"
        in answer.err
    )

    before = world.build.stat().st_ino, world.build.read_bytes()
    for member, change, said in (
        ("sub.csv", _renamed, "sub.csv has no column 'lat'."),
        ("sub.csv", lambda table: _noted(table)[::2], "Check tamu_sub fell_by_at_most found 29 rows"),
        ("sub.csv", _swapped, "tamu_sub points swapped found"),
        ("bus.csv", lambda t: [row | {"Pd": f"{row['Pd']} MW"} for row in t], "Check tamu_bus.Pd type found"),
        ("branch.csv", lambda t: [row | {"branch_device_type": "AC"} for row in t], "tamu_branch.branch_device_type has"),
    ):  # fmt: skip
        grid(member, change)
        answer = run()
        assert answer.code == 1, said
        assert said in answer.err
        assert (world.build.stat().st_ino, world.build.read_bytes()) == before

    grid("branch.csv", lambda table: table[:2])
    answer = run()
    assert answer.code == 1
    assert "If the change is right, run again with --accept-changes." in answer.err
    assert run("--accept-changes").code == 0
    assert found(world)["tamu_branch fell_by_at_most"] == ("warn", "had 12, has 2")

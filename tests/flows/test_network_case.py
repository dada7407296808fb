"""A run on the user's own network case, and with what utilities state, from the command line to the build."""

import pytest

from tests.data.cases import ODD, SMALL, SMALL_POINTS
from tests.flows.conftest import rows


@pytest.fixture
def small(tmp_path):
    (tmp_path / "small.m").write_text(SMALL)
    (tmp_path / "points.csv").write_text(SMALL_POINTS)
    return tmp_path / "small.m", tmp_path / "points.csv"


@pytest.mark.slow
def test_the_case_takes_the_place_of_the_grid_and_the_people_stay(world, run, base, small):
    case, points = small
    answer = run("--network", case, "--network-points", points)
    assert answer.code == 0, answer.err
    found = rows(
        world.build,
        "select substation_id, substation_name, kv_max, load_mw, source_id from core.substation order by 1",
    )
    assert found == [
        ("case-ASHBURN", "ASHBURN", 230, 80, "network_case"),
        ("case-BETHESDA", "BETHESDA", 230, 80, "network_case"),
        ("case-bus-5", None, 115, 40, "network_case"),
    ]
    counts = "select count(*) from core.{}"
    for layer, count in (("bus", 6), ("branch", 8), ("line", 5), ("plant", 2), ("dc_tie", 0)):
        assert rows(world.build, counts.format(layer)) == [(count,)], layer
    # People stand where the open study puts them, to the last bit, and zones are its own.
    for layer in ("people", "zone", "zone_point", "county", "lake"):
        query = f"select * from core.{layer} order by all"
        assert rows(world.build, query) == rows(base.build, query), layer

    told = rows(
        world.build,
        "select raw_table, raw_row, reject_code, reason from meta.rejected_row where source_id like 'network%' order by 1",
    )
    assert told == [
        ("case_place", 6, "invalid", "bus 6 has no point: it has no substation"),
        ("case_point", 6, "invalid", "names bus 99, which the case has not"),
    ]
    source = rows(
        world.build,
        "select title, licence, is_synthetic, is_exportable, length(sha256) from meta.source where source_id = 'network_case'",
    )
    assert source == [("Network case small.m", "yours", False, False, 64)]
    assert rows(world.build, "select is_synthetic from meta.run") == [(False,)]
    assert "small.m" in rows(world.build, "select limits[1] from meta.run")[0][0]
    # Of the synthetic grid nothing is read that people and zones do not need.
    read = rows(world.build, "select raw_table from meta.raw_table where source_id = 'tamu_grid' order by 1")  # fmt: skip
    assert [name for (name,) in read] == ["tamu_bus", "tamu_bus2sub", "tamu_sub", "tamu_zone"]
    power = rows(
        world.build, "select substation_id, headroom_mw_mid from mart.substation order by 1"
    )
    # Bus 5 hangs on two lines of 150 MVA, of which one may fail.
    assert 0 < dict(power)["case-bus-5"] <= 150 * 1.2
    assert all(mw > 0 for _, mw in power)


@pytest.mark.slow
def test_an_equal_case_is_reused_and_a_changed_one_is_not(world, run, small):
    case, points = small
    assert run("--network", case, "--network-points", points).code == 0
    again = run("--network", case, "--network-points", points)
    assert again.code == 0
    assert "scores and ranks: unchanged, reused" in again.err
    before = rows(world.build, "select inputs_sha256 from meta.run")
    case.write_text(SMALL.replace("5	1	40	0", "5	1	45	0"))
    assert run("--network", case, "--network-points", points).code == 0
    assert rows(world.build, "select inputs_sha256 from meta.run") != before
    assert rows(
        world.build, "select load_mw from core.substation where substation_id = 'case-bus-5'"
    ) == [(45,)]


@pytest.mark.slow
def test_what_utilities_state_takes_the_place_of_what_is_computed(world, run, small, tmp_path):
    case, points = small
    (tmp_path / "map.csv").write_text(
        "substation_id,lon,lat,kv,mw,as_of,source\n"
        "case-ASHBURN,,,,42,2025-06,Utility map\n"
        ",-77.80,38.71,115,17,2025-06,Utility map\n"
        ",-77.80,38.71,,oops,2025-06,Utility map\n"
    )
    answer = run("--network", case, "--network-points", points, "--capacity", tmp_path / "map.csv")
    assert answer.code == 0, answer.err
    stated = rows(
        world.build,
        "select headroom_mw_low, headroom_mw_mid, headroom_mw_high from mart.substation "
        "where headroom_mw_mid in (42, 17) order by 1",
    )
    assert stated == [(17, 17, 17), (42, 42, 42)]
    assert rows(
        world.build, "select raw_row, reason from meta.rejected_row where raw_table = 'capacity'"
    ) == [(3, "mw 'oops' is not a number: write digits only, no unit")]


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize(
    ("files", "words", "code", "said"),
    [
        ({}, ["--network", "none.m"], 1, "There is no network file"),
        ({"a.m": "hello"}, ["--network", "a.m"], 1, "a.m is no MATPOWER case"),
        ({"a.raw": ""}, ["--network", "a.raw"], 2, "a.raw is no network case that is read."),
        ({"a.m": ODD}, ["--network", "a.m"], 1, "does not say where its buses stand"),
        ({"a.m": SMALL.replace("mpc.branch", "mpc.wires")}, ["--network", "a.m"], 1, "a.m has no branch"),
        ({"a.m": SMALL, "p.csv": "bus_id,lon,lat\nX,-77,39\n"}, ["--network", "a.m", "--network-points", "p.csv"], 1, "p.csv holds the point of no bus of a.m."),
        ({"p.csv": SMALL_POINTS}, ["--network-points", "p.csv"], 2, "no case is given"),
        ({}, ["--capacity", "none.csv"], 1, "There is no capacity file"),
        ({}, ["--capacity"], 2, "--capacity names nothing."),
        ({"map.csv": "substation_id,as_of,source\na,2024,u\n"}, ["--capacity", "map.csv"], 1, "has no column of the MW"),
    ],
)  # fmt: skip
def test_files_that_cannot_be_used_are_refused_in_one_sentence(
    run, tmp_path, monkeypatch, files, words, code, said
):
    monkeypatch.chdir(tmp_path)
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    answer = run(*words)
    assert answer.code == code
    error = " ".join(answer.err[answer.err.index("Error:") :].split())
    assert said in error

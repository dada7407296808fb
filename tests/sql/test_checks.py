import re
from functools import partial

import pytest

from data import build, store
from tests.sql import fiber, world


def metric(change):
    """Spoil metrics of one parcel."""
    return f"update core.parcel_metric set {change} where parcel_id = 'p1'"


# What makes each check find something, in a build in which no check does.
PIECES = "insert into meta.partition with told as (select count(*) as n from core.parcel)"
SPOILS = {
    "confidence_ordered": [
        f"insert into mart.{kind}_confidence by name select * from (values {row}) as drawn "
        "(workload, p_top10, p_top100, p_ranked, rank_p05, rank_p50, rank_p95)"
        for kind in ("parcel", "region")
        for row in (
            "('training', 0.2, 0.1, 1, 1, 2, 3)",
            "('training', 0.1, 0.2, 0.15, 1, 2, 3)",
            "('training', -0.1, 0.2, 1, 1, 2, 3)",
            "('training', 0.1, 0.2, 1.1, 1, 2, 3)",
            "('training', null, 0.2, 1, 1, 2, 3)",
            "('training', 0.1, 0.2, 1, 0, 2, 3)",
            "('training', 0.1, 0.2, 1, 3, 2, 3)",
            "('training', 0.1, 0.2, 1, 1, 4, 3)",
            "('training', 0.1, 0.2, 1, null, 2, 3)",
            "('training', 0.1, 0.2, 1, 1, null, 3)",
        )
    ],
    "cost_known_or_named": [
        "delete from mart.parcel_cost where parcel_id = 'p1'",
        "update mart.parcel_cost set missing = [] where parcel_id = 'p1'",
        *(
            "update mart.parcel_cost set low = 2, mid = 3, high = 4, cost_mw = 1; "
            f"update mart.parcel_cost set {change} where parcel_id = 'p1'"
            for change in (
                "mid = null",
                "mid = null, low = null",
                "low = 3.1",
                "high = 2.9",
                "high = 'inf'",
                "low = 0",
                "high = null",
                "cost_mw = null",
                "cost_mw = 0",
            )
        ),
    ],
    "factor_never_known": ["update core.parcel_metric set carrier_25mi_count = null"],
    "fiber_diverse_known": [
        metric("diverse_node_id = null"),
        metric("diverse_node_mi = null"),
        metric("diverse_node_id = lit_node_id"),
        metric("diverse_node_mi = lit_node_mi - 1"),
        metric("diverse_node_mi = 101"),
        metric("lit_node_mi = 101, diverse_node_mi = null"),
        metric("diverse_node_musd = 0"),
        metric("disjoint_path_count = 1, is_single_homed = true"),
        metric("disjoint_path_count = 3"),
        metric("disjoint_path_count = null, is_single_homed = null"),
        metric("lit_node_id = null"),
        metric("is_single_homed = true"),
        metric("is_single_homed = null"),
        metric("path_basis = 'guess'"),
        metric(
            "disjoint_path_count = 0, is_single_homed = true, diverse_node_id = null, diverse_node_mi = null"
        ),
        "update mart.fiber_node set is_connected = false where node_id = 'n1'",
        "update mart.fiber_node set is_connected = false where node_id = 'n2'",
        "update mart.fiber_node set disjoint_path_count = 0 where node_id = 'n1'",
        "update mart.fiber_node set disjoint_path_count = 0 where node_id = 'n2'",
        "update mart.fiber_node set disjoint_path_count = 5 where node_id = 'n1'",
    ],
    "fiber_interval_ordered": [
        *(
            metric(f"{name}_{end} = {value}")
            for name in (
                *("rtt_metro_ms", "rtt_major_metro_ms", "rtt_ixp_ms"),
                *("people_5ms", "people_10ms", "people_20ms"),
            )
            for end, value in (
                ("low", 101),
                ("high", 0),
                ("low", -1),
                ("mid", "null"),
                ("high", "null"),
            )
        ),
        "update mart.fiber_link set rtt_ms_low = rtt_ms_high",
        "update mart.fiber_link set rtt_ms_mid = null",
        "update mart.fiber_node set rtt_ixp_ms_low = 1 where node_id = 'n1'",
        "update mart.fiber_metro_rtt set rtt_ms_high = 0 where node_id = 'n1' and metro_id = 'm1'",
    ],
    "fiber_light_kept": [
        # The low end is 1.3 times the length.
        "update mart.fiber_link set rtt_ms_low = rtt_ms_low / 1.31",
        "update mart.fiber_link set route_km = 1.31 * length_km",
        "update mart.fiber_metro_rtt set rtt_ms_low = rtt_ms_low / 1.33 where node_id = 'n1'",
        metric("rtt_metro_ms_low = 0.067"),
        metric("rtt_major_metro_ms_low = 0.067"),
    ],
    "fiber_nodes_known": [
        *(
            f"update {table} set {column} = '?'"
            for table, column in (
                ("mart.fiber_pop", "node_id"),
                ("mart.fiber_link", "from_node_id"),
                ("mart.fiber_link", "to_node_id"),
                ("mart.fiber_metro_rtt", "node_id"),
                ("mart.fiber_metro_rtt", "metro_id"),
                ("mart.fiber_people", "node_id"),
                ("core.parcel_access", "node_id"),
                ("core.parcel_metric", "diverse_node_id"),
                ("mart.fiber_node", "rtt_ixp_id"),
            )
        ),
        "update mart.fiber_people set node_id = null",
        "delete from core.parcel_access where access_no = 1",
        metric("lit_node_id = 'n2'"),
        metric("lit_node_id = null"),
        metric("lit_node_mi = lit_node_mi + 0.001"),
    ],
    "fiber_people_rise": [
        *(
            metric(f"people_{less}ms_{end} = people_{more}ms_{end} + 1")
            for less, more in ((5, 10), (10, 20))
            for end in ("low", "mid", "high")
        ),
        metric("people_20ms_high = 101"),
        "delete from mart.fiber_people",
    ],
    "fiber_unknown_said": [
        *(
            metric(f"rtt_{name}_ms_{end} = {value}")
            for name in ("metro", "major_metro", "ixp")
            for end, value in (
                *(("low", 0), ("low", -1), ("high", "'inf'"), ("high", "'nan'")),
                ("mid", "null"),
            )
        ),
        metric("rtt_unknown_reason = 'no path to a metro'"),
        metric("rtt_metro_id = null"),
        metric("rtt_major_metro_id = null"),
        metric("rtt_ixp_id = null"),
        metric("people_10ms_mid = null"),
        metric("lit_node_id = null"),
        "update mart.fiber_node set unknown_reason = 'has no link' where node_id = 'n1'",
        "update mart.fiber_node set is_connected = false where node_id = 'n1'",
        "update mart.fiber_node set rtt_ixp_ms_mid = null where node_id = 'n1'",
        "update mart.fiber_node set rtt_ixp_ms_high = 'inf' where node_id = 'n1'",
        "update mart.fiber_link set rtt_ms_low = 0",
        "update mart.fiber_link set rtt_ms_high = 'inf'",
        "update mart.fiber_metro_rtt set rtt_ms_high = 'inf'",
    ],
    "layer_not_empty": ["insert into meta.layer_source values ('pop', null, 0)"],
    "parcel_in_county": [
        "update core.parcel set county_id = '00000' where parcel_id = 'p1'",
        "update core.parcel set county_id = null where parcel_id = 'p1'",
        "update core.parcel set state_id = null where parcel_id = 'p1'",
    ],
    "parcel_metric_complete": [
        "delete from core.parcel_metric where parcel_id = 'p1'",
        "delete from core.parcel where parcel_id = 'p1'",
    ],
    "parcels_accounted": [
        "delete from core.parcel where parcel_id = 'p1'",
        "update meta.run set divided_count = divided_count + 1",
        "update meta.run set kept_count = kept_count - 1",
        "insert into meta.rejected_row (raw_table, reject_code) values ('parcels', 'measure_failed')",
    ],
    "parcel_on_land": [
        "update core.parcel set area_acres = 0 where parcel_id = 'p1'",
        "update core.parcel set area_acres = null where parcel_id = 'p1'",
        "update core.parcel set area_acres = 'nan' where parcel_id = 'p1'",
        "update core.parcel set land_share = 0 where parcel_id = 'p1'",
    ],
    "people_conserved": [
        "update core.people set people = people * 1.0002",
        "delete from core.people",
        "update core.people set people = null",
    ],
    "partitions_accounted": [
        "update meta.workload_parcel set fail_count = fail_count + 1",
        "insert into meta.partition values ('a-0000', 'a', 1, 1, repeat('0', 64))",
        "insert into meta.partition select 'a-0000', 'a', 9, 8, repeat('0', 64)",
        f"{PIECES} select 'a-0000', 'a', n, n, repeat('0', 63) from told",
        f"{PIECES} select 'a-0000', 'a', n, n + 1, repeat('0', 64) from told",
        f"{PIECES} select 'a-0000', 'a', unnest([n, 0]), unnest([n, 0]), repeat('0', 64) from told",
    ],
    "people_as_census": [
        "update mart.people_state set method = 'raster_cell', source_people = 44",
        "update mart.people_state set method = 'raster_cell', source_people = 56",
    ],
    "people_counted": [
        "update mart.people_state set people = 100.01",
        "update mart.people_state set people = null",
        "update mart.people_state set scale_factor = 2",
        "update mart.people_cell set people_milli = 99999",
        "delete from mart.people_cell",
    ],
    "point_in_area": [
        *(
            f"update core.people set lon = {lon}, lat = {lat}"
            # At 0 degrees, swapped, elsewhere, nowhere.
            for lon, lat in ((0, 0), (40, -90), (2.35, 48.86), ("null", 40), (-90, "'nan'"))
        ),
        "update core.metro set lat = 61 where metro_id = 'm1'",
        "insert into core.substation (substation_id, lon, lat) values ('s', 40, -90)",
        "insert into core.developable (lon, lat) values (0, 0)",
    ],
    "power_feeds_known": ["delete from mart.substation where substation_id = 's1'"],
    "power_finite": [
        f"update mart.substation set {column} = '{bad}' where substation_id = 's1'"
        for column in ("headroom_mw_mid", "headroom_mw_high", "headroom_n0_mw")
        for bad in ("inf", "nan")
    ],
    "power_interval_ordered": [
        "update mart.substation set headroom_mw_low = 101 where substation_id = 's1'",
        "update mart.substation set headroom_mw_high = 99 where substation_id = 's1'",
        "update mart.substation set headroom_mw_low = -1 where substation_id = 's1'",
        "update mart.substation set headroom_mw_low = null where substation_id = 's1'",
        "update mart.substation set headroom_mw_mid = null where substation_id = 's1'",
        """update mart.substation set flexible_025_mw_mid = 120, flexible_100_mw_mid = 110
        where substation_id = 's1'""",
        """update mart.substation set flexible_025_mw_low = 130, flexible_025_mw_mid = 120
        where substation_id = 's1'""",
    ],
    "power_method_known": [
        "update mart.substation set method = 'guess' where substation_id = 's1'",
        "update mart.substation set method = null where substation_id = 's1'",
        "update mart.substation set limit_kind = null where substation_id = 's1'",
    ],
    "power_outage_not_more": [
        "update mart.substation set headroom_n0_mw = 99 where substation_id = 's1'"
    ],
    "power_zero_share": [
        """update mart.substation set method = 'load_flow', headroom_mw_low = 0, headroom_mw_mid = 0
        where substation_id = 's1'"""
    ],
    "ranks_dense": [
        "update mart.parcel_score set rank = 9 where rank = 1",
        "update mart.parcel_score set rank = 2 where rank = 1",
        "update meta.workload_parcel set kept_rank = kept_rank + 1",
        "update meta.workload_parcel set kept_rank = 0, pass_count = 0, unknown_count = 0",
        "update mart.region_rank set rank = 3 where rank = 1 and region_kind = 'state'",
        "update mart.region_rank set rank = 2 where rank = 1 and region_kind = 'state'",
    ],
    "raw_table_used": ["insert into meta.raw_table values ('grid', 's', 'orphan', 'f', 3)"],
    "region_listed": [
        "update mart.region_rank set reason = null where region_id = 'm1'",
        "delete from mart.region_rank where region_id = 'm1'",
        "delete from mart.region_rank where region_id = 'm1' and workload = 'training'",
    ],
    "rejects_kept": [
        "insert into meta.source_load values ('grid', 's', 't', 'line', 3, 0, 0, 3)",
        """insert into meta.source_load values ('grid', 's', 't', 'line', 3, 1, 0, 2);
        insert into meta.rejected_row (raw_table, raw_row) values ('t', 1)""",
    ],
    "rows_accounted": [
        "insert into meta.source_load values ('grid', 's', 't', 'line', 3, 1, 1, 0)"
    ],
    "score_in_range": [
        "update mart.parcel_score set score_low = -1",
        "update mart.parcel_score set score_high = 101",
        "update mart.parcel_score set score_low = 60, score_high = 50",
        "update mart.parcel_score set score_low = null",
        "update mart.parcel_score set score_low = 'nan'",
    ],
    "source_stale": ["insert into meta.source (source_id, is_stale) values ('s', true)"],
    "state_present": [
        "delete from core.parcel where state_id = 'BB'",
        "delete from core.county where state_id = 'BB'",
        "delete from core.parcel where state_id = 'BB'; update meta.run set area = ['conus']",
    ],
    "state_served": [
        f"update core.parcel_metric set {metric} = 25.1 where parcel_id = 'p2'"
        for metric in ("substation_69kv_mi", "pop_mi")
    ],
    "top_on_lake": [
        "update core.parcel_metric set lake_share = 0.51 where parcel_id = 'p1'",
        "update core.parcel_metric set park_share = 0.51 where parcel_id = 'p1'",
    ],
    "value_in_range": [
        *(
            f"insert into core.{layer} ({key}, {column}) values ('x', {value})"
            for layer, key, column, values in (
                ("substation", "substation_id", "kv_max", ("0", "345000", "-230", "'nan'")),
                ("line", "line_id", "kv_min", ("0", "500000")),
                ("plant", "plant_id", "capacity_mw", ("-1", "1e6", "'inf'")),
                ("county_fact", "county_id", "industrial_usd_per_mwh", ("0.07", "70000")),
                ("county_fact", "county_id", "fiber_coverage_share", ("-0.1", "87")),
            )
            for value in values
        ),
        "update core.people set people = -1",
        "update core.metro set metro_people = 0 where metro_id = 'm1'",
        "insert into core.climate_point (heating_degree_days_65f) values (-1)",
        "insert into core.land_value (land_value_usd_per_acre) values (-5)",
        "insert into core.developable (developable_share) values (1.5)",
    ],
    "weights_sum_to_one": ["update meta.factor set weight = weight * 1.001"],
}
CHECKS = [name.rpartition("/")[2] for name in store.sql_names("checks")]


@pytest.fixture(scope="module")
def con(tmp_path_factory):
    factors = [
        ("carrier_25mi_count", 0.5, [[0, 0], [3, 1]]),
        ("substation_230kv_mi", 0.5, [[0, 1], [9, 0]]),
    ]
    profiles = [world.profile(factors), world.profile(factors, name="inference")]
    parcels = [
        {"parcel_id": f"p{n}", "carrier_25mi_count": n, "substation_230kv_mi": 1.0,
         "headroom_mw_mid": 100.0, "headroom_substation_id": f"s{n}", **where}
        for n, where in enumerate([{}, {}, {"county_id": "99002", "state_id": "BB"}])
    ]  # fmt: skip
    con = world.make(tmp_path_factory.mktemp("checks"), parcels, profiles)
    yield con
    con.close()


def test_every_check_states_its_severity_and_what_it_checks():
    for name in CHECKS:
        text = store.sql_text(f"checks/{name}")
        first, second, *_ = text.splitlines()
        assert re.fullmatch(r"-- severity: (error|warn|info)", first), name
        assert re.fullmatch(r"-- description: [a-z].+", second), name


def test_a_good_build_offends_no_check(con):
    con.execute("begin")
    results = build.run_checks(con)
    assert {result.name: result.offending_count for result in results} == dict.fromkeys(CHECKS, 0)
    kept = con.execute("select check_name, offending_count from meta.check_result").fetchall()
    assert sorted(kept) == sorted((name, 0) for name in CHECKS)
    con.execute("rollback")


def test_every_check_has_a_case_that_it_finds():
    assert sorted(SPOILS) == CHECKS


@pytest.mark.parametrize(
    ("name", "spoil"), [(name, spoil) for name, spoils in SPOILS.items() for spoil in spoils]
)
def test_a_check_finds_what_is_wrong(con, name, spoil):
    con.execute("begin")
    try:
        con.execute(spoil)
        assert store.query_file(con, f"checks/{name}").fetchall()
    finally:
        con.execute("rollback")


def test_checks_that_find_something_keep_a_few_examples(con):
    con.execute("begin")
    con.execute("update mart.parcel_score set score_low = -1")
    found = {result.name: result for result in build.run_checks(con)}["score_in_range"]
    con.execute("rollback")
    assert (found.severity, found.offending_count) == ("error", 6)
    assert len(found.examples) == build.EXAMPLE_ROWS
    assert "-1.0" in found.examples[0]


def test_values_at_the_ends_of_their_range_and_unknown_ones_offend_no_check(con):
    con.execute("begin")
    for kv in ("null", "0.1", "1200"):
        con.execute(f"insert into core.substation (substation_id, kv_max) values ('k{kv}', {kv})")
    assert not store.query_file(con, "checks/value_in_range").fetchall()
    con.execute("rollback")


def test_a_lot_by_a_lake_ranks_by_the_land_that_is_left(con):
    con.execute("begin")
    con.execute("update core.parcel set parcel_kind = 'assessor'")
    con.execute("update core.parcel_metric set lake_share = 0.51, contiguous_acres = 400")
    look = partial(store.query_file, con, "checks/top_on_lake")
    # Of both workloads, as none asks for land in one piece.
    assert len(look().fetchall()) == 6
    con.execute(
        "insert into meta.gate by name "
        "select 'training' as workload, 'contiguous_acres' as metric, false as is_removed"
    )
    assert {row[0] for row in look().fetchall()} == {"inference"}
    con.execute("update core.parcel_metric set contiguous_acres = null where parcel_id = 'p1'")
    assert ("training", "p1") in {(row[0], row[2]) for row in look().fetchall()}
    con.execute("update core.parcel set parcel_kind = 'h3_cell'")
    assert len(look().fetchall()) == 6
    con.execute("rollback")


def test_parcel_files_may_leave_a_state_far_from_everything(con):
    con.execute("begin")
    con.execute(
        "update core.parcel_metric set pop_mi = 99; update core.parcel set parcel_kind = 'assessor'"
    )
    assert not store.query_file(con, "checks/state_served").fetchall()
    con.execute("rollback")


def test_results_of_sources_are_kept_before_those_of_the_build(con):
    con.execute("begin")
    of_source = build.CheckResult("t.x has", "info", "table t holds 1", 2, ["1", "2"])
    results = build.run_checks(con, [of_source])
    kept = con.execute("from meta.check_result limit 1").fetchall()
    con.execute("rollback")
    assert results[0] is of_source
    assert len(results) == 1 + len(CHECKS)
    assert kept == [("t.x has", "info", "table t holds 1", 2, ["1", "2"])]


def test_results_are_told_worst_first(con):
    con.execute("begin")
    for name, severity in (("a", "info"), ("b", "warn"), ("c", "error"), ("d", "error")):
        con.execute("insert into meta.check_result values ($name, $severity, '', 1, [])",
                    {"name": name, "severity": severity})  # fmt: skip
    told = [row[0] for row in store.query_file(con, "query/checks").fetchall()]
    con.execute("rollback")
    assert told == ["c", "d", "b", "a"]


def test_parcel_files_may_leave_states_states_without_a_parcel(con):
    con.execute("begin")
    con.execute("delete from core.parcel; update meta.run set parcel_kind = 'assessor'")
    assert not store.query_file(con, "checks/state_present").fetchall()
    con.execute("rollback")


def test_states_and_counties_outside_of_a_narrowed_run_may_be_missing(con):
    con.execute("begin")
    con.execute("delete from core.parcel where state_id = 'BB'; update meta.run set area = ['AA']")
    assert not store.query_file(con, "checks/state_present").fetchall()
    con.execute("rollback")


def test_a_study_without_fiber_offends_no_check(con):
    """Everything that fiber would tell is unknown, and says so."""
    unknown = ", ".join(f"{name} = null" for name in fiber.metrics(*world.POINT))
    con.execute("begin")
    con.execute(f"update core.parcel_metric set {unknown}, rtt_unknown_reason = 'no fiber layer'")
    for table in ("mart.fiber_node", "mart.fiber_pop", "mart.fiber_link", "mart.fiber_metro_rtt",
                  "mart.fiber_people", "core.parcel_access"):  # fmt: skip
        con.execute(f"delete from {table}")
    for name in CHECKS:
        if name.startswith("fiber_"):
            assert store.query_file(con, f"checks/{name}").fetchall() == [], name
    con.execute("rollback")


def test_people_that_a_raster_leaves_out_may_be_unknown(con):
    con.execute("begin")
    unknown = [
        f"people_{ms}ms_{end} = null" for ms in (5, 10, 20) for end in ("low", "mid", "high")
    ]
    con.execute(metric(", ".join(unknown)))
    assert store.query_file(con, "checks/fiber_unknown_said").fetchall()
    con.execute("update mart.people_state set covered_share = 0.5")
    for name in ("interval_ordered", "people_rise", "unknown_said"):
        assert not store.query_file(con, f"checks/fiber_{name}").fetchall()
    con.execute("rollback")


def test_the_fiber_of_the_world_is_as_its_parcels_are_measured(con):
    """What a view works out of the tables is what the metrics say."""
    told = con.execute(
        """
        select metric.parcel_id, rtt.metro_id,
            abs(rtt.rtt_ms_low - metric.rtt_metro_ms_low) + abs(rtt.rtt_ms_mid - metric.rtt_metro_ms_mid)
            + abs(rtt.rtt_ms_high - metric.rtt_metro_ms_high)
        from mart.parcel_metro_rtt as rtt inner join core.parcel_metric as metric using (parcel_id)
        order by all
        """
    ).fetchall()
    assert [row[:2] for row in told] == [(f"p{n}", m) for n in range(3) for m in ("m1", "m2")]
    assert max(gap for *_, gap in told) < 1e-12

"""What was set aside, and what changed since the last build: each is found, and told as bad as it is."""

import pytest

from data import build, store
from data.catalogue import LIVE_KINDS
from flows import last_run
from flows.reporting import rows_of

LIVE = {"live": sorted(LIVE_KINDS)}
COLUMNS = [("id", "number", 1.0, 1.0), ("kv", "text", 1.0, 0.99), ("name", "text", 0.9, 0.0)]
FILL = """
insert into meta.source (source_id, access_kind) values ('live', 'http'), ('pinned', 'package');
insert into meta.raw_table values
('grid', 'live', 'line', 'line.csv', 1000), ('grid', 'pinned', 'plant', 'plant.csv', 1000);
insert into meta.source_load values
('grid', 'live', 'line', 'line', 1000, 1000, 0, 0), ('grid', 'pinned', 'plant', 'plant', 1000, 1000, 0, 0);
insert into meta.layer_source values ('line', 'live', 90), ('plant', 'pinned', 90), ('people', 'pinned', 2);
insert into core.line (line_id, kv_min, source_id) select 'l' || n, [115, 345, 500][n % 3 + 1], 'live' from range(90) as r (n);
insert into core.plant (plant_id, fuel_kind) select 'p' || n, ['firm', 'variable'][n % 2 + 1] from range(90) as r (n);
insert into core.people (people_id, state_id) values ('a', 'AA'), ('b', 'BB');
insert into meta.staged_point values ('line', 'line', 1000, 950, 0, null, 0, null);
"""


@pytest.fixture(scope="module")
def con():
    """A run, and the last one beside it, in which everything is the same."""
    con = store.create()
    con.execute("set threads = 1")
    con.execute("attach ':memory:' as last_run")
    for database in ("last_run", "memory"):
        con.execute(f"use {database}")
        for name in ("schema", "raw_table", "run"):
            store.run_file(con, f"meta/{name}")
        for layer in ("line", "substation", "plant", "people", "county", "pop"):
            build.load_layer(con, layer, [])
        con.execute(FILL)
        for table, source in (("line", "live"), ("plant", "pinned")):
            for number, column in enumerate(COLUMNS, start=1):
                row = [source, table, number, *column]
                con.execute("insert into meta.raw_column values ($1, $2, $3, $4, $5, $6, $7)", row)
    yield con
    con.close()


def found(con, change):
    """What is found after a change, as {check: (severity, count, examples)}."""
    con.execute("begin")
    try:
        con.execute(change)
        few = LIVE | {"few": last_run.FEW_ROWS}
        limits = {"fell": last_run.FELL_AT_MOST, "rose": last_run.ROSE_AT_MOST}
        rows = rows_of(con, "query/source_set_aside", few | {"usual": last_run.ASIDE_AT_MOST})
        rows += rows_of(con, "query/source_drift", few | limits)
        # The layers are looked at where a change could touch them.
        if "core." in change or "layer_source" in change:
            rows += rows_of(con, "query/layer_drift", few)
    finally:
        con.execute("rollback")
    names = ("severity", "offending_count", "examples")
    return {row["check_name"]: tuple(row[name] for name in names) for row in rows}


def of(table, source="live"):
    return f"where raw_table = '{table}' and source_id = '{source}'"


def column(change, table="line", name="kv"):
    return f"update meta.raw_column set {change} where raw_table = '{table}' and column_name = '{name}'"


def reject(table, source, code, count):
    return f"""
    insert into meta.rejected_row
    select '{source}', '{table}', 'f.csv', n, '{code}', 'lies at sea' from range(1, {count} + 1) as r (n)
    """


def test_a_run_like_the_last_one_offends_nothing(con):
    assert found(con, "update core.line set kv_min = kv_min") == {}


@pytest.mark.parametrize(
    ("change", "name", "severity", "count", "example"),
    [
        (f"update meta.raw_table set rows_read = 799 {of('line')}", "line fell_by_at_most", "error", 201, "had 1,000, has 799"),
        (f"update meta.raw_table set rows_read = 0 {of('line')}", "line fell_by_at_most", "error", 1000, "had 1,000, has 0"),
        (f"update meta.raw_table set rows_read = 1501 {of('line')}", "line rose_by_at_most", "warn", 501, "had 1,000, has 1,501"),
        ("insert into meta.raw_column values ('live', 'line', 4, 'owner', 'text', 1, 0)", "line new columns", "info", 1, "owner"),
        ("delete from meta.raw_column where raw_table = 'line' and column_name = 'kv'", "line columns gone", "warn", 1, "kv"),
        (column("column_name = 'volts'"), "line new columns", "info", 1, "volts"),
        (column("column_name = 'volts'"), "line columns gone", "warn", 1, "kv"),
        (column("number_share = 0.1"), "line columns retyped", "warn", 1, "kv: text (99% numbers), now text (10%)"),
        (column("column_kind = 'number', number_share = 1"), "line columns retyped", "warn", 1, "kv: text (99% numbers), now number (100%)"),
        (column("known_share = 0.3", name="name"), "line columns blank", "warn", 1, "name: known in 90% of the rows, now in 30%"),
        # Nobody changes a pinned file but by naming another one.
        ("delete from meta.raw_column where raw_table = 'plant'", "plant columns gone", "info", 3, "id"),
        (column("number_share = 0.1", table="plant"), "plant columns retyped", "info", 1, "kv: text (99% numbers), now text (10%)"),
        (reject("line", "live", "outside_area", 201), "line outside_at_most", "error", 201, "201 of 1,000 rows"),
        (reject("line", "live", "invalid", 201), "line invalid_at_most", "error", 201, "201 of 1,000 rows"),
        (reject("plant", "pinned", "outside_area", 201), "plant outside_at_most", "warn", 201, "201 of 1,000 rows"),
        ("update meta.staged_point set swapped_count = 20, swapped_row = 7", "line points swapped", "warn", 20, "first row 7"),
        ("update meta.staged_point set swapped_count = 950, inside_count = 0, swapped_row = 1", "line points swapped", "error", 950, "first row 1"),
        ("update meta.staged_point set null_island_count = 300, null_island_row = 3", "line null island", "error", 300, "first row 3"),
        ("delete from core.line where kv_min = 500", "line class of voltage gone", "error", 1, "500.0 kV had 30 rows"),
        ("delete from core.plant where fuel_kind = 'firm'", "plant kind of fuel gone", "info", 1, "firm had 45 rows"),
        ("delete from core.people where state_id = 'BB'", "people state gone", "info", 1, "BB had 1 rows"),
        ("delete from core.people where state_id = 'BB'; update meta.source set access_kind = 'arcgis'", "people state gone", "error", 1, "BB had 1 rows"),
    ],
)  # fmt: skip
def test_what_changed_is_found(con, change, name, severity, count, example):
    told = found(con, change)[name]
    assert (*told[:2], told[2][0]) == (severity, count, example)


@pytest.mark.parametrize(
    "change",
    [
        f"update meta.raw_table set rows_read = 800 {of('line')}",
        f"update meta.raw_table set rows_read = 1500 {of('line')}",
        # A pinned file has what its entry says.
        f"update meta.raw_table set rows_read = 1 {of('plant', 'pinned')}",
        column("number_share = 0.5"),
        column("known_share = 0.41", name="name"),
        # An empty column had no type to lose.
        column("column_kind = 'empty', number_share = null"),
        reject("line", "live", "outside_area", 200),
        reject("line", "live", "not_in_service", 900),
        "update meta.source_load set rows_read = 10 where raw_table = 'line';"
        + reject("line", "live", "invalid", 9),
        # Typing errors.
        "update meta.staged_point set swapped_count = 9, null_island_count = 9",
        # Of few rows, none may be left by chance.
        "delete from core.line where kv_min = 500 and line_id <> 'l2'",
        # Another source makes another layer.
        "update meta.layer_source set source_id = 'other'; delete from core.line; delete from core.people",
    ],
)
def test_what_may_change_is_let_pass(con, change):
    assert found(con, change) == {}


@pytest.mark.parametrize(
    ("limit", "change", "severity"),
    [
        (("fell_by_at_most", 0.5), f"update meta.raw_table set rows_read = 501 {of('line')}", None),
        (("fell_by_at_most", 0.5), f"update meta.raw_table set rows_read = 499 {of('line')}", "info"),
        # A limit of its own counts every row, and holds for files that are not live as well.
        (("fell_by_at_most", 0), f"update meta.raw_table set rows_read = 999 {of('line')}", "info"),
        (("rose_by_at_most", 2), f"update meta.raw_table set rows_read = 2999 {of('line')}", None),
        (("outside_at_most", 0.9), reject("line", "live", "outside_area", 899), None),
        (("outside_at_most", 0.9), reject("line", "live", "outside_area", 901), "info"),
        (("invalid_at_most", 0), reject("line", "live", "invalid", 1), "info"),
    ],
)  # fmt: skip
def test_a_limit_of_the_catalogue_takes_the_place_of_the_usual_one(con, limit, change, severity):
    name, at_most = limit
    own = f"insert into meta.source_limit values ('live', 'line', '{name}', {at_most}, 'info');"
    told = found(con, own + change)
    assert [one[0] for one in told.values()] == ([severity] if severity else [])


def test_a_table_that_the_last_run_did_not_read_is_compared_with_nothing(con):
    new = "insert into meta.raw_table values ('grid', 'live', 'fresh', 'f.csv', 5);"
    assert (
        found(
            con, new + "insert into meta.raw_column values ('live', 'fresh', 1, 'a', 'text', 1, 0)"
        )
        == {}
    )


def test_points_are_counted_where_they_lie_whatever_becomes_of_them(con):
    con.execute("begin")
    con.execute(
        """
        create table staging.points as
        select * from (values
            ('t', 1, -90.0, 40.0, null), ('t', 2, 40.0, -90.0, 'invalid'), ('t', 3, 0.0, 0.0, 'outside_area'),
            ('t', 4, 2.35, 48.86, 'outside_area'), ('t', 5, null, 40.0, 'invalid'), ('t', 6, 39.5, -69.0, null),
            (null, 7, -90.0, 40.0, null)
        ) as point (raw_table, raw_row, lon, lat, reject_code)
        """
    )
    con.execute("create table staging.lines as select 't' as raw_table, 1 as raw_row")
    for name in ("points", "lines"):
        store.run_file(con, "meta/staged_point", {"staged": f"staging.{name}", "layer": "x"})
    told = con.execute("from meta.staged_point where layer = 'x'").fetchall()
    con.execute("rollback")
    assert told == [("t", "x", 5, 1, 2, 2, 1, 3)]

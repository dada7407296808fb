"""Run staging SQL over small raw tables, as `data.stage` does over whole files."""

import pyarrow as pa
import shapely

from data import stage, store


def staged(tables, *objects, core=()):
    """A connection on which `objects` of sql/staging were run over raw tables of dicts.

    `core` gives layers to fill first, as (layer, staging object); rows of one table share their
    columns, and are numbered from 1 as readers number them.
    """
    con = store.create()
    for name in ("schema", "raw_table", "staging_macros"):
        store.run_file(con, f"meta/{name}")
    stage.load_reference(con, "test")
    for name, rows in tables.items():
        columns = {key: [row.get(key) for row in rows] for row in rows for key in row}
        arrow = pa.table({**columns, "raw_row": pa.array(range(1, len(rows) + 1), pa.int64())})
        con.from_arrow(arrow).create(f"raw.{name}")
        con.execute(
            "insert into meta.raw_table values ('test', $name, $name, $name, $rows)",
            {"name": name, "rows": len(rows)},
        )
    for layer, item in core:
        stage.fill_layer(con, layer, [item])
    for item in objects:
        store.run_file(con, f"staging/{item}")
    return con


def codes(con, item, raw_table=None):
    """Reject codes of a staging object by raw row; '' is loaded."""
    rows = con.execute(
        f"select raw_row, coalesce(reject_code, ''), reject_reason from staging.{item} "
        "where raw_table = coalesce($raw_table, raw_table) order by raw_row",
        {"raw_table": raw_table},
    ).fetchall()
    assert all(reason for _, code, reason in rows if code not in ("", "merged")), rows
    return {row: code for row, code, _ in rows}


def values(con, item, column, where="reject_code is null"):
    """One column of a staging object, in the order of its raw rows."""
    found = con.sql(f"select {column} from staging.{item} where {where} order by raw_row")
    return [value for (value,) in found.fetchall()]


def point(lon, lat):
    """WKB of a point."""
    return shapely.to_wkb(shapely.Point(lon, lat))


def line(*vertices):
    """WKB of a line."""
    return shapely.to_wkb(shapely.LineString(vertices))


def box(*bounds):
    """WKB of a rectangle."""
    return shapely.to_wkb(shapely.box(*bounds))

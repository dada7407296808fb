"""Staging: raw rows of one theme into typed canonical layers, bad rows into quarantine."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.csv

from data import expectation, store
from data.catalogue import Catalogue, Source
from data.errors import BuildError, CheckError, ReadError, StudyError
from data.readers import read_table
from data.readers.raster import RASTER
from data.study import Theme

REFERENCE_DIR = Path(__file__).parent / "reference"
REFERENCE_SOURCE = "gridstead_reference"


@dataclass(frozen=True)
class LayerLoad:
    """Rows read, loaded (of which merged) and rejected of one raw table."""

    source_id: str
    raw_table: str
    layer: str
    rows_read: int
    rows_loaded: int
    rows_merged: int
    rows_rejected: int


def stage_theme(
    name: str,
    theme: Theme,
    catalogue: Catalogue,
    pulled: Mapping[str, Path],
    target: Path,
    *,
    log: Callable[[str], None] = lambda _: None,
) -> list[LayerLoad]:
    """Read a theme's sources and fill its layers in a new database at `target`.

    Parameters
    ----------
    name
        Name of the theme.
    theme
        Its sources and layers.
    catalogue
        Catalogue that describes the sources.
    pulled
        Source id -> file in the cache.
    target
        Database to write; it appears whole or not at all.
    log
        Called with a line for each layer.

    Returns
    -------
    list
        Accounting per raw table: read = loaded + rejected.

    Raises
    ------
    ReadError
        A file cannot be read as its catalogue entry says.
    StudyError
        The study names a layer or a staging object that does not exist.
    CheckError
        Rows cannot be staged, and an expectation of the catalogue that fails says why.
    """
    temporary = target.with_suffix(".duckdb.tmp")
    temporary.unlink(missing_ok=True)
    con = store.create(temporary)
    try:
        store.run_file(con, "meta/schema")
        store.run_file(con, "meta/raw_table")
        store.run_file(con, "meta/staging_macros")
        load_reference(con, name)
        for source_id in theme.sources:
            _load_source(con, name, catalogue.source(source_id), pulled[source_id])
        try:
            _fill_layers(con, theme, log)
        except BuildError as error:
            raise _unexpected(con) or error from error
        for raw_table, layer in theme.lookups.items():
            store.run_file(con, "meta/lookup_load", {"raw_table": raw_table, "layer": layer})
        loads = [LayerLoad(*row) for row in store.query_file(con, "meta/loads").fetchall()]
        store.seal(con, temporary)
    finally:
        con.close()
    store.replace_atomically(temporary, target)
    return loads


def _fill_layers(con: duckdb.DuckDBPyConnection, theme: Theme, log: Callable[[str], None]) -> None:
    for item in theme.helpers:
        require_sql(f"staging/{item}")
        store.run_file(con, f"staging/{item}")
    for layer, staged in theme.layers.items():
        fill_layer(con, layer, staged)
        log(f"staged {layer} from {', '.join(staged)}")


def _unexpected(con: duckdb.DuckDBPyConnection) -> CheckError | None:
    """Say of rows that staging broke on what was not as expected of them, where something was not."""
    failed = store.query_file(con, "query/source_check_failed").fetchall()
    return expectation.failure(*failed[0], more=len(failed) - 1) if failed else None


def fill_layer(con: duckdb.DuckDBPyConnection, layer: str, staged: list[str]) -> None:
    """Run the staging objects of one layer, load the layer and quarantine the bad rows."""
    for item in staged:
        require_sql(f"staging/{item}")
        store.run_file(con, f"staging/{item}")
    load_layer(con, layer, [f"staging.{item}" for item in staged])
    for item in staged:
        params = {"staged": f"staging.{item}", "layer": layer}
        store.run_file(con, "meta/rejected_row", params)
        store.run_file(con, "meta/source_load", params)
        store.run_file(con, "meta/staged_point", params)


def load_layer(con: duckdb.DuckDBPyConnection, layer: str, tables: list[str]) -> None:
    """Create `core.<layer>` with its comments and fill it from tables of the same columns."""
    require_sql(f"core/{layer}")
    # The empty typed tables come first, so that a layer without sources still has its columns.
    store.set_variable(con, [f"core.{layer}", "meta.staging_row", *tables])
    store.run_file(con, f"core/{layer}")


def load_reference(con: duckdb.DuckDBPyConnection, theme: str) -> None:
    """Read every reference table into `raw.ref_<name>`, all columns as text."""
    for path in sorted(REFERENCE_DIR.glob("*.csv")):
        text = pa.csv.ConvertOptions(
            column_types=dict.fromkeys(_header(path), pa.string()),
            strings_can_be_null=True,
            null_values=[""],
        )
        rows = pa.csv.read_csv(path, convert_options=text)
        _create_raw(
            con, theme, REFERENCE_SOURCE, f"ref_{path.stem}", f"data/reference/{path.name}", rows
        )


def _header(path: Path) -> list[str]:
    with path.open(encoding="utf-8") as handle:
        return handle.readline().strip().split(",")


def _load_source(con: duckdb.DuckDBPyConnection, theme: str, source: Source, path: Path) -> None:
    counts = []
    for table_name, table in source.tables.items():
        if table.reader == RASTER:
            continue
        rows = read_table(table, path, source)
        counts.append(rows.num_rows)
        file = path.name if table.member is None else f"{path.name} / {', '.join(table.members)}"
        _create_raw(con, theme, source.id, table_name, file, rows)
        named = {"source_id": source.id, "raw_table": table_name}
        checks = expectation.evaluate(table.expect, rows, required=table.required, **named)
        _keep(con, "meta.source_check", checks)
        _keep(con, "meta.source_limit", expectation.limits(table.expect, **named))
        _keep(con, "meta.raw_column", expectation.profile(rows, **named))
    may_be_empty = any(table.rows == 0 for table in source.tables.values())
    if source.is_live and counts and not any(counts) and not may_be_empty:
        message = f"{path.name} of source {source.id!r} holds no row."
        raise ReadError(
            message, "An empty answer is not used; `rows: 0` of a table allows an empty source."
        )


def _keep(con: duckdb.DuckDBPyConnection, table: str, records: Sequence[Any]) -> None:
    """Append records whose fields are the columns of a table, in their order."""
    if records:
        con.from_arrow(pa.Table.from_pylist([asdict(one) for one in records])).insert_into(table)


def _create_raw(
    con: duckdb.DuckDBPyConnection, theme: str, source_id: str, name: str, file: str, rows: pa.Table
) -> None:
    if "raw_row" not in rows.column_names:
        rows = rows.append_column("raw_row", pa.array(range(1, rows.num_rows + 1), pa.int64()))
    con.from_arrow(rows).create(f"raw.{name}")
    params = {
        "theme": theme,
        "source_id": source_id,
        "name": name,
        "file": file,
        "rows": rows.num_rows,
    }
    store.run_file(con, "meta/raw_row_count", params)


def require_sql(name: str) -> None:
    """Check that `sql/<name>.sql` exists."""
    folder = name.rpartition("/")[0]
    if name not in store.sql_names(folder):
        msg = f"The study names {name.rpartition('/')[2]!r}, but there is no sql/{name}.sql."
        raise StudyError(
            msg, f"Known: {', '.join(n.rpartition('/')[2] for n in store.sql_names(folder))}."
        )

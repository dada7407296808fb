"""DuckDB: connections, SQL files, builds that are published whole or not at all."""

import os
import re
import threading
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import duckdb

from data.errors import BuildError, LackingError

# Older clients open what 2.0 writes under this storage version.
STORAGE_VERSION = "v1.5.0"
# Views of parts put it before the paths of their files where a session has it, see `data.parts_reader`.
PARTS_PREFIX = "parts://"
# Folders by the names that a run gives them: a build of somebody else's may name no other.
_PARTS_FOLDER = re.compile(r"(parcel|metric|score|rank)-[0-9a-f]{16}")
# Connections of one process to one build share their configuration; it is set once.
_CONFIGURING = threading.Lock()


def sql_text(name: str) -> str:
    """Text of `sql/<name>.sql`."""
    return files("sql").joinpath(f"{name}.sql").read_text(encoding="utf-8")


def sql_names(folder: str) -> list[str]:
    """Names (`folder/stem`) of the SQL files in one folder under sql/, sorted."""
    found = [entry.name for entry in files("sql").joinpath(folder).iterdir()]
    return sorted(f"{folder}/{name[:-4]}" for name in found if name.endswith(".sql"))


def create(path: Path | None = None) -> duckdb.DuckDBPyConnection:
    """Open a new database for writing, in memory when no path is given."""
    config: dict[str, Any] = {"storage_compatibility_version": STORAGE_VERSION}
    con = duckdb.connect(str(path) if path else ":memory:", config=config)
    con.execute("set preserve_insertion_order = true")
    con.execute("set enable_progress_bar = false")
    return con


def open_build(path: Path, *, memory_mb: int | None = None) -> duckdb.DuckDBPyConnection:
    """Open a published build: read-only, no access to files or the network, configuration locked.

    Of files it reads its own parts, where its parcels were measured in parts that lie on this machine.

    Parameters
    ----------
    path
        Build to open.
    memory_mb
        Most memory that queries may take together, MB; by default what DuckDB takes for itself. What
        does not fit fails: nothing is spilled to disk.

    Raises
    ------
    BuildError
        The file is missing or is not a DuckDB database.
    """
    if not path.is_file():
        msg = f"There is no build at {path}."
        raise BuildError(msg, "Run `gridstead run` first, or name another --home.")
    try:
        con = duckdb.connect(str(path), read_only=True)
    except duckdb.Error as error:
        msg = f"{path} cannot be opened: {str(error).splitlines()[0]}"
        raise BuildError(msg, "Restore an older build from var/builds.") from error
    with _CONFIGURING:
        _confine(con, memory_mb)
    return con


def _confine(con: duckdb.DuckDBPyConnection, memory_mb: int | None) -> None:
    """Take from a connection whatever reaches beyond its database and its parts, for good."""
    folders = _parts_of(con)
    if folders:
        # Of the connection; what follows is of all connections of this process to the build.
        con.execute("set variable parts_reader = $prefix", {"prefix": PARTS_PREFIX})
    (is_locked,) = con.execute("select current_setting('lock_configuration')").fetchall()[0]
    if is_locked:
        return
    if folders:
        # Takes a while to import, and few builds have parts.
        from data.parts_reader import PartsReader

        con.register_filesystem(PartsReader(folders))
        allowed = [f"{PARTS_PREFIX}{folder}/" for folder in folders]
        con.execute("set allowed_directories = $allowed", {"allowed": allowed})
    con.execute("set enable_progress_bar = false")
    # Variables of Python are no tables.
    con.execute("set python_enable_replacements = false")
    if memory_mb is not None:
        con.execute("set memory_limit = $limit", {"limit": f"{memory_mb}MB"})
    # The folder of spilled data, the database file and its log stay open to `copy` otherwise, which
    # could write over the build.
    con.execute("set temp_directory = ''")
    con.execute("set enable_external_access = false")
    con.execute("set disabled_filesystems = 'LocalFileSystem'")
    con.execute("set lock_configuration = true")


def _parts_of(con: duckdb.DuckDBPyConnection) -> list[Path]:
    """Folders of this machine that a build reads its parcels from; most builds have none."""
    # Of a table: a view of somebody else's build could read anything now.
    if not query_file(con, "query/parts_table").fetchall():
        return []
    named = [Path(row[0]) for row in query_file(con, "query/parts_folders").fetchall()]
    return [
        path
        for path in named
        if path.is_absolute() and _PARTS_FOLDER.fullmatch(path.name) and path.resolve() == path
    ]


def run_file(
    con: duckdb.DuckDBPyConnection, name: str, params: Mapping[str, Any] | None = None
) -> None:
    """Run every statement of `sql/<name>.sql`, each with the `$name` parameters it uses."""
    for statement in con.extract_statements(sql_text(name)):
        used = {key: value for key, value in (params or {}).items() if _uses(statement, key)}
        try:
            con.execute(statement, used or None)
        except duckdb.Error as error:
            msg = f"sql/{name}.sql failed: {str(error).splitlines()[0]}"
            raise BuildError(msg) from error


def run_tables(con: duckdb.DuckDBPyConnection, name: str) -> None:
    """Run what `sql/<name>.sql` creates, and not what it fills it with."""
    for statement in con.extract_statements(sql_text(name)):
        if statement.type == duckdb.StatementType.CREATE:
            con.execute(statement)


def query_file(
    con: duckdb.DuckDBPyConnection, name: str, params: Mapping[str, Any] | None = None
) -> duckdb.DuckDBPyRelation:
    """Relation of the single `select` in `sql/<name>.sql`.

    Raises
    ------
    LackingError
        The build lacks a table or a column that is asked for, as one of another version does.
    """
    text = sql_text(name).rstrip().rstrip(";")
    try:
        return con.sql(text, params=dict(params) if params else None)
    except (duckdb.CatalogException, duckdb.BinderException) as error:
        msg = f"The build lacks what sql/{name}.sql asks for: {str(error).splitlines()[0]}"
        raise LackingError(msg, "It was made by another version: run `gridstead run`.") from error


def set_variable(con: duckdb.DuckDBPyConnection, value: Sequence[str]) -> None:
    """Set the session variable `staged`: the tables that the next layer is loaded from."""
    con.execute("set variable staged = $value", {"value": list(value)})


def seal(con: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Checkpoint and close a database that was written at `path`, and force it to disk."""
    con.execute("checkpoint")
    con.close()
    with path.open("rb+") as handle:
        os.fsync(handle.fileno())


def replace_atomically(temporary: Path, target: Path) -> None:
    """Put a finished file in place; readers of the old one keep what they opened."""
    temporary.replace(target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _uses(statement: duckdb.Statement, key: str) -> bool:
    return key in statement.named_parameters

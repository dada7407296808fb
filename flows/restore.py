"""Put a kept build in the place of the published one."""

import json
from pathlib import Path

import duckdb

from data import store
from data.errors import BuildError, CheckError, GridsteadError, LackingError, UsageError
from flows import exporting
from flows.home import Home
from flows.housekeeping import alone, published_copy, run_of
from flows.progress import shown
from flows.publishing import publish_kept
from flows.reporting import rows_of
from flows.show import Shown

PREVIOUS = "previous"


def restore(home: Home, wanted: str, *, export: bool) -> Shown:
    """Publish a kept build again, after its checks have been asked once more.

    Parameters
    ----------
    home
        Home of the builds.
    wanted
        Run id, the beginning of one, or `previous`: the one before the published build.
    export
        Write the exports of that build as well.

    Raises
    ------
    UsageError
        No kept build, or more than one, is meant.
    BuildError
        The build cannot be opened or read; the published one stays.
    CheckError
        A check of severity error finds rows; the published one stays.
    """
    if not home.root.is_dir():
        msg = f"There is no home at {home.root}."
        raise BuildError(msg, "Run `gridstead run` first, or name another --home.")
    with shown(), alone(home, "restore"):
        before = run_of(home.build)
        kept = _find(home, wanted)
        notes = _check(kept)
        publish_kept(kept, home)
        run = run_of(home.build)
        if run is None:
            msg = f"{home.build} cannot be opened after it was put in place."
            raise BuildError(msg, "Restore another build; see gridstead runs.")
        notes.insert(0, f"{kept.stem} of study {run['study']} is published again.")
        if export:
            exporting.export_run(home.build, home.exports)
            notes.append(f"Exports of it are in {home.exports}.")
        elif not _are_of(home.exports, run["inputs_sha256"]):
            notes.append(
                f"The files in {home.exports} are of another run: `gridstead restore {kept.stem} "
                "--export` writes them anew."
            )
        notes.append("The next run publishes again as ever.")
        payload = {
            "run_id": kept.stem,
            "study": run["study"],
            "before_run_id": before["run_id"] if before else None,
            "is_exported": export or _are_of(home.exports, run["inputs_sha256"]),
            "path": str(home.build),
        }
    return Shown("", notes=notes, payload=payload)


def _find(home: Home, wanted: str) -> Path:
    kept = sorted(home.builds.glob("*.duckdb"))
    known = ", ".join(path.stem for path in reversed(kept)) or "none"
    hint = f"Kept: {known}."
    if wanted == PREVIOUS:
        published = published_copy(home)
        # One that has no copy among the kept, or cannot be read, is later than all of them.
        earlier = [path for path in kept if published is None or path.stem < published.stem]
        if not earlier:
            msg = "No build before the published one is kept."
            raise UsageError(msg, hint)
        return earlier[-1]
    exact = [path for path in kept if path.stem == wanted]
    found = exact or [path for path in kept if wanted and path.stem.startswith(wanted)]
    if not found:
        msg = f"No build of run {wanted!r} is kept."
        raise UsageError(msg, hint)
    if len(found) > 1:
        msg = f"{len(found)} kept builds begin with {wanted!r}."
        raise UsageError(msg, hint)
    return found[0]


def _check(build: Path) -> list[str]:
    """Ask what the build's checks found, and ask them again of its bytes: a block that is damaged is read."""
    try:
        with store.open_build(build) as con:
            rows_of(con, "query/run")
            found = {
                row["check_name"]: row["offending_count"]
                for row in rows_of(con, "query/checks")
                if row["severity"] == "error" and row["offending_count"]
            }
            try:
                found |= _again(con)
                notes = []
            except LackingError:
                notes = ["It was made by another version: its checks were not asked again."]
    except duckdb.Error as error:
        msg = f"{build} cannot be read: {str(error).splitlines()[0]}"
        raise BuildError(msg, "Restore another build; see gridstead runs.") from error
    except GridsteadError as error:
        raise BuildError(error.message, "Restore another build; see gridstead runs.") from error
    if found:
        name, count = next(iter(found.items()))
        msg = f"Check {name} finds {count} rows in {build.stem}."
        raise CheckError(msg, "The published build stays; restore another one.")
    return notes


def _again(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Rows that checks of severity error find now."""
    found = {}
    for name in store.sql_names("checks"):
        if "severity: error" in store.sql_text(name):
            count = len(store.query_file(con, name).fetchall())
            if count:
                found[name.rpartition("/")[2]] = count
    return found


def _are_of(exports: Path, inputs: str) -> bool:
    """Whether exports are of a build of these inputs, or there are none."""
    try:
        manifest = json.loads((exports / exporting.MANIFEST).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return not exports.is_dir() or not any(exports.iterdir())
    except ValueError:
        return False
    return manifest.get("inputs_sha256") == inputs

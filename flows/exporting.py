"""Export a published build: files for mapping tools, maps and the report.

Whatever is written here leaves out what the terms of its source do not let be passed on: see `flows.terms`.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import duckdb
import geopandas as gpd
import numpy as np

from data import store
from data.build import to_map
from data.errors import UsageError
from flows import bounds, rasters, selecting, terms, wording
from flows.exported import MANIFEST, already_there, sweep, tell
from flows.reporting import rows_of
from flows.run_report import report_data
from flows.selecting import LEVELS, TOP_PARCELS, Selection, require_level, require_rows
from flows.terms import Withheld
from geo.export import ExportLayer, ExportNote, find_format, people_tif, replacing
from geo.export._warn import ExportWarning
from geo.export.headroom_map import headroom_map
from geo.export.png import rank_map
from geo.export.report import markdown_report
from geo.export.report_html import html_report
from geo.people_grid import PeopleCells, grid_of

__all__ = [
    "LEVELS",
    "MANIFEST",
    "Selection",
    "export_level",
    "export_note",
    "export_run",
    "require_level",
    "require_rows",
    "require_workload",
]
# Kind of rows -> what reads them, and the table of mart whose words their columns have.
QUERIES = {
    "region": "query/regions_for_export",
    "parcel": "query/parcels_for_export",
    "substation": "query/substations_for_export",
    "metro": "query/metros_for_export",
}
TABLES = {
    "region": "ranked_regions",
    "parcel": "ranked_parcels",
    "substation": "substation",
    "metro": "metro",
}
CELL_COLUMNS = ("row_no", "column_no", "people_milli")


def export_run(build: Path, out: Path) -> list[Path]:
    """Write what every run exports: GeoParquet, one GeoPackage, a workbook, maps, rasters, the report, the page.

    Parameters
    ----------
    build
        Published build.
    out
        Folder to write to. When it already holds the exports of an equal build it is left alone.

    Returns
    -------
    list
        Files written, or those that were there.
    """
    with store.open_build(build) as con:
        run = rows_of(con, "query/run")[0]
        sweep(out)
        if kept := already_there(out, run["inputs_sha256"]):
            return [*kept, _page(build, out)]
        out.mkdir(parents=True, exist_ok=True)
        # Until all files are there, they are those of no build.
        (out / MANIFEST).unlink(missing_ok=True)
        held = terms.withheld(con)
        note = export_note(con, run, held)
        titles = {row["workload"]: row["title"] for row in rows_of(con, "query/workloads")}
        workloads = list(titles)
        layers = [
            layer for workload in workloads for layer in _workload_layers(con, workload, held)
        ]
        layers.append(_layer(con, "substations", "Substations by headroom", "substation", held))
        layers.append(_layer(con, "metros", "Metropolitan areas", "metro", held))
        written = [find_format("gpkg")(out / "gridstead.gpkg", layers, note)]
        parquet = find_format("geoparquet")
        written += [parquet(out / f"{layer.name}.parquet", [layer], note) for layer in layers]
        written.append(_workbook(layers, titles, out, note))
        written += [_map(con, workload, out, note) for workload in workloads]
        written.append(_headroom_map(con, out, note, held))
        written += _people(con, out, note)
        written += rasters.suitability(con, out, note)
        written += _report(con, out)
    tell(out, run["inputs_sha256"], written)
    return [*written, _page(build, out)]


def _page(build: Path, out: Path) -> Path:
    """Write the map page, which tells by itself whether an equal one is there."""
    # What cuts tiles takes a while to import.
    from flows import mapping

    return mapping.write(build, out / mapping.FOLDER).index


@dataclass(frozen=True)
class Exports:
    """What an export wrote.

    Parameters
    ----------
    files
        Files to what their format cut, in sentences.
    row_count
        Rows in each.
    held
        What was left out because of its terms, or is restricted.
    """

    files: dict[Path, list[str]]
    row_count: int
    held: Withheld

    def notes(self) -> list[str]:
        """Say what people should know about the files."""
        told = [f"{path.name}: {text}" for path, cut in self.files.items() for text in cut]
        if self.held.is_restricted:
            told.append(self.held.restriction)
        elif self.held.sources:
            named = "; ".join(self.held.named)
            told.append(f"Left out because of terms: {named}. See --with-restricted.")
        return told


def export_level(
    build: Path,
    workload: str,
    formats: Sequence[str],
    selection: Selection,
    out: Path,
    *,
    with_restricted: bool = False,
) -> Exports:
    """Write what is selected of one ranking in the formats asked for.

    Parameters
    ----------
    build
        Published build.
    workload
        Profile that ranks.
    formats
        Words of formats.
    selection
        Level and rows.
    out
        Folder to write to.
    with_restricted
        Leave nothing out for its terms: the names of the files then end in `_restricted`, and each says first
        that it must not be passed on.

    Raises
    ------
    UsageError
        The workload or the level does not exist, or the selection is wrong or selects nothing.
    GeoError
        A format does not exist, or cannot hold what is selected.
    """
    selecting.check(selection)
    writers = [find_format(word) for word in formats]
    memory = bounds.memory_mb() if selection.where else None
    with store.open_build(build, memory_mb=memory) as con:
        require_workload(con, workload)
        held = terms.withheld(con, with_restricted=with_restricted)
        note = export_note(con, rows_of(con, "query/run")[0], held)
        frame = selecting.selected(con, workload, selection, held)
        if selection.level == selecting.PARCEL:
            layer = _layer_of(
                con, f"{workload}_parcels", f"Parcels for {workload}", frame, "parcel", held
            )
        else:
            title = f"{selection.level.capitalize()} ranking for {workload}"
            layer = _layer_of(con, f"{workload}_regions", title, frame, "region", held)
        # A web map of all parcels begins far out, where only regions can be seen.
        is_tiled = "pmtiles" in formats and selection.level == selecting.PARCEL
        is_whole = not selection.where and not selection.area
        around = [_regions(con, workload, held)] if is_tiled and is_whole else []
    layer = replace(layer, description=selection.words)
    out.mkdir(parents=True, exist_ok=True)
    stem = f"{workload}_{selection.level}" + ("_restricted" if held.is_restricted else "")
    files = {}
    for writer in writers:
        with warnings.catch_warnings(record=True, category=ExportWarning) as caught:
            warnings.simplefilter("always", ExportWarning)
            layers = [*around, layer] if writer.word == "pmtiles" else [layer]
            path = writer(out / f"{stem}{writer.suffix}", layers, note)
        files[path] = [str(warning.message) for warning in caught]
    return Exports(files, len(layer.frame), held)


def export_note(
    con: duckdb.DuckDBPyConnection, run: dict[str, Any], held: Withheld | None = None
) -> ExportNote:
    """Gather what every exported file carries about the run and its sources.

    Parameters
    ----------
    con
        Open build.
    run
        Its row of `meta.run`.
    held
        What is withheld of the file; by default what terms ask for.
    """
    sources = rows_of(con, "query/source_report")
    held = held or terms.withheld(con)
    finished: date = run["started_at"].date()
    return ExportNote(
        run_id=run["run_id"],
        run_date=finished,
        study=run["study"],
        is_synthetic=run["is_synthetic"],
        attributions=[row["attribution"] for row in sources],
        licences=[f"{row['source_id']}: {row['data_terms']}" for row in sources],
        excluded=[] if held.is_restricted else held.named,
        tool_version=version("gridstead"),
        restriction=held.restriction,
    )


def require_workload(con: duckdb.DuckDBPyConnection, workload: str) -> None:
    """Check that the build ranks a workload."""
    known = [row["workload"] for row in rows_of(con, "query/workloads")]
    if workload not in known:
        msg = f"The build ranks no workload {workload!r}."
        raise UsageError(msg, f"It ranks: {', '.join(known)}.")


def _workload_layers(
    con: duckdb.DuckDBPyConnection, workload: str, held: Withheld
) -> list[ExportLayer]:
    return [
        _regions(con, workload, held),
        _layer(
            con,
            f"{workload}_parcels",
            f"First {TOP_PARCELS:,} parcels for {workload}",
            "parcel",
            held,
            {"workload": workload, "n": TOP_PARCELS},
        ),
    ]


def _regions(con: duckdb.DuckDBPyConnection, workload: str, held: Withheld) -> ExportLayer:
    """Read the regions of all levels."""
    params = {"workload": workload, "level": None, "n": None}
    return _layer(con, f"{workload}_regions", f"Regions for {workload}", "region", held, params)


def _layer(
    con: duckdb.DuckDBPyConnection,
    name: str,
    title: str,
    kind: str,
    held: Withheld,
    params: dict[str, Any] | None = None,
) -> ExportLayer:
    """Read a kind of rows and leave out what may not be passed on."""
    frame = selecting.read(store.query_file(con, QUERIES[kind], params))
    return _layer_of(con, name, title, terms.apply(frame, held, kind), kind, held)


def _layer_of(
    con: duckdb.DuckDBPyConnection,
    name: str,
    title: str,
    frame: gpd.GeoDataFrame,
    kind: str,
    held: Withheld,
) -> ExportLayer:
    table = {"table_name": TABLES[kind]}
    docs = dict(store.query_file(con, "query/column_docs", table).fetchall())
    known = {
        column: docs[column] for column in frame.columns if column in docs and column != "geometry"
    }
    words = wording.aliases(con, kind, frame.columns)
    return ExportLayer(name, title, frame, column_docs=terms.documented(known, held), aliases=words)


def _workbook(
    layers: Sequence[ExportLayer], titles: dict[str, str], out: Path, note: ExportNote
) -> Path:
    """Write the counties of every workload as a workbook, for people without mapping tools."""
    named = {layer.name: layer for layer in layers}
    sheets = []
    for workload, title in titles.items():
        layer = named[f"{workload}_regions"]
        counties = layer.frame[layer.frame["region_kind"] == "county"]
        # A sheet has no outlines, and need not have them checked again.
        counties = counties.set_geometry([None] * len(counties), crs=layer.frame.crs)
        sheets.append(
            replace(layer, name=f"{workload}_counties", title=f"{title}, counties", frame=counties)
        )
    return find_format("xlsx")(out / "gridstead.xlsx", sheets, note)


def _map(con: duckdb.DuckDBPyConnection, workload: str, out: Path, note: ExportNote) -> Path:
    params = {"workload": workload, "level": "county", "n": None}
    counties = to_map(store.query_file(con, "query/regions_for_export", params))
    states = to_map(store.query_file(con, "query/state_outline"))
    titles = {row["workload"]: row for row in rows_of(con, "query/workloads")}
    return rank_map(
        out / f"{workload}.png",
        counties,
        states,
        title=f"{titles[workload]['title']}: counties by rank",
        subtitle=titles[workload]["summary"],
        note=note,
    )


def _report(con: duckdb.DuckDBPyConnection, out: Path) -> list[Path]:
    told = report_data(con)
    texts = {"report.md": markdown_report(told), "report.html": html_report(told)}
    for name, text in texts.items():
        with replacing(out / name) as temporary:
            temporary.write_text(text, encoding="utf-8")
    return [out / name for name in texts]


def _headroom_map(
    con: duckdb.DuckDBPyConnection, out: Path, note: ExportNote, held: Withheld
) -> Path:
    substations = to_map(store.query_file(con, QUERIES["substation"]))
    return headroom_map(
        out / "headroom.png",
        terms.apply(substations, held, "substation"),
        to_map(store.query_file(con, "query/state_outline")),
        title="What more load substations can serve",
        subtitle="Headroom with any one branch out of service (N-1), MW; middle of the interval, low and high below it",
        note=note,
    )


def _people(con: duckdb.DuckDBPyConnection, out: Path, note: ExportNote) -> list[Path]:
    """Write the cells that people stand in as a GeoTIFF, if there are any and exports may carry them."""
    columns = store.query_file(con, "query/people_cells").fetchnumpy()
    cells = PeopleCells(*(columns[name].astype(np.int64) for name in CELL_COLUMNS))
    (told,) = rows_of(con, "query/people_sources")
    if not len(cells.milli) or not told["is_exportable"]:
        return []
    path, grid = out / "people.tif", grid_of(cells)
    return [people_tif.write(path, grid, note, source=told["titles"], method=told["methods"])]

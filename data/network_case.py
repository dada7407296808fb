"""A user's own network case in the place of a study's grid."""

import importlib.util
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from data import store
from data.catalogue import Catalogue, Lock, Source, with_own
from data.errors import GridsteadError, InputError, UsageError
from data.readers import read_table
from data.readers.case import COLUMNS
from data.readers.raster import RASTER
from data.study import NetworkCase, Study, Theme, load_study

CASE_SOURCE = "network_case"
POINTS_SOURCE = "network_points"
THEME = "grid"
READERS = {".m": "matpower", ".nc": "pypsa", ".zip": "pypsa"}
# Layers that the case fills, in the order in which their staging objects look into one another.
LAYERS = {
    "substation": ["case_substation"],
    "bus": ["case_bus"],
    "branch": ["case_branch"],
    "line": ["case_line"],
    "plant": ["case_plant"],
    "dc_tie": ["case_dc_tie"],
}
HELPERS = ["case_node"]
# The raw tables of a case; points come from a file of their own where one is given.
TABLES = ("bus", "branch", "gen", "dcline", "place")
REFERENCE_PREFIX = "ref_"


def load_with_case(name: str, network: NetworkCase | None = None) -> Study:
    """Load a study, with the network case given, or with that of its own file, as its grid.

    Raises
    ------
    StudyError
        As `load_study`.
    """
    study = load_study(name)
    network = network or study.network
    return with_network(study, network) if network else study


def with_network(study: Study, network: NetworkCase) -> Study:
    """Give a study the user's case as its grid, and the load flow as its method.

    The layers that the case fills are no longer filled from the study's sources. Sources that only fed
    them are not pulled; what other layers look into of them is still staged, and fills nothing.
    """
    catalogue, _ = with_own(study.catalogue)
    themes = {name: _without(theme, catalogue) for name, theme in study.themes.items()}
    grid = themes.get(THEME, Theme(sources=[], layers={}))
    points = [POINTS_SOURCE] if network.points else []
    staged = {**LAYERS, "substation": [*LAYERS["substation"], *(["case_point"] if points else [])]}
    themes[THEME] = grid.model_copy(
        update={
            "sources": [*grid.sources, CASE_SOURCE, *points],
            "helpers": [*grid.helpers, *HELPERS],
            "layers": {**staged, **grid.layers},
        }
    )
    limit = (
        f"The grid is the network case {network.case.name} that was supplied for this run: substations, "
        "lines and generation outside it are not known."
    )
    return study.model_copy(
        update={
            "network": network,
            "themes": themes,
            "headroom_method": "load_flow",
            "limits": [limit, *study.limits],
        }
    )


def catalogue_of(study: Study) -> tuple[Catalogue, Lock]:
    """Catalogue and lock that a study's sources are looked up in, its own and its case among them.

    Raises
    ------
    CatalogueError
        The study's own catalogue is missing or not valid.
    """
    catalogue, lock = with_own(study.catalogue)
    if study.network is None:
        return catalogue, lock
    needed = {name for theme in study.themes.values() for name in _raw_tables(_staged(theme))}
    sources = [_needed_of(source, needed) for source in catalogue.sources]
    return Catalogue(sources=[*sources, *_sources(study.network)]), lock


def check_network(network: NetworkCase) -> None:
    """Check that a case can be read and placed, before anything is pulled.

    Raises
    ------
    UsageError
        The case is of no kind that is read.
    InputError
        A file is missing or cannot be read, PyPSA is needed and not installed, or no bus has a point.
    """
    for path, option in ((network.case, "--network"), (network.points, "--network-points")):
        if path is not None and not path.is_file():
            msg = f"There is no network file {path}."
            hint = " A folder of PyPSA's CSV files is given as a zip." if path.is_dir() else ""
            raise InputError(msg, f"Check the path given to {option}.{hint}")
    if network.case.suffix.lower() not in READERS:
        msg = f"{network.case.name} is no network case that is read."
        raise UsageError(msg, f"Give MATPOWER (.m) or PyPSA (.nc, .zip): {', '.join(READERS)}.")
    if _reader(network) == "pypsa" and importlib.util.find_spec("pypsa") is None:
        msg = f"{network.case.name} is a PyPSA network, and PyPSA is not installed."
        raise InputError(msg, "Install it with Gridstead: pip install gridstead[cases].")
    try:
        bus, place, point = _read(network)
    except GridsteadError as error:
        raise InputError(error.message, error.hint) from error
    _check_places(network, bus, place, point)


def _check_places(
    network: NetworkCase, bus: set[str], place: list[dict[str, Any]], point: list[dict[str, Any]]
) -> None:
    if network.points is not None:
        known = [row for row in point if row["bus_id"] in bus]
        if not known:
            msg = f"{network.points.name} holds the point of no bus of {network.case.name}."
            first = ", ".join(sorted(bus)[:3])
            raise InputError(
                msg, f"Its column bus_id must hold the case's own numbers: {first}, ..."
            )
    elif not any(row["lon"] for row in place):
        msg = f"{network.case.name} does not say where its buses stand."
        raise InputError(msg, "Give a CSV of bus_id, lon and lat with --network-points.")


def _read(
    network: NetworkCase,
) -> tuple[set[str], list[dict[str, Any]], list[dict[str, Any]]]:
    """Ids of the buses, places by the case, and points by the file, if any."""
    rows = {}
    for source, path in zip(_sources(network), _paths(network), strict=True):
        for name, table in source.tables.items():
            if name in {"case_bus", "case_place", "case_point"}:
                rows[name] = read_table(table, path, source).to_pylist()
    ids = {row["bus_id"] for row in rows["case_bus"] if row["bus_id"]}
    return ids, rows["case_place"], rows["case_point"]


def _paths(network: NetworkCase) -> list[Path]:
    return [network.case, *([network.points] if network.points else [])]


def _reader(network: NetworkCase) -> str:
    return READERS[network.case.suffix.lower()]


def _sources(network: NetworkCase) -> list[Source]:
    """Catalogue entries of the case and, if there is one, of its file of points."""
    reader, case, points = _reader(network), network.case, network.points
    names = TABLES if points else (*TABLES, "point")
    tables = {
        f"case_{name}": {
            "reader": reader,
            "options": {"table": name},
            "required": list(COLUMNS[name]),
        }
        for name in names
    }
    found = [_source(network, CASE_SOURCE, f"Network case {case.name}", case, tables)]
    if points is not None:
        table = {"case_point": {"reader": "case_points", "required": list(COLUMNS["point"])}}
        title = f"Points of the buses of {case.name}, {points.name}"
        found.append(_source(network, POINTS_SOURCE, title, points, table))
    return found


def _source(
    network: NetworkCase, source_id: str, title: str, path: Path, tables: dict[str, Any]
) -> Source:
    return Source.model_validate(
        {
            "id": source_id,
            "title": title,
            "theme": THEME,
            "access": {"kind": "file", "path": str(path)},
            "licence": "yours",
            "data_terms": "yours",
            "attribution": f"supplied by the user, {path.name}",
            "as_of": "not stated",
            "is_exportable": network.is_exportable,
            "tables": tables,
        }
    )


def _without(theme: Theme, catalogue: Catalogue) -> Theme:
    """Take a theme's grid out of it, but for what its other layers look into."""
    layers = {name: staged for name, staged in theme.layers.items() if name not in LAYERS}
    if layers == theme.layers:
        return theme
    kept = [item for staged in layers.values() for item in staged]
    helpers = _helpers(kept, theme.helpers)
    needed = _raw_tables([*helpers, *kept])
    return theme.model_copy(
        update={
            "sources": [n for n in theme.sources if _is_needed(catalogue.source(n), needed)],
            "layers": layers,
            "helpers": helpers,
            "lookups": _lookups(layers, theme, needed),
        }
    )


def _is_needed(source: Source, needed: set[str]) -> bool:
    return any(name in needed or table.reader == RASTER for name, table in source.tables.items())


def _needed_of(source: Source, needed: set[str]) -> Source:
    """Leave out of a source the tables that nothing looks into any more."""
    if not _is_needed(source, needed):
        return source
    tables = {
        name: table
        for name, table in source.tables.items()
        if name in needed or table.reader == RASTER
    }
    return source.model_copy(update={"tables": tables})


def _lookups(layers: dict[str, list[str]], theme: Theme, needed: set[str]) -> dict[str, str]:
    """Name for each raw table that no layer accounts for any more a layer that it is joined into."""
    told = {name for staged in layers.values() for item in staged for name in _accounted(item)}
    found = {
        name: layer for name, layer in theme.lookups.items() if name in needed and layer in layers
    }
    for layer, staged in layers.items():
        helpers = _helpers(staged, [])
        for name in sorted(_raw_tables([*helpers, *staged])):
            if name not in told and name not in found:
                found[name] = layer
    return found


def _staged(theme: Theme) -> list[str]:
    return [*theme.helpers, *(item for staged in theme.layers.values() for item in staged)]


def _helpers(staged: Iterable[str], known: Iterable[str]) -> list[str]:
    """Staging objects that those given look into, each after those that it looks into itself."""
    staged = list(staged)
    found: list[str] = []
    objects = {name.rpartition("/")[2] for name in store.sql_names("staging")}

    def visit(item: str) -> None:
        for other in re.findall(r"\bstaging\.(\w+)", store.sql_text(f"staging/{item}")):
            if other in objects and other != item and other not in {*staged, *found}:
                visit(other)
                found.append(other)

    for item in [*known, *staged]:
        visit(item)
    return found


def _raw_tables(staged: Iterable[str]) -> set[str]:
    """Raw tables, without those of reference, that staging objects read."""
    text = "\n".join(store.sql_text(f"staging/{item}") for item in staged)
    found = set(re.findall(r"\braw\.(\w+)", text))
    return {name for name in found if not name.startswith(REFERENCE_PREFIX)}


def _accounted(item: str) -> list[str]:
    """Raw tables whose rows a staging object loads or rejects."""
    return re.findall(r"'(\w+)' as raw_table", store.sql_text(f"staging/{item}"))

"""Files of assessed sites: CSV (a row a site and use), GeoJSON (a feature a site), Markdown."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd

from data import store
from data.errors import UsageError
from flows import terms
from flows.assess import Assessed
from flows.assess_show import assess, grid_text
from flows.exporting import export_note
from flows.show import Shown
from flows.terms import Withheld
from geo.export import ExportLayer, find_format
from geo.export.site_report import markdown_sites

# Of a site, in every file.
SITE = (
    *("row", "name", "lat", "lon", "place", "parcel_id", "county_id", "state_id"),
    *("energized_mw", "wanted_mw", "mw_low", "mw_mid", "mw_high"),
    *("grid_mw_low", "grid_mw_mid", "grid_mw_high", "acres", "usd_per_mwh"),
    *("cooling", "fiber_carriers", "available_date", "best_use", "fix_first", "note"),
)
USE = (
    *("gate_status", "score_low", "score_high", "percentile_low", "percentile_high"),
    *("rank", "candidate_count"),
)
SUFFIX = {"csv": ".csv", "geojson": ".geojson", "markdown": ".md"}


def assess_and_write(build: Path, sites: Path, paths: Mapping[str, Path | None]) -> Shown:
    """Assess a list of sites, and write the files that are asked for, by `csv`, `geojson` and `markdown`.

    Raises
    ------
    UsageError
        A file has another suffix than its format.
    InputError
        The list cannot be read, no row of it is good, or no site lies in the study.
    """
    check_paths(paths)
    shown, assessed = assess(build, sites)
    written = write_files(build, assessed, paths)
    shown.sections[-1].notes += [f"Written: {path}" for path in written]
    return shown


def check_paths(paths: Mapping[str, Path | None]) -> None:
    """Refuse names of files before any work is done.

    Raises
    ------
    UsageError
        A file has another suffix than its format.
    """
    for kind, path in paths.items():
        if path is not None and path.suffix.casefold() != SUFFIX[kind]:
            msg = f"--{kind} {path} does not end in {SUFFIX[kind]}."
            raise UsageError(msg, f"Name a file such as assessed{SUFFIX[kind]}.")


def write_files(build: Path, assessed: Assessed, paths: Mapping[str, Path | None]) -> list[Path]:
    """Write the files that are asked for, by `csv`, `geojson` and `markdown`."""
    wanted = {kind: path for kind, path in paths.items() if path is not None}
    if not wanted:
        return []
    with store.open_build(build) as con:
        held = terms.withheld(con)
        note = export_note(con, assessed.run, held)
    for kind, path in wanted.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        if kind == "markdown":
            path.write_text(_markdown(assessed), encoding="utf-8")
        else:
            find_format(kind)(path, [_layer(assessed, kind, held)], note)
    return list(wanted.values())


def _markdown(assessed: Assessed) -> str:
    run = assessed.run
    about = [
        f"Study {run['study']}, run {run['run_id']}.",
        "Percentiles and ranks are among the parcels of the build that fail no gate.",
        *(f"Not assessed: {problem}" for problem in assessed.listed.problems()),
        *(f"{site['name']}: {text}" for site in assessed.sites if (text := grid_text(site))),
    ]
    return markdown_sites(
        assessed.sites,
        title=f"What the sites of {assessed.listed.file} are good for",
        about=about,
        is_synthetic=run["is_synthetic"],
    )


def _layer(assessed: Assessed, kind: str, held: Withheld) -> ExportLayer:
    rows = _long(assessed, held) if kind == "csv" else _wide(assessed, held)
    frame = pd.DataFrame(rows)
    frame["available_date"] = frame["available_date"].astype("string")
    points = gpd.points_from_xy(frame["lon"], frame["lat"])
    return ExportLayer(
        "assessed_sites",
        "Sites, assessed",
        gpd.GeoDataFrame(frame, geometry=points, crs="OGC:CRS84"),
        "What sites that somebody owns are good for, and what they lack.",
    )


def site_columns(site: Mapping[str, Any], held: Withheld) -> dict[str, Any]:
    """Give what a file says of a site: a price that its owner did not state, only where terms let it be passed on."""
    row = {name: site[name] for name in SITE}
    if "industrial_usd_per_mwh" in held.columns and not site["is_usd_per_mwh_stated"]:
        row["usd_per_mwh"] = None
    return row


def _long(assessed: Assessed, held: Withheld) -> list[dict[str, Any]]:
    """One row a site and use; a site that was not assessed has one row."""
    return [
        site_columns(site, held)
        | {"use": use.get("use")}
        | {name: use.get(name) for name in (*USE, *_cost_names(use))}
        | {
            "disqualified_by": _texts(use, {"fail"}),
            "still_needs": _texts(use, {"unknown", "want"}),
        }
        for site in assessed.sites
        for use in site["uses"] or [{}]
    ]


def _wide(assessed: Assessed, held: Withheld) -> list[dict[str, Any]]:
    """One row a site, the figures of each use under its name."""
    found = []
    for site in assessed.sites:
        row = site_columns(site, held)
        for use in site["uses"]:
            row |= {f"{use['use']}_{name}": use[name] for name in (*USE, *_cost_names(use)) if name in use}  # fmt: skip
            row[f"{use['use']}_disqualified_by"] = _texts(use, {"fail"})
            row[f"{use['use']}_still_needs"] = _texts(use, {"unknown", "want"})
        found.append(row)
    return found


def _cost_names(use: Mapping[str, Any]) -> list[str]:
    return [name for name in use if name.startswith("cost_") and name != "cost_text"]


def _texts(use: Mapping[str, Any], status: set[str]) -> str | None:
    lacks = use.get("needs") or []
    return "; ".join(need["text"] for need in lacks if need["status"] in status) or None

"""The steps of a run as plain functions: paths, ids and connections in, paths out."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from data import build as builds
from data import store
from data.catalogue import Catalogue, Source
from data.errors import InputError
from data.network_case import catalogue_of
from data.pull import Progress, Pulled, mirror_from_environment, pull
from data.stage import REFERENCE_DIR, REFERENCE_SOURCE, stage_theme
from data.study import Study
from data.workload import major_metro_people, study_workloads
from flows import keys
from flows.area import narrow
from flows.clock import utc
from flows.dividing import divide_cells, divide_files
from flows.home import Home
from flows.request import RunRequest, area_of
from flows.results import Log, attach, beside, is_there, layer_content, write
from geo.regions import needs_outline, region_shapes

# Layers that land is divided by; what else a study knows moves no parcel.
DIVIDED_BY = ("county", "state", "lake")
# What the shapes of regions are made from, beside the outlines of clipped cells.
REGION_COLUMNS = ("parcel_id", "parcel_kind", "land_share", "lake_share", "lon", "lat")
LOCATED_COLUMNS = ("parcel_id", "zone_id", "region_metro_id")


def pull_source(
    source_id: str, home: Home, study: Study, *, offline: bool, progress: Progress | None = None
) -> Pulled:
    """Bring one source to the cache."""
    catalogue, lock = catalogue_of(study)
    return pull(
        catalogue.source(source_id),
        lock,
        cache_dir=home.cache,
        mirror=mirror_from_environment(),
        offline=offline,
        require_fresh=source_id in study.required_fresh,
        progress=progress,
    )


def stage(study: Study, theme: str, pulled: Mapping[str, Pulled], home: Home, log: Log) -> Path:
    """Stage one theme, or reuse its staged database when nothing it depends on has changed."""
    spec = study.themes[theme]
    catalogue, _ = catalogue_of(study)
    inputs = {sid: (pulled[sid].filename, pulled[sid].sha256) for sid in spec.sources}
    # What the bytes are counts, not where they were found.
    entries = [catalogue.source(sid).model_dump(exclude={"access"}) for sid in spec.sources]
    key = keys.key_of(theme, spec.model_dump(), inputs, entries, keys.code_key(keys.STAGE_CODE))
    target = home.work / f"stage-{theme}-{key}.duckdb"
    if is_there(target, f"{theme} layers", log):
        return target
    paths = {source_id: pulled[source_id].path for source_id in spec.sources}
    for load in stage_theme(theme, spec, catalogue, paths, target, log=log):
        log(
            f"{load.raw_table}: {load.rows_read:,} read, {load.rows_loaded:,} loaded "
            f"({load.rows_merged:,} merged), {load.rows_rejected:,} rejected"
        )
    return target


def assemble(
    study: Study, themes: Mapping[str, Path], pulled: Mapping[str, Pulled], home: Home, log: Log
) -> Path:
    """Put the layers of all themes, and those derived from them, into one database."""
    rows = source_rows(catalogue_of(study)[0], pulled)
    # When and from where the bytes came, and whether their source was asked in vain, is told of each run,
    # not part of what the layers are.
    pinned = [{**row, "fetched_at": None, "origin": None, "is_stale": False} for row in rows]
    names = {theme: path.name for theme, path in themes.items()}
    people = major_metro_people(study_workloads(study))
    key = keys.key_of(names, study.derived, pinned, people, keys.code_key(keys.STAGE_CODE))
    target = home.work / f"layers-{key}.duckdb"
    if not is_there(target, "layers", log):
        builds.assemble(target, study, themes, rows, major_people=people)
    return target


def divide(study: Study, request: RunRequest, layers: Path, home: Home, log: Log) -> Path:
    """Divide the land of the area into parcels."""
    resolution = request.resolution or study.divide.resolution
    files = [(path.name, keys.path_key(path)) for path in request.parcels]
    area = [
        keys.file_key(Path(word)) if Path(word).is_file() else word
        for word in area_of(study, request)
    ]
    with store.create() as con:
        attach(con, layers)
        content = layer_content(con, DIVIDED_BY)
    key = keys.key_of(
        content,
        area,
        resolution,
        study.divide.model_dump(),
        files,
        request.parcel_id,
        request.parcel_acres,
        keys.code_key(keys.DIVIDE_CODE),
    )
    target = home.work / f"parcel-{key}.parquet"
    if is_there(target, "parcels", log):
        return target
    made = target.with_name(target.name + ".made.part")
    with store.create() as con:
        attach(con, layers)
        whole = builds.layer_map(con, "county")
        counties = narrow(whole, builds.layer_frame(con, "state"), area_of(study, request))
        lakes = builds.layer_map(con, "lake")
        if request.parcels:
            found = divide_files(request, study.divide, counties, whole, lakes, made)
        else:
            found = divide_cells(study.divide, resolution, counties, lakes, made)
    if not found.parcels:
        what = "parcel of the files" if request.parcels else f"cell of resolution {resolution}"
        msg = f"No {what} lies on land of the area ({' '.join(area_of(study, request))})."
        hint = "Check the CRS of the files and --area, or take a finer --resolution."
        raise InputError(msg, hint)
    for note in found.notes:
        log(note)
    write(found.left_out, target.with_suffix(".left-out.parquet"))
    write(found.rejected, target.with_suffix(".rejected.parquet"))
    write(counties, target.with_suffix(".counties.parquet"))
    # Last: what lies beside the parcels is there whenever they are.
    store.replace_atomically(made, target)
    log(f"{found.parcels:,} parcels, {len(found.left_out):,} left out")
    return target


def make_regions(layers: Path, parcels: Path, metrics: Path, home: Home, log: Log) -> Path:
    """Shapes of the regions: counties, states, and where the parcels of metros and zones lie."""
    key = keys.key_of(layers.name, parcels.name, metrics.name, keys.code_key(keys.DIVIDE_CODE))
    target = home.work / f"region-{key}.parquet"
    if is_there(target, "region shapes", log):
        return target
    with store.create() as con:
        attach(con, layers)
        metro = builds.layer_frame(con, "metro")
        zone = builds.layer_frame(con, "zone")
    counties = gpd.read_parquet(parcels.with_suffix(".counties.parquet"))
    frame, clipped = _shown(parcels, metrics)
    write(region_shapes(counties, frame, clipped, metro, zone), target)
    return target


def _shown(parcels: Path, metrics: Path) -> tuple[pd.DataFrame, np.ndarray]:
    """Parcels that show where regions lie, and the outlines of clipped cells."""
    spots = beside(parcels, "spot")
    if spots.is_file():
        # The file of parcels holds but those that a build keeps in full.
        frame = pd.read_parquet(spots)
        outlines = frame.pop("geometry").to_numpy()
        return frame, shapely.from_wkb(outlines[needs_outline(frame)])
    located = pd.read_parquet(metrics, columns=list(LOCATED_COLUMNS))
    frame = pd.read_parquet(parcels, columns=list(REGION_COLUMNS))
    frame = frame.merge(located, how="left", on="parcel_id", validate="one_to_one")
    return frame, _outlines(parcels, needs_outline(frame))


def _outlines(parcels: Path, is_wanted: np.ndarray) -> np.ndarray:
    """Geometries of some rows of a file of parcels; no other is held."""
    found: list[np.ndarray] = []
    if is_wanted.any():
        start = 0
        with pq.ParquetFile(parcels, pre_buffer=False) as file:
            for batch in file.iter_batches(columns=["geometry"]):
                held = batch.column(0).filter(pa.array(is_wanted[start : start + len(batch)]))
                found.append(shapely.from_wkb(held.to_numpy(zero_copy_only=False)))
                start += len(batch)
    return np.concatenate(found) if found else np.empty(0, dtype=object)


def source_rows(catalogue: Catalogue, pulled: Mapping[str, Pulled]) -> list[dict[str, Any]]:
    """Rows of `meta.source`, the project's own reference tables among them."""
    rows = [
        _source_row(catalogue.source(source_id), got) for source_id, got in sorted(pulled.items())
    ]
    reference = [keys.file_key(path) for path in sorted(REFERENCE_DIR.glob("*.csv"))]
    rows.append(
        {
            "source_id": REFERENCE_SOURCE,
            "title": "Reference tables of public figures that come with Gridstead",
            "theme": "reference",
            "access_kind": "file",
            "version": "in the repository",
            "as_of": "each row states its year",
            "licence": "Apache-2.0",
            "data_terms": "US Government works and conventions; each row states its source",
            "attribution": "U.S. Census Bureau, EIA, NOAA, NREL; see data/reference",
            "is_synthetic": False,
            "is_exportable": True,
            "is_stale": False,
            "origin": "repository",
            "sha256": keys.key_of(reference),
            "bytes": sum(path.stat().st_size for path in REFERENCE_DIR.glob("*.csv")),
            "fetched_at": None,
        }
    )
    return rows


def _source_row(source: Source, pulled: Pulled) -> dict[str, Any]:
    return {
        "source_id": source.id,
        **source.model_dump(
            include={
                "title",
                "theme",
                "as_of",
                "licence",
                "data_terms",
                "attribution",
                "is_synthetic",
                "is_exportable",
            }
        ),
        "access_kind": source.access.kind,
        "version": source.version,
        "is_stale": pulled.is_stale,
        "origin": pulled.origin,
        "sha256": pulled.sha256,
        "bytes": pulled.bytes,
        "fetched_at": utc(pulled.fetched_at),
    }

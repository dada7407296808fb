"""The steps of a run as plain functions: paths, ids and connections in, paths out."""

import os
import shutil
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import geopandas as gpd
import pandas as pd

from data import build as builds
from data import store
from data.catalogue import Catalogue, Source, with_own
from data.errors import BuildError, CheckError, InputError
from data.metrics import METRICS
from data.parcels import read_parcels
from data.pull import Progress, Pulled, mirror_from_environment, pull
from data.stage import REFERENCE_DIR, REFERENCE_SOURCE, stage_theme
from data.study import Study
from data.workload import study_workloads
from flows import keys
from flows.area import narrow
from flows.home import Home
from flows.housekeeping import prune
from flows.request import RunRequest
from geo.divide import assessor_parcels, h3_parcels
from geo.headroom import substation_headroom
from geo.layers import Layers
from geo.measure import measure
from geo.regions import region_shapes
from geo.snap import feeding_substations, load_by_people, snapped_circuits

Log = Callable[[str], None]


def pull_source(
    source_id: str, home: Home, study: Study, *, offline: bool, progress: Progress | None = None
) -> Pulled:
    """Bring one source to the cache."""
    catalogue, lock = with_own(study.catalogue)
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
    catalogue, _ = with_own(study.catalogue)
    inputs = {sid: (pulled[sid].filename, pulled[sid].sha256) for sid in spec.sources}
    # What the bytes are counts, not where they were found.
    entries = [catalogue.source(sid).model_dump(exclude={"access"}) for sid in spec.sources]
    key = keys.key_of(theme, spec.model_dump(), inputs, entries, keys.code_key(keys.STAGE_CODE))
    target = home.work / f"stage-{theme}-{key}.duckdb"
    if _is_there(target, f"{theme} layers", log):
        return target
    paths = {source_id: pulled[source_id].path for source_id in spec.sources}
    for load in stage_theme(theme, spec, catalogue, paths, target, log=log):
        log(
            f"{load.raw_table}: {load.rows_read:,} read, {load.rows_loaded:,} loaded, "
            f"{load.rows_merged:,} merged, {load.rows_rejected:,} rejected"
        )
    return target


def assemble(
    study: Study, themes: Mapping[str, Path], pulled: Mapping[str, Pulled], home: Home, log: Log
) -> Path:
    """Put the layers of all themes, and those derived from them, into one database."""
    rows = source_rows(with_own(study.catalogue)[0], pulled)
    # When and from where the bytes came is told of each run, not part of what the layers are.
    pinned = [{**row, "fetched_at": None, "origin": None} for row in rows]
    names = {theme: path.name for theme, path in themes.items()}
    key = keys.key_of(names, study.derived, pinned, keys.code_key(keys.STAGE_CODE))
    target = home.work / f"layers-{key}.duckdb"
    if not _is_there(target, "layers", log):
        builds.assemble(target, study, themes, rows)
    return target


def divide(study: Study, request: RunRequest, layers: Path, home: Home, log: Log) -> Path:
    """Divide the land of the area into parcels."""
    resolution = request.resolution or study.divide.resolution
    files = [(path.name, keys.path_key(path)) for path in request.parcels]
    area = [
        keys.file_key(Path(word)) if Path(word).is_file() else word
        for word in area_of(study, request)
    ]
    key = keys.key_of(
        layers.name,
        area,
        resolution,
        study.divide.model_dump(),
        files,
        request.parcel_id,
        request.parcel_acres,
        keys.code_key(keys.DIVIDE_CODE),
    )
    target = home.work / f"parcel-{key}.parquet"
    if _is_there(target, "parcels", log):
        return target
    with store.create() as con:
        _attach(con, layers)
        whole = builds.layer_map(con, "county")
        counties = narrow(whole, builds.layer_frame(con, "state"), area_of(study, request))
        if request.parcels:
            read = read_parcels(
                request.parcels, id_column=request.parcel_id, acres_column=request.parcel_acres
            )
            divided = assessor_parcels(read.frame, counties, whole)
            rejected = read.rejected
            for note in read.notes:
                log(note)
        else:
            divided = h3_parcels(
                counties,
                builds.layer_map(con, "lake"),
                resolution=resolution,
                min_land_share=study.divide.min_land_share,
                max_lake_share=study.divide.max_lake_share,
            )
            rejected = pd.DataFrame(
                columns=["raw_table", "file", "raw_row", "reject_code", "reason"]
            )
    if divided.parcels.empty:
        what = "parcel of the files" if request.parcels else f"cell of resolution {resolution}"
        msg = f"No {what} lies on land of the area ({' '.join(area_of(study, request))})."
        hint = "Check the CRS of the files and --area, or take a finer --resolution."
        raise InputError(msg, hint)
    _write(divided.left_out, target.with_suffix(".left-out.parquet"))
    _write(rejected, target.with_suffix(".rejected.parquet"))
    _write(counties, target.with_suffix(".counties.parquet"))
    _write(divided.parcels, target)
    log(f"{len(divided.parcels):,} parcels, {len(divided.left_out):,} left out")
    return target


def measure_parcels(study: Study, layers: Path, parcels: Path, home: Home, log: Log) -> Path:
    """Measure every parcel; beside the metrics, the headroom of every substation is kept."""
    key = keys.key_of(
        layers.name, parcels.name, study.headroom_method, keys.code_key(keys.MEASURE_CODE)
    )
    target = home.work / f"metric-{key}.parquet"
    if _is_there(target, "metrics", log):
        return target
    with store.create() as con:
        _attach(con, layers)
        frames: dict[str, Any] = {
            name: builds.layer_frame(con, name) for name in Layers.__annotations__
        }
    canonical = Layers(**frames)
    substation, line, plant = canonical.substation, canonical.line, canonical.plant
    classes = pd.read_csv(REFERENCE_DIR / "line_class.csv")
    if study.headroom_method == "snapped_lines":
        line = snapped_circuits(line, substation)
        plant = plant.assign(substation_id=feeding_substations(plant, substation))
        import_mw = substation_headroom(substation, line, plant, classes)["import_n1_mw"]
        peak = pd.read_csv(REFERENCE_DIR / "peak_load.csv")["peak_kw_per_person"].item()
        load_mw = load_by_people(canonical.people, substation, import_mw.to_numpy(float), peak)
        substation = substation.assign(load_mw=substation["load_mw"].fillna(pd.Series(load_mw)))
        log(f"{len(line):,} circuits snapped to substations")
    headroom = substation_headroom(substation, line, plant, classes)
    headroom["load_mw"] = substation["load_mw"].to_numpy()
    _write(headroom, target.with_suffix(".headroom.parquet"))
    metrics = measure(gpd.read_parquet(parcels), canonical, headroom)
    metrics["known_share"] = known_share(metrics)
    _write(metrics, target)
    return target


def known_share(metrics: pd.DataFrame) -> pd.Series:
    """Share of the metrics that the study knows of any parcel, that are known of each parcel."""
    known = metrics[[name for name in METRICS if name in metrics]].notna()
    ever = known.loc[:, known.any()]
    return ever.mean(axis=1)


def make_regions(layers: Path, parcels: Path, metrics: Path, home: Home, log: Log) -> Path:
    """Shapes of the regions: counties, states, and the unions of the parcels of metros and zones."""
    key = keys.key_of(layers.name, parcels.name, metrics.name, keys.code_key(keys.DIVIDE_CODE))
    target = home.work / f"region-{key}.parquet"
    if _is_there(target, "region shapes", log):
        return target
    with store.create() as con:
        _attach(con, layers)
        metro = builds.layer_frame(con, "metro")
        zone = builds.layer_frame(con, "zone")
    located = pd.read_parquet(metrics, columns=["parcel_id", "zone_id", "region_metro_id"])
    counties = gpd.read_parquet(parcels.with_suffix(".counties.parquet"))
    frame = gpd.read_parquet(parcels).merge(located, on="parcel_id", validate="one_to_one")
    _write(region_shapes(counties, frame, metro, zone), target)
    return target


def publish(
    study: Study,
    request: RunRequest,
    run_id: str,
    started_at: datetime,
    paths: Mapping[str, Path],
    pulled: Mapping[str, Pulled],
    seconds: Mapping[str, float],
    home: Home,
    log: Log,
) -> Path:
    """Score, rank and check in a temporary build; publish it only when no check fails.

    Raises
    ------
    CheckError
        A check of severity error found offending rows; the last build stays published.
    """
    began = datetime.now(UTC)
    inputs = _inputs_key(study, request, paths)
    temporary = home.builds / f"{run_id}.duckdb.tmp"
    is_same = _published_inputs(home) == inputs
    con = None
    try:
        shutil.copyfile(home.build if is_same else paths["layers"], temporary)
        con = store.create(temporary)
        if is_same:
            log("scores and ranks: unchanged, reused")
            builds.forget_run(con)
        else:
            _make_build(con, study, paths)
        _run_row(con, study, request, run_id, started_at, paths, pulled, inputs)
        _check(con, log)
        elapsed = {**seconds, "publish": (datetime.now(UTC) - began).total_seconds()}
        con.execute(
            "update meta.run set finished_at = $now, seconds = map($names, $values)",
            {
                "now": _utc(datetime.now(UTC)),
                "names": list(elapsed),
                "values": list(elapsed.values()),
            },
        )
        store.seal(con, temporary)
    except BaseException:
        if con is not None:
            con.close()
        temporary.unlink(missing_ok=True)
        raise
    _put_in_place(temporary, home, run_id)
    prune(home, request.keep_builds)
    return home.build


def _check(con: Any, log: Log) -> None:
    """Run the checks, say what they found, and stop at an error."""
    failed = [check for check in builds.run_checks(con) if check.offending_count]
    for check in failed:
        log(
            f"check {check.name} ({check.severity}): {check.offending_count} rows: {check.description}"
        )
    first = next((check for check in failed if check.severity == "error"), None)
    if first is not None:
        msg = (
            f"Check {first.name} found {first.offending_count} rows against "
            f"'{first.description}': {'; '.join(first.examples[:2])}."
        )
        raise CheckError(msg, "Nothing was published; the last build stays.")


def _make_build(con: Any, study: Study, paths: Mapping[str, Path]) -> None:
    builds.load_profiles(con, study, study_workloads(study))
    _carry_rejects(con, paths["parcels"])
    builds.make_mart(
        con,
        parcel=paths["parcels"],
        metric=paths["metrics"],
        headroom=paths["metrics"].with_suffix(".headroom.parquet"),
        region=paths["regions"],
    )


def _inputs_key(study: Study, request: RunRequest, paths: Mapping[str, Path]) -> str:
    """Key of everything that a build is made from: equal means an equal build."""
    profiles = [profile.model_dump() for profile in study_workloads(study).values()]
    names = {step: path.name for step, path in paths.items()}
    # Profiles count by what they say, not by where they lie.
    spec = study.model_dump(exclude={"catalogue": True, "workloads": {"__all__": {"profile"}}})
    return keys.key_of(names, spec, profiles, area_of(study, request), keys.code_key(keys.ALL_CODE))


def _published_inputs(home: Home) -> str | None:
    if not home.build.is_file():
        return None
    try:
        with store.open_build(home.build) as con:
            rows = con.execute("select inputs_sha256 from meta.run").fetchall()
    except (BuildError, duckdb.Error):
        return None
    return rows[0][0] if rows else None


def area_of(study: Study, request: RunRequest) -> list[str]:
    """Area of the run: the request's, else the study's."""
    return request.area or study.area


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


def new_run_id(now: datetime) -> str:
    """Run id that sorts by time and names its process."""
    return f"{now:%Y%m%dT%H%M%S}{now.microsecond // 1000:03d}-{os.getpid()}"


def _utc(moment: datetime) -> datetime:
    """UTC without a time zone: what every client reads alike, with or without ICU."""
    return moment.astimezone(UTC).replace(tzinfo=None)


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
        "fetched_at": _utc(pulled.fetched_at),
    }


def _run_row(
    con: Any,
    study: Study,
    request: RunRequest,
    run_id: str,
    started_at: datetime,
    paths: Mapping[str, Path],
    pulled: Mapping[str, Pulled],
    inputs: str,
) -> None:
    parcels = pd.read_parquet(paths["parcels"], columns=["parcel_kind"])
    catalogue, _ = with_own(study.catalogue)
    synthetic = any(catalogue.source(source_id).is_synthetic for source_id in pulled)
    builds.insert_rows(
        con,
        "meta.run",
        [
            {
                "run_id": run_id,
                "study": study.id,
                "title": study.title,
                "started_at": _utc(started_at),
                "code_version": keys.code_key(keys.ALL_CODE),
                "inputs_sha256": inputs,
                "parcel_kind": "assessor" if request.parcels else "h3_cell",
                "parcel_count": len(parcels),
                "h3_resolution": None
                if request.parcels
                else request.resolution or study.divide.resolution,
                "area": area_of(study, request),
                "is_synthetic": synthetic,
                "limits": study.limits,
                "removed": builds.removed_lines(con),
            }
        ],
    )
    # Each run tells anew where its bytes came from, whatever run assembled the layers.
    for source_id, got in pulled.items():
        con.execute(
            "update meta.source set origin = $origin, fetched_at = $at, is_stale = $stale where source_id = $id",
            {
                "origin": got.origin,
                "at": _utc(got.fetched_at),
                "stale": got.is_stale,
                "id": source_id,
            },
        )


def _carry_rejects(con: Any, parcels: Path) -> None:
    left_out = pd.read_parquet(parcels.with_suffix(".left-out.parquet"))
    left_out["reason"] = left_out["land_share"].map(
        lambda share: (
            "lies in no county of the area" if pd.isna(share) else f"{share:.1%} of it is land"
        )
    )
    builds.insert_rows(con, "meta.left_out_parcel", left_out.to_dict("records"))
    rejected = pd.read_parquet(parcels.with_suffix(".rejected.parquet"))
    rejected["source_id"] = "parcels"
    builds.insert_rows(con, "meta.rejected_row", rejected.to_dict("records"))


def _attach(con: Any, layers: Path) -> None:
    con.execute("attach $path as layers (read_only)", {"path": str(layers)})
    con.execute("use layers")


def _write(frame: pd.DataFrame | gpd.GeoDataFrame, target: Path) -> None:
    temporary = target.with_name(target.name + ".part")
    if isinstance(frame, gpd.GeoDataFrame):
        frame.to_parquet(temporary, compression="zstd")
    else:
        frame.to_parquet(temporary, compression="zstd", index=False)
    store.replace_atomically(temporary, target)


def _is_there(target: Path, what: str, log: Log) -> bool:
    if target.is_file():
        os.utime(target)
        log(f"{what}: unchanged, reused")
        return True
    return False


def _put_in_place(temporary: Path, home: Home, run_id: str) -> None:
    kept = home.builds / f"{run_id}.duckdb"
    store.replace_atomically(temporary, kept)
    fresh = home.root / f".{run_id}.duckdb"
    try:
        os.link(kept, fresh)
    except OSError:
        shutil.copyfile(kept, fresh)
    store.replace_atomically(fresh, home.build)

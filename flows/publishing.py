"""Publish: score, rank and check in a temporary build, and put it in place in one step."""

import os
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from data import build as builds
from data import store
from data.network_case import catalogue_of
from data.pull import Pulled
from data.study import Study
from data.workload import study_workloads
from flows import history, keys, last_run
from flows.clock import utc
from flows.cluster_parts import Parts
from flows.cluster_rank import MEMORY_MB
from flows.confidence import confide_regions
from flows.filling import region_filler
from flows.home import Home
from flows.housekeeping import prune, run_of
from flows.measuring import SKIPPED_SUFFIX
from flows.power import REJECTED, beside
from flows.request import RunRequest, area_of
from flows.results import Log


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
    parts = Parts.read(paths["parts"]) if "parts" in paths else None
    con = None
    try:
        shutil.copyfile(home.build if is_same else paths["layers"], temporary)
        con = store.create(temporary)
        store.run_file(con, "meta/bound_memory", {"spill": str(home.builds)})
        if parts is not None:
            # A build of all parcels is as large as the land, one of parts as what it keeps in full.
            con.execute("set memory_limit = $limit", {"limit": f"{MEMORY_MB}MB"})
        if is_same:
            log("scores and ranks: unchanged, reused")
            builds.forget_run(con)
        else:
            _make_build(con, study, paths, parts)
        _run_row(con, study, request, run_id, started_at, paths, parts, pulled, inputs)
        if not is_same:
            history.fill_build(con, home, log)
        _check(con, last_run.source_results(study, request, paths["layers"], home, log), log)
        elapsed = {**seconds, "publish": (datetime.now(UTC) - began).total_seconds()}
        store.run_file(
            con,
            "meta/finish_run",
            {
                "now": utc(datetime.now(UTC)),
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
    history.keep(home, log, request.keep_history)
    prune(home, request.keep_builds)
    return home.build


def _check(con: Any, of_sources: list[builds.CheckResult], log: Log) -> None:
    """Run the checks, say what they found, and stop at an error."""
    failed = [check for check in builds.run_checks(con, of_sources) if check.offending_count]
    for check in failed:
        log(
            f"check {check.name} ({check.severity}): {check.offending_count} rows: {check.description}"
        )
    last_run.stop_at_error(failed)


def _make_build(con: Any, study: Study, paths: Mapping[str, Path], parts: Parts | None) -> None:
    builds.load_profiles(con, study, study_workloads(study))
    _carry_rejects(con, paths)
    builds.make_mart(
        con,
        parcel=paths["parcels"],
        metric=paths["metrics"],
        power=paths["power"],
        fiber=paths["fiber"],
        access=paths["access"],
        region=paths["regions"],
        people=paths["people"],
        cost=paths["cost"],
        confidence=paths["confidence"],
        fill=region_filler(paths["power"]),
        confide=partial(confide_regions, study, paths["metrics"], paths["parcels"]),
        is_kept=parts is not None,
    )
    if parts is not None:
        builds.tell_parts(con, parts.told, parts.pieces)


def _inputs_key(study: Study, request: RunRequest, paths: Mapping[str, Path]) -> str:
    """Key of everything that a build is made from: equal means an equal build."""
    profiles = [profile.model_dump() for profile in study_workloads(study).values()]
    names = {step: path.name for step, path in paths.items()}
    # Profiles count by what they say, not by where they lie; how parcels were measured, and the load
    # series, show in the names of what came of them.
    spec = study.model_dump(
        exclude={
            "catalogue": True,
            "network": True,
            "measure": True,
            "workloads": {"__all__": {"profile"}},
        }
    )
    return keys.key_of(names, spec, profiles, area_of(study, request), keys.code_key(keys.ALL_CODE))


def _published_inputs(home: Home) -> str | None:
    run = run_of(home.build)
    return run["inputs_sha256"] if run else None


def _run_row(
    con: Any,
    study: Study,
    request: RunRequest,
    run_id: str,
    started_at: datetime,
    paths: Mapping[str, Path],
    parts: Parts | None,
    pulled: Mapping[str, Pulled],
    inputs: str,
) -> None:
    kept, divided = (pq.read_metadata(paths[name]).num_rows for name in ("metrics", "parcels"))
    catalogue, _ = catalogue_of(study)
    # A case of the user's takes the place of the grid; people may still stand where a synthetic one puts them.
    synthetic = study.network is None and any(
        catalogue.source(source_id).is_synthetic for source_id in pulled
    )
    builds.insert_rows(
        con,
        "meta.run",
        [
            {
                "run_id": run_id,
                "study": study.id,
                "title": study.title,
                "started_at": utc(started_at),
                "code_version": keys.code_key(keys.ALL_CODE),
                "inputs_sha256": inputs,
                "parcel_kind": "assessor" if request.parcels else "h3_cell",
                "parcel_count": kept if parts is None else parts.parcel_count,
                "kept_count": kept,
                "divided_count": divided if parts is None else parts.divided_count,
                "h3_resolution": None
                if request.parcels
                else request.resolution or study.divide.resolution,
                "area": area_of(study, request),
                "is_synthetic": synthetic,
                "limits": [*study.limits, *_kept_limits(request, kept, parts)],
                "removed": builds.removed_lines(con),
            }
        ],
    )
    # Each run tells anew where its bytes came from, whatever run assembled the layers.
    for source_id, got in pulled.items():
        store.run_file(
            con,
            "meta/source_pulled",
            {
                "origin": got.origin,
                "at": utc(got.fetched_at),
                "stale": got.is_stale,
                "id": source_id,
            },
        )


def _kept_limits(request: RunRequest, kept: int, parts: Parts | None) -> list[str]:
    """Say what a build speaks of that holds some of its parcels in full."""
    if parts is None or kept == parts.parcel_count:
        return []
    where = "the views of the schema parts hold all"
    if all(row["view_name"] is None for row in parts.told):
        where = f"all lie at {request.parts}"
    told = (
        f"The build holds {kept:,} of {parts.parcel_count:,} parcels in full: the first {request.keep_parcels:,} of "
        f"each workload, and the best of each region at each substation; {where}. Scores, ranks and regions are "
        "of all parcels; costs of parcels, how sure their ranks are, ranks under other weights, maps of parcels and "
        "shares of metrics known are of those in full."
    )
    return [told]


def _carry_rejects(con: Any, paths: Mapping[str, Path]) -> None:
    parcels, metrics = paths["parcels"], paths["metrics"]
    left_out = pd.read_parquet(parcels.with_suffix(".left-out.parquet"))
    left_out["reason"] = left_out["land_share"].map(
        lambda share: (
            "lies in no county of the area" if pd.isna(share) else f"{share:.1%} of it is land"
        )
    )
    builds.insert_frame(con, "meta.left_out_parcel", left_out)
    for path in (parcels.with_suffix(".rejected.parquet"), metrics.with_suffix(SKIPPED_SUFFIX)):
        rejected = pd.read_parquet(path).assign(source_id="parcels")
        builds.insert_frame(con, "meta.rejected_row", rejected)
    stated = pd.read_parquet(beside(paths["power"], REJECTED)).assign(source_id="capacity")
    builds.insert_frame(con, "meta.rejected_row", stated)


def _put_in_place(temporary: Path, home: Home, run_id: str) -> None:
    kept = home.builds / f"{run_id}.duckdb"
    store.replace_atomically(temporary, kept)
    publish_kept(kept, home)


def publish_kept(kept: Path, home: Home) -> None:
    """Put a kept build in the place of the published one, in one step."""
    fresh = home.root / f".{kept.name}"
    try:
        os.link(kept, fresh)
    except OSError:
        shutil.copyfile(kept, fresh)
    store.replace_atomically(fresh, home.build)

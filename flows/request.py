"""What a run is asked to do."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from data.errors import CatalogueError, InputError, StudyError, UsageError
from data.network_case import catalogue_of, check_network, load_with_case
from data.place import Place
from data.readers.raster import raster_table
from data.study import NetworkCase, Study
from data.workload import study_workloads
from flows.area import check_area
from flows.home import Home

MIN_RESOLUTION = 4
MAX_RESOLUTION = 9


class RunRequest(BaseModel):
    """Study, area, division and place of one run; plain values, so that it travels between tasks."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    study: str = "open-conus"
    home: Path
    out: Path | None = None
    area: list[str] = Field(default_factory=list, description="States, counties or a GeoJSON file.")
    parcels: list[Path] = Field(default_factory=list, description="Parcel files.")
    parcel_id: str | None = Field(default=None, description="Column that holds the parcel's id.")
    parcel_acres: str | None = Field(default=None, description="Column that holds its acres.")
    capacity: list[Path] = Field(default_factory=list, description="Files of stated capacities.")
    network: Path | None = Field(default=None, description="Network case in the grid's place.")
    network_points: Path | None = Field(default=None, description="Where its buses stand.")
    resolution: int | None = None
    offline: bool = False
    accept_changes: bool = Field(
        default=False,
        description="Rows and classes that left a source since the last build are let go.",
    )
    cluster: str | None = Field(
        default=None, description="Who measures: local[:N] or tcp://host:8786."
    )
    parts: str | None = Field(default=None, description="Folder or address of the parts.")
    keep_parcels: int = Field(
        default=100_000, description="Parcels of each workload kept in full, of parts."
    )
    export: bool = True
    keep_builds: int = 5
    keep_history: int = 400
    max_gb: float | None = Field(default=None, description="Size that the home is kept under.")


def study_of(request: RunRequest) -> Study:
    """Study of the run, with the request's network case in the place of its grid.

    Raises
    ------
    StudyError
        There is no such study, or its file is not valid.
    UsageError
        Points of buses are given without a case.
    """
    if request.network is None:
        if request.network_points is not None:
            msg = "--network-points says where the buses of a case stand, and no case is given."
            raise UsageError(msg, "Give the case with --network.")
        return load_with_case(request.study)
    case = NetworkCase(case=request.network, points=request.network_points)
    return load_with_case(request.study, case)


def check(request: RunRequest) -> None:
    """Check what can be checked before anything is pulled: study, profiles, rasters, area and files.

    Raises
    ------
    StudyError
        The study takes a metric out of a profile that has it not, or names as raster what is none.
    UsageError
        A name is not known.
    InputError
        A file is missing, or the network case cannot be read or placed.
    """
    study = study_of(request)
    profiles = study_workloads(study)
    for entry in study.workloads:
        workload = profiles[entry.id]
        known = {gate.metric for gate in workload.gates} | {f.metric for f in workload.factors}
        for item in entry.without:
            if item.metric not in known:
                msg = f"Study {study.id} takes {item.metric!r} out of {entry.id}, which does not use it."
                raise StudyError(msg, "Mend the study's `without`.")
    _check_rasters(study)
    _check_cluster(request)
    if study.network is not None:
        check_network(study.network)
    check_area(request.area)
    _check_files(request)
    if not MIN_RESOLUTION <= (request.resolution or MIN_RESOLUTION) <= MAX_RESOLUTION:
        msg = f"--resolution {request.resolution} is outside {MIN_RESOLUTION} to {MAX_RESOLUTION}."
        raise UsageError(msg, "6 is 36 km2 a cell, 7 is 5 km2, 8 is 0.7 km2.")
    if request.keep_builds < 1:
        msg = f"--keep-builds {request.keep_builds} keeps no build."
        raise UsageError(msg, "Keep 1 or more.")
    if request.max_gb is not None and not request.max_gb > 0:
        msg = f"--max-gb {request.max_gb:g} leaves no room."
        raise UsageError(msg, "Give a size above 0.")
    if request.keep_history < 1:
        msg = f"--keep-history {request.keep_history} keeps no run."
        raise UsageError(msg, "Keep 1 or more.")


def _check_files(request: RunRequest) -> None:
    for path in request.parcels:
        if not path.exists():
            msg = f"There is no parcel file {path}."
            raise InputError(msg, "Check the path given to --parcels.")
    for path in request.capacity:
        if not path.is_file():
            msg = f"There is no capacity file {path}."
            raise InputError(msg, "Check the path given to --capacity.")


def _check_cluster(request: RunRequest) -> None:
    """Check what can be of a cluster and of the place of the parts."""
    if request.cluster is None:
        if request.parts is not None:
            msg = "--parts says where a cluster puts what it measures, and no cluster is given."
            raise UsageError(msg, "Give one with --cluster, such as local.")
        return
    from flows.cluster import cluster

    # Says what is wrong with its name, and whether Dask is there; nobody is connected to.
    with cluster(request.cluster, lambda _: None):
        place_of(request)
    if request.keep_parcels < 1:
        msg = f"--keep-parcels {request.keep_parcels} keeps no parcel."
        raise UsageError(msg, "Keep 1 or more.")


def place_of(request: RunRequest) -> Place:
    """Place of the parts of a run: the request's, else a folder of its home."""
    return Place.at(request.parts or Home.at(request.home).parts)


def _check_rasters(study: Study) -> None:
    """Stop at what is named as a raster and is none, while nothing has been pulled for it."""
    if not study.rasters:
        return
    catalogue, _ = catalogue_of(study)
    for what, source_id in study.rasters:
        try:
            raster_table(catalogue.source(source_id))
        except CatalogueError as error:
            msg = f"In study {study.id}, {what} names {source_id!r} as a raster: {error.message}"
            raise StudyError(msg, error.hint) from error


def area_of(study: Study, request: RunRequest) -> list[str]:
    """Area of the run: the request's, else the study's."""
    return request.area or study.area

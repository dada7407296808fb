"""Command line: run a study, ask the published build, export it."""

import os
import signal
import sys
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from data.errors import UsageError
from flows import asking, exporting
from flows.failing import FAILED, failure_of, let_go
from flows.home import Home
from flows.request import RunRequest
from flows.show import Shown, error_line, show

Level = Literal["county", "metro", "state", "zone", "parcel"]
HomeOption = Annotated[
    Path | None,
    Parameter(help="Folder of cache, builds and exports (default: $GRIDSTEAD_HOME, else var)."),
]
JsonOption = Annotated[bool, Parameter(name="--json", negative="", help="Print JSON.")]
Flag = Parameter(negative="")
Several = Parameter(consume_multiple=True, negative="")

app = App(
    name="gridstead",
    help="Rank land and regions for AI training and edge inference, and ask why.",
    version_flags=["--version"],
    # Said by main, like every other end.
    suppress_keyboard_interrupt=False,
)


@app.command
def run(
    study: str = "open-conus",
    *,
    area: Annotated[list[str] | None, Several] = None,
    parcels: Annotated[list[Path] | None, Several] = None,
    parcel_id: str | None = None,
    parcel_acres: str | None = None,
    capacity: Annotated[list[Path] | None, Several] = None,
    network: Path | None = None,
    network_points: Path | None = None,
    resolution: int | None = None,
    only: Literal["grid", "population", "fiber", "land"] | None = None,
    offline: Annotated[bool, Flag] = False,
    accept_changes: Annotated[bool, Flag] = False,
    export: bool = True,
    cluster: str | None = None,
    parts: str | None = None,
    keep_parcels: int = 100_000,
    home: HomeOption = None,
    out: Path | None = None,
    keep_builds: int = 5,
    keep_history: int = 400,
    max_gb: float | None = None,
    quiet: Annotated[bool, Flag] = False,
    log_json: Annotated[bool, Flag] = False,
    json: JsonOption = False,
) -> Shown:
    """Run a study: pull, measure, rank, check, publish, export.

    Nothing is published when a check fails or the run is stopped: the last build stays.

    Parameters
    ----------
    study
        Name of a study (open-conus, conus), or path of a study file (.yaml).
    area
        Narrow the study: states (VA or Virginia), five-digit county codes (51107), or files with
        polygons (GeoJSON). Several may be given.
    parcels
        Parcel files to rank instead of generated cells: GeoPackage, GeoJSON, shapefile,
        GeoParquet, in any CRS. Several may be given.
    parcel_id
        Column of the parcel files that holds the id (default: found by common names).
    parcel_acres
        Column of the parcel files that holds the acres (default: found by common names).
    capacity
        Files of what utilities state, which takes the place of what is computed: CSV, GeoJSON,
        GeoPackage, GeoParquet with a substation id or a point, mw (or mw_low, mw, mw_high), as_of
        and source. Several may be given.
    network
        Network case of your own in the place of the study's grid: MATPOWER (.m), or PyPSA (.nc, or
        its CSV folder as .zip; needs gridstead[cases]).
    network_points
        CSV of bus_id, lon, lat and, if known, substation: where the buses of the case stand.
    resolution
        H3 resolution of generated cells, 4 to 9: 6 (default) is 36 km2 a cell, 7 is 5 km2.
    only
        Pull and stage one theme and stop.
    offline
        Use what is in the cache and never the network.
    accept_changes
        Publish although sources lost many rows, a state or a class of voltage since the last build.
    export
        Write files for maps, pictures and the report after publishing.
    cluster
        Who measures the parcels, in pieces: local or local:4 (processes of this machine), or the
        address of a Dask scheduler, tcp://host:8786; needs gridstead[cluster].
    parts
        Folder or address (s3://bucket/folder, gs://, abfs://) of the pieces (default: parts in the
        home).
    keep_parcels
        Of a cluster's parcels, the first so many of each workload that the build holds in full.
    out
        Folder of the exports (default: exports in the home).
    keep_builds
        Builds to keep, 1 or more.
    keep_history
        Runs whose ranks are kept for `gridstead diff`, 1 or more.
    max_gb
        Size in GB that the home is brought under after publishing: what costs least to have again
        goes first; the published build and last good copies of sources stay.
    quiet
        Say nothing while running.
    log_json
        Say each line as a JSON object, errors too: what the log of the run in logs/ holds.
    """
    for option, given in (("--area", area), ("--parcels", parcels), ("--capacity", capacity)):
        if given == []:
            msg = f"{option} names nothing."
            raise UsageError(msg, "Leave it out, or give it a value.")
    request = RunRequest(
        study=study,
        home=Home.at(home).root,
        out=out.resolve() if out else None,
        area=area or [],
        parcels=[path.resolve() for path in parcels or []],
        parcel_id=parcel_id,
        parcel_acres=parcel_acres,
        capacity=[path.resolve() for path in capacity or []],
        network=network.resolve() if network else None,
        network_points=network_points.resolve() if network_points else None,
        resolution=resolution,
        offline=offline,
        accept_changes=accept_changes,
        export=export,
        cluster=cluster,
        parts=parts,
        keep_parcels=keep_parcels,
        keep_builds=keep_builds,
        keep_history=keep_history,
        max_gb=max_gb,
    )
    # Prefect takes seconds to import: only a run pays for it.
    from flows.running import run_study

    return run_study(request, only=only, quiet=quiet, log_json=log_json)


@app.command
def top(
    workload: str,
    *,
    level: Level = "county",
    n: Annotated[int, Parameter(name=["-n", "--count"])] = 20,
    home: HomeOption = None,
    json: JsonOption = False,
) -> Shown:
    """List the best regions or parcels for a workload.

    Parameters
    ----------
    workload
        A profile that the build ranks by: training, inference, training_gigawatt and others.
    level
        What is ranked.
    n
        How many.
    """
    return asking.top(Home.at(home).build, workload, level, n)


@app.command
def explain(
    *what: Annotated[str, Parameter(allow_leading_hyphen=True)],
    workload: str | None = None,
    top: int = 100,
    home: HomeOption = None,
    json: JsonOption = False,
) -> Shown:
    """Explain a parcel: factors in points and dollars, gates, sources, what would change its rank.

    Parameters
    ----------
    what
        Parcel id, or latitude and longitude: 39.04,-77.49.
    workload
        Profile to print in full, or all (default: the one that the parcel ranks best in).
    top
        What would put the parcel into the first so many of its workload is told.
    """
    if not what:
        msg = "Name a parcel."
        raise UsageError(msg, "Give its id, or LAT,LON such as 39.04,-77.49.")
    from flows.explain import explain as answer

    return answer(Home.at(home).build, " ".join(what), workload, top)


@app.command
def sql(
    query: Annotated[str, Parameter(allow_leading_hyphen=True)],
    *,
    limit: int = 1000,
    timeout: float = 60.0,
    home: HomeOption = None,
    json: JsonOption = False,
) -> Shown:
    """Ask the build in SQL, read-only.

    Parameters
    ----------
    query
        One statement, for example "from training_regions limit 5"; tables are found in mart, core
        and meta, and described in meta.column. A dash reads it from standard input.
    limit
        Rows to print at most.
    timeout
        Seconds after which a query is stopped.
    """
    text = sys.stdin.read() if query == "-" else query
    return asking.sql(Home.at(home).build, text, limit, timeout)


@app.command
def sources(
    study: str = "open-conus", *, home: HomeOption = None, json: JsonOption = False
) -> Shown:
    """List the sources of a study: version, date, terms, and whether they are in the cache.

    Parameters
    ----------
    study
        Name of a study, or path of a study file (.yaml).
    """
    return asking.sources(Home.at(home), study)


@app.command
def runs(*, home: HomeOption = None, json: JsonOption = False) -> Shown:
    """List the builds that are kept and the runs that failed, newest first."""
    from flows.runs_kept import runs as answer

    return answer(Home.at(home))


@app.command
def restore(
    run: str,
    *,
    export: Annotated[bool, Flag] = False,
    home: HomeOption = None,
    json: JsonOption = False,
) -> Shown:
    """Publish a kept build again, after asking its checks once more.

    Parameters
    ----------
    run
        Id of a run that gridstead runs lists, the beginning of one, or previous.
    export
        Write the exports of that build too.
    """
    from flows.restore import restore as answer

    return answer(Home.at(home), run, export=export)


@app.command
def doctor(
    *,
    deep: Annotated[bool, Flag] = False,
    max_age: float | None = None,
    notify: Annotated[bool, Flag] = False,
    home: HomeOption = None,
    json: JsonOption = False,
) -> Shown:
    """Examine what a run needs and what the last one left; exit code 1 when an error is found.

    Parameters
    ----------
    deep
        Read every file of the cache, not the small ones only.
    max_age
        Hours after which the last run is too old, an error (default: a warning after 36).
    notify
        Send a test to those whom GRIDSTEAD_NOTIFY names.
    """
    from flows.doctor import doctor as answer

    return answer(Home.at(home), deep=deep, max_age_h=max_age, send=notify)


@app.command
def schedule(
    kind: Literal["cron", "systemd", "prefect"],
    *,
    at: str = "02:15",
    study: str = "open-conus",
    home: HomeOption = None,
    json: JsonOption = False,
) -> Shown:
    """Print what starts a run every night; nothing is installed.

    Parameters
    ----------
    kind
        A line for crontab, a service and a timer for systemd, or the commands of Prefect.
    at
        Hour and minute of the machine's clock.
    study
        Name of a study, or path of a study file (.yaml).
    """
    from flows.schedule import schedule as answer

    return answer(kind, at=at, study=study, home=Home.at(home))


@app.command
def prune(
    *,
    keep_builds: int = 5,
    max_gb: float | None = None,
    study: str | None = None,
    dry_run: Annotated[bool, Flag] = False,
    home: HomeOption = None,
    json: JsonOption = False,
) -> Shown:
    """Remove old builds, results of steps and logs, and bring the home under a size.

    Parameters
    ----------
    keep_builds
        Builds, and results of each step, to keep, 1 or more.
    max_gb
        Size in GB that the home is brought under. The published build, last good copies of sources,
        exports and history stay.
    study
        Study whose pinned files stay in the cache, beside those of the published build's.
    dry_run
        List what would go, and remove nothing.
    """
    from flows.retention import prune as answer

    place = Home.at(home)
    return answer(place, keep_builds=keep_builds, max_gb=max_gb, study=study, dry_run=dry_run)


@app.command
def diff(
    *runs: str,
    workload: str | None = None,
    level: Level = "county",
    n: Annotated[int | None, Parameter(name=["-n", "--count"])] = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> Shown:
    """Tell which regions or parcels moved between two runs, by how much, and which input moved them.

    Parameters
    ----------
    runs
        Two runs, the earlier one first: an id, the beginning of one, last (the published one) or previous
        (the last before it that differed; default: previous and last; one alone is compared with last).
    workload
        A profile that both runs rank by (default: all).
    level
        What is compared.
    n
        Rows of each workload (default: 20 of one, 5 of each of several).
    """
    from flows.diff import diff as answer

    return answer(Home.at(home), runs, workload, level, n)


@app.command
def export(
    workload: str,
    *formats: str,
    level: Level = "county",
    top: int | Literal["all"] | None = None,
    where: str | None = None,
    area: Annotated[list[str] | None, Several] = None,
    with_restricted: Annotated[bool, Flag] = False,
    home: HomeOption = None,
    out: Path | None = None,
    json: JsonOption = False,
) -> Shown:
    """Export a ranking as files for mapping tools and spreadsheets.

    Parameters
    ----------
    workload
        A profile that the build ranks by: training, inference, training_gigawatt and others.
    formats
        One or more of gpkg, geoparquet, fgb, geojson, kmz, pmtiles, cog, xlsx, csv, csv-wkt, shp.
    level
        What is exported.
    top
        Only the first so many of what is selected, or all (default: all regions; the first 5,000
        parcels where neither --where nor --area is given).
    where
        Condition over the columns of the export: "state_id = 'TX' and headroom_mw_mid > 300".
    area
        Only what lies in these states (VA or Virginia), five-digit county codes (51107), or files
        with polygons (GeoJSON). Several may be given.
    with_restricted
        Include what the terms of its source do not let be passed on: for your own eyes.
    out
        Folder to write to (default: exports in the home).
    """
    if not formats:
        msg = "Name a format."
        raise UsageError(msg, "For example: gridstead export training gpkg --level county.")
    if area == []:
        msg = "--area names nothing."
        raise UsageError(msg, "Leave it out, or give it a value.")
    place = Home.at(home)
    selection = exporting.Selection(level, top, where, area or ())
    written = exporting.export_level(
        place.build,
        workload,
        formats,
        selection,
        out or place.exports,
        with_restricted=with_restricted,
    )
    rows = [
        {"file": str(path), "rows": written.row_count, "bytes": path.stat().st_size, "cut": cut}
        for path, cut in written.files.items()
    ]
    columns = {"file": "file", "rows": "rows", "bytes": "bytes"}
    return Shown("Exported", rows, columns=columns, notes=written.notes())


@app.command(name="map")
def map_page(
    *,
    out: Path | None = None,
    open: Annotated[bool, Flag] = False,  # noqa: A002
    serve: int | None = None,
    with_restricted: Annotated[bool, Flag] = False,
    home: HomeOption = None,
    json: JsonOption = False,
) -> Shown:
    """Write the map page: one folder that ranks again in the browser, from a file or any static host.

    Parameters
    ----------
    out
        Folder of the page (default: map in the exports of the home). It is replaced as a whole.
    open
        Open it in the browser.
    serve
        Serve it on this machine alone, at this port (0: any that is free), until Ctrl-C.
    with_restricted
        Include what the terms of its source do not let be passed on: for your own eyes.
    """
    from flows.mapping import FOLDER, answer

    place = Home.at(home)
    folder = out.resolve() if out else place.exports / FOLDER
    return answer(place.build, folder, with_restricted=with_restricted, is_opened=open, port=serve)


@app.command
def power(
    *where: Annotated[str, Parameter(allow_leading_hyphen=True)],
    mw: float | None = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> Shown:
    """Tell what power a point can have: the substations around it, what limits them, what would lift it.

    Parameters
    ----------
    where
        Latitude and longitude: 39.04,-77.49.
    mw
        Load that is wanted: which substation can serve it, and what an upgrade would take.
    """
    point = _point(where)
    # Kernels take a second to import: only this question pays for it.
    from flows.power_answer import power as answer

    return answer(Home.at(home).build, point, mw)


@app.command
def latency(
    *where: Annotated[str, Parameter(allow_leading_hyphen=True)],
    all: Annotated[bool, Flag] = False,  # noqa: A002
    to: str | None = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> Shown:
    """Tell how many milliseconds a point is from metros, and by which carriers.

    Parameters
    ----------
    where
        Latitude and longitude: 39.04,-77.49.
    all
        Every metro, not only those of a million people or more and the nearest one.
    to
        Metros of this id, or with this in their names.
    """
    point = _point(where)
    from flows.latency_answer import latency as answer

    return answer(Home.at(home).build, point, is_all=all, to=to)


@app.command
def reach(
    *where: Annotated[str, Parameter(allow_leading_hyphen=True)],
    ms: Annotated[list[float] | None, Several] = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> Shown:
    """Tell how many people, and which metros, a point has within a round trip.

    Parameters
    ----------
    where
        Latitude and longitude: 39.04,-77.49.
    ms
        Round trips in milliseconds (default: 10). Several may be given.
    """
    point = _point(where)
    if ms == []:
        msg = "--ms names nothing."
        raise UsageError(msg, "Leave it out, or give milliseconds above 0.")
    from flows.reach_answer import reach as answer

    return answer(Home.at(home).build, point, ms or [10.0])


@app.command
def portfolio(
    workload: str,
    *,
    sites: int,
    mw: float | None = None,
    min_spacing_mi: float = 0.0,
    least_mw: float | None = None,
    most_mw: float | None = None,
    ms: float | None = None,
    by: Literal["score", "cost"] | None = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> Shown:
    """Choose sites that are best together: no substation, corridor or zone is sold twice.

    Parameters
    ----------
    workload
        A profile: one of training is chosen for megawatts, one of inference for people in reach.
    sites
        How many.
    mw
        Megawatts of all together; those of inference share them evenly (default: not counted).
    min_spacing_mi
        Miles between any two of them at least.
    least_mw
        Megawatts of a site at least (default: half the even share).
    most_mw
        Megawatts of a site at most (default: twice the even share).
    ms
        Round trip that people are to be within, milliseconds (default: the profile's).
    by
        What training is chosen by (default: cost where the build knows it, else score).
    """
    from flows.portfolio import Asked
    from flows.portfolio import portfolio as answer

    asked = Asked(mw, sites, min_spacing_mi, least_mw, most_mw, ms, by)
    return answer(Home.at(home).build, workload, asked)


@app.command
def assess(
    sites: Path,
    *,
    csv: Path | None = None,
    geojson: Path | None = None,
    markdown: Path | None = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> Shown:
    """Tell what sites that you own are good for: best use, what disqualifies, what to fix first.

    Parameters
    ----------
    sites
        CSV with name, lat, lon and, where known, energized_mw, wanted_mw, acres, usd_per_mwh, cooling
        (air, immersion, liquid), fiber_carriers, available_date.
    csv
        File to write a row a site and use to.
    geojson
        File to write a point a site to.
    markdown
        File to write a report to.
    """
    from flows.assess_files import assess_and_write as answer

    paths = {"csv": csv, "geojson": geojson, "markdown": markdown}
    return answer(Home.at(home).build, sites, paths)


@app.command
def drive(
    workload: str,
    *parcels: Annotated[str, Parameter(allow_leading_hyphen=True)],
    top: int | None = None,
    url: str | None = None,
    offline: Annotated[bool, Flag] = False,
    home: HomeOption = None,
    json: JsonOption = False,
) -> Shown:
    """Tell the minutes by road from a shortlist of parcels to their nearest metros.

    Main roads come from OpenStreetMap, through an Overpass API, and are kept for a month.

    Parameters
    ----------
    workload
        A profile that the build ranks by: training, inference, training_gigawatt and others.
    parcels
        Ids of up to 50 parcels (default: the first of the workload).
    top
        How many of the workload's first parcels, 1 to 50 (default: 10).
    url
        URL of an Overpass API (default: https://overpass-api.de/api).
    offline
        Use the roads in the cache and never the network.
    """
    from flows.drive import URL
    from flows.drive import drive as answer

    address = URL if url is None else url
    return answer(Home.at(home), workload, parcels, top=top, url=address, is_offline=offline)


@app.command
def backtest(
    sites: Path,
    *,
    workload: str = "training",
    match: Literal["state", "metro", "all"] = "state",
    seed: int | None = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> Shown:
    """Test a ranking on real sites: where they fall in it, against land that is like theirs.

    What is tested leaves out every metric that rests on where data centers stand.

    Parameters
    ----------
    sites
        Points or polygons of sites that were chosen by others: GeoJSON, GeoPackage or shapefile.
    workload
        Workload whose ranking is tested.
    match
        Land that a site is compared with: of its state, as far from a metro, or all.
    seed
        Whole number that the bootstrap starts from.
    """
    from flows.backtest import backtest as answer
    from geo.decide.draws import SEED

    build = Home.at(home).build
    return answer(build, sites, workload, match=match, seed=SEED if seed is None else seed)


def _point(words: tuple[str, ...]) -> str:
    """Words of a point, of which there must be some."""
    if not words:
        msg = "Name a point."
        raise UsageError(msg, "Give LAT,LON such as 39.04,-77.49.")
    return " ".join(words)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; exit code 0 ok, 1 failed check or run, 2 wrong usage."""
    arguments = sys.argv[1:] if arguments is None else arguments
    as_json = "--json" in arguments or "--log-json" in arguments
    try:
        result = app(
            arguments, exit_on_error=False, print_error=False, result_action="return_value"
        )
        if isinstance(result, Shown):
            show(result, as_json="--json" in arguments)
            sys.stdout.flush()
            return result.exit_code
    except BrokenPipeError:
        # The reader of a pipe (head, less) has seen enough; nothing may be written any more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001
        failure = failure_of(error)
        let_go(error)
        error_line(failure.message, failure.hint, as_json=as_json)
        return failure.exit_code
    return 0


def entry() -> None:
    """Console script."""
    # A service manager or a closed terminal stops a run as Ctrl-C does: temporary files and
    # Prefect's server go with it.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    sys.exit(main())


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt

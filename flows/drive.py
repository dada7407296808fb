"""The answer to how many minutes it takes by road from a shortlist of parcels to their metros.

An option for staff and logistics: no run needs it, no score counts it.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from data import store
from data.access.roads import NoRoadError, Roads, road_network
from data.errors import UsageError
from flows.asking import honest
from flows.exporting import require_workload
from flows.home import Home
from flows.reporting import rows_of
from flows.show import Shown, records
from geo.drive import ACCESS_MPH, ACCESS_REACH_MI, Box, RoadNetwork, box_mi2, corridor

URL = "https://overpass-api.de/api"
DEFAULT_TOP = 10
# The public server is shared: it is asked for the roads around a few sites, not around a country.
MAX_PARCELS = 50
# As much as the state of West Virginia, and one query for osmnx, which cuts boxes of 38,600 up.
MAX_BOX_MI2 = 25_000.0
ATTRIBUTION = "© OpenStreetMap contributors"
TERMS = "ODbL 1.0"
COLUMNS = {
    "rank": "rank",
    "parcel_id": "parcel",
    "county_name": "where",
    "metro_name": "nearest metro",
    "metro_mi": "straight mi",
    "road_mi": "road mi",
    "access_mi": "mi to the road",
    "minutes": "minutes",
}
NO_ROAD = "OpenStreetMap knows no main road there"
TOLD = ("minutes", "road_mi", "access_mi", "exit_mi")


def drive(
    home: Home,
    workload: str,
    parcel_ids: Sequence[str] = (),
    *,
    top: int | None = None,
    url: str = URL,
    is_offline: bool = False,
) -> Shown:
    """Tell the minutes by road from parcels to the centre of the metro that is nearest to each.

    Parameters
    ----------
    home
        Its published build is asked, its cache keeps roads.
    workload
        Workload whose ranks are told.
    parcel_ids
        Parcels; none for the first of the workload.
    top
        How many of the workload's first parcels.
    url
        URL of an Overpass API.
    is_offline
        Whether roads come from the cache alone.

    Raises
    ------
    UsageError
        The parcels are unknown or too many, no box of roads is small enough, or the URL is none.
    PullError
        Roads cannot be had.
    """
    _check(parcel_ids, top, url)
    with store.open_build(home.build) as con:
        require_workload(con, workload)
        run = rows_of(con, "query/run")[0]
        asked = {
            "workload": workload,
            "parcel_ids": list(parcel_ids),
            "n": len(parcel_ids) or top or DEFAULT_TOP,
        }
        parcel = store.query_file(con, "query/drive_parcels", asked).df()
    if unknown := sorted(set(parcel_ids) - set(parcel["parcel_id"])):
        msg = f"There is no parcel {unknown[0]!r}."
        raise UsageError(msg, f"Give ids as `gridstead top {workload} --level parcel` lists them.")
    parcel = parcel.assign(**dict.fromkeys(TOLD, np.nan), unknown_reason=None, box_no=-1)
    boxes = _boxes(parcel)
    found = [_drive(parcel, no, box, url, home, is_offline) for no, box in enumerate(boxes)]
    return _shown(workload, parcel, [roads for roads in found if roads is not None], run)


def _check(parcel_ids: Sequence[str], top: int | None, url: str) -> None:
    if parcel_ids and top is not None:
        msg = "--top and parcels exclude each other."
        raise UsageError(msg, "Name parcels, or take the first of the workload.")
    count = len(set(parcel_ids)) if top is None else top
    if top is not None and top < 1:
        msg = f"--top {top} asks for no parcels."
        raise UsageError(msg, f"Ask for 1 to {MAX_PARCELS}.")
    if count > MAX_PARCELS:
        msg = f"Drive times are for a shortlist: {count:,} parcels are more than {MAX_PARCELS}."
        raise UsageError(msg, f"Ask for {MAX_PARCELS} or fewer, of one region after the other.")
    if not url.startswith(("http://", "https://")):
        msg = f"--url {url!r} is no address of an Overpass API."
        raise UsageError(msg, f"Write it as {URL}.")


def _boxes(parcel: pd.DataFrame) -> list[Box]:
    """Draw a box of roads for each metro, and write in `box_no` which parcels it serves.

    Parcels come in nearest first; those with whom the box would grow too large stay out.

    Raises
    ------
    UsageError
        None would be small enough.
    """
    parcel.loc[parcel["metro_id"].isna(), "unknown_reason"] = "the build knows no metro"
    boxes: list[Box] = []
    least_mi2 = np.inf
    order = parcel.sort_values(["metro_id", "metro_mi", "parcel_id"]).dropna(subset=["metro_id"])
    for _, own in order.groupby("metro_id"):
        held: list[Any] = []
        drawn = None
        for row in own.index:
            box = _box_of(parcel.loc[[*held, row]])
            if box_mi2(box) <= MAX_BOX_MI2:
                held.append(row)
                drawn = box
                continue
            least_mi2 = min(least_mi2, box_mi2(_box_of(parcel.loc[[row]])))
            parcel.loc[row, "unknown_reason"] = (
                f"its box of roads would be over {MAX_BOX_MI2:,.0f} square miles"
                + (": ask for it alone" if held else "")
            )
        if drawn is not None:
            parcel.loc[held, "box_no"] = len(boxes)
            boxes.append(drawn)
    if not boxes and np.isfinite(least_mi2):
        msg = (
            f"The roads to the nearest metro would take a box of {least_mi2:,.0f} square miles; "
            f"{MAX_BOX_MI2:,.0f} is the most that is asked for."
        )
        raise UsageError(msg, "Choose parcels that are nearer to a metro.")
    return boxes


def _box_of(parcel: pd.DataFrame) -> Box:
    to = parcel.iloc[0]
    here = (parcel[name].to_numpy(float) for name in ("lon", "lat"))
    return corridor(float(to["metro_lon"]), float(to["metro_lat"]), *here)


def _drive(
    parcel: pd.DataFrame, box_no: int, box: Box, url: str, home: Home, is_offline: bool
) -> Roads | None:
    """Write what trips in a box take, or why that is unknown; return its roads."""
    row = np.flatnonzero(parcel["box_no"] == box_no)
    folder: Path = home.cache / "roads"
    try:
        roads = road_network(box, url=url, folder=folder, offline=is_offline)
    except NoRoadError:
        parcel.loc[row, "unknown_reason"] = NO_ROAD
        return None
    if not roads.is_access.any():
        parcel.loc[row, "unknown_reason"] = "no main road there but motorways"
        return roads
    network = RoadNetwork.of(
        roads.lon, roads.lat, roads.is_access, roads.start, roads.end, roads.seconds, roads.metres
    )
    own = parcel.loc[row]
    to = own.iloc[0]
    here = (own[name].to_numpy(float) for name in ("lon", "lat"))
    times = network.times_to(float(to["metro_lon"]), float(to["metro_lat"]), *here)
    for name in TOLD:
        parcel.loc[row, name] = getattr(times, name)
    reach = f"no main road within {ACCESS_REACH_MI:g} miles"
    parcel.loc[row[np.isnan(times.access_mi)], "unknown_reason"] = reach
    if np.isnan(times.exit_mi):
        parcel.loc[row, "unknown_reason"] = f"{reach} of the metro's centre"
    return roads


def _shown(workload: str, parcel: pd.DataFrame, roads: list[Roads], run: dict[str, Any]) -> Shown:
    rows = records(parcel.drop(columns="box_no"))
    as_of = min((each.as_of for each in roads if each.as_of), default=None)
    payload = {
        "workload": workload,
        "parcels": rows,
        "is_at_speed_limit": True,
        "access_mph": ACCESS_MPH,
        "max_box_mi2": MAX_BOX_MI2,
        "roads": {
            "as_of": as_of,
            "is_stale": any(each.is_stale for each in roads),
            "attribution": ATTRIBUTION,
            "data_terms": TERMS,
        },
        "run": {name: run[name] for name in ("run_id", "study", "is_synthetic", "limits")},
    }
    is_unknown = any(row["unknown_reason"] for row in rows)
    shown = Shown(
        f"{workload}: minutes by road to the nearest metro, {len(rows)} parcels",
        rows,
        columns=COLUMNS | ({"unknown_reason": "unknown because"} if is_unknown else {}),
        notes=_notes(as_of, roads),
        payload=payload,
    )
    shown.sections.append(Shown("", notes=honest(run)))
    return shown


def _notes(as_of: str | None, roads: list[Roads]) -> list[str]:
    limit = (
        "Minutes are at the speed limit, without traffic or stops, on motorways, trunk, primary and secondary "
        f"roads; to and from them straight at {ACCESS_MPH:g} mph. No score counts them."
    )
    notes = [
        limit,
        "To the people-weighted centre of the metro that is nearest in a straight line.",
    ]
    if roads:
        when = f"edits up to {as_of}" if as_of else "of unknown date"
        notes.append(f"Roads: {ATTRIBUTION} ({TERMS}), {when}.")
    if any(each.is_stale for each in roads):
        notes.append("The server could not be asked: older roads were taken from the cache.")
    return notes

"""Main roads of a box with the time that each stretch takes, through osmnx, kept for a month.

For a shortlist: the roads of one corridor are one query, those of a country are not.
"""

import hashlib
import json
import shutil
import time
import zipfile
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from data.access._osmnx import as_of, ask
from data.access._retry import Retry
from data.access._secrets import without_secrets
from data.errors import PullError

# What long trips are made on. Roads below (tertiary, residential) would be ten times as many.
ACCESS_ROADS = ("trunk", "primary", "secondary")
MAIN_ROADS = ("motorway", *ACCESS_ROADS)
ROAD_FILTER = (
    f'["highway"~"^({"|".join(MAIN_ROADS)})(_link)?$"]'
    '["access"!~"^(private|no)$"]["motor_vehicle"!~"^(private|no)$"]["area"!~"yes"]'
)
# Where no road of its kind states a limit: 55 mph, which few main roads outside towns are below.
FALLBACK_KPH = 88.5
MAX_AGE_S = 30 * 86400
MAX_BYTES = 1024**3
ARRAYS = ("lon", "lat", "is_access", "start", "end", "seconds", "metres")


class NoRoadError(PullError):
    """OpenStreetMap knows no main road in a box."""


@dataclass(frozen=True, eq=False)
class Roads:
    """A network of directed stretches between points.

    Attributes
    ----------
    lon, lat
        Points, degrees, shape (n,).
    is_access
        Whether a road other than a motorway or a ramp passes a point, where one can get on and off.
    start, end
        Rows of points, shape (m,).
    seconds, metres
        Time at the speed limit and length of each stretch, shape (m,).
    as_of
        Up to when OpenStreetMap's edits are in it; empty where the server did not say.
    is_stale
        Whether the server could not be asked and an old copy was taken.
    """

    lon: np.ndarray
    lat: np.ndarray
    is_access: np.ndarray
    start: np.ndarray
    end: np.ndarray
    seconds: np.ndarray
    metres: np.ndarray
    as_of: str = ""
    is_stale: bool = field(default=False, compare=False)


def road_network(
    bbox: tuple[float, float, float, float],
    *,
    url: str,
    folder: Path,
    offline: bool = False,
    retry: Retry | None = None,
) -> Roads:
    """Return the main roads of a box, from the folder where it holds them, else from an Overpass API.

    Parameters
    ----------
    bbox
        West, south, east and north, degrees.
    url
        URL of the API, without /interpreter.
    folder
        Where networks are kept.
    offline
        Whether only what is kept may be taken, however old.
    retry
        How often and how patiently a request is repeated.

    Raises
    ------
    NoRoadError
        There are none in the box.
    PullError
        The roads are not kept and cannot be had.
    """
    asked = json.dumps([bbox, url, ROAD_FILTER, FALLBACK_KPH])
    key = hashlib.sha256(asked.encode()).hexdigest()[:16]
    path = folder / f"roads-{key}.npz"
    kept = _load(path)
    if kept is not None and (offline or time.time() - path.stat().st_mtime < MAX_AGE_S):
        return kept
    if offline:
        message = "The roads of that box are not in the cache, and --offline was given."
        raise PullError(message, "Ask once without --offline.")
    try:
        with without_secrets():
            roads = _fetch(bbox, url, folder / key, retry or Retry())
    except PullError:
        if kept is not None:
            return replace(kept, is_stale=True)
        raise
    _save(roads, path)
    shutil.rmtree(folder / key, ignore_errors=True)
    return roads


def _fetch(bbox: tuple[float, float, float, float], url: str, folder: Path, retry: Retry) -> Roads:
    from osmnx._errors import InsufficientResponseError

    folder.mkdir(parents=True, exist_ok=True)

    def question(osmnx: ModuleType) -> Any:
        try:
            # Not simplified: a parcel is near a bend of a road, not near its next crossing.
            graph = osmnx.graph.graph_from_bbox(bbox, custom_filter=ROAD_FILTER, simplify=False)
        except InsufficientResponseError as error:
            raise _no_road(url) from error
        except ValueError as error:
            if str(error).startswith("Found no graph nodes"):
                raise _no_road(url) from error
            raise
        if not graph.number_of_edges():
            raise _no_road(url)
        graph = osmnx.routing.add_edge_speeds(graph, fallback=FALLBACK_KPH)
        return osmnx.routing.add_edge_travel_times(graph)

    return _roads_of(ask(url, folder, MAX_BYTES, retry, question), as_of(folder) or "")


def _no_road(url: str) -> NoRoadError:
    return NoRoadError(f"{url} knows no main road in that box.", "Choose other parcels.")


def _roads_of(graph: Any, edited: str) -> Roads:
    """Take the arrays out of a graph, points in the order of their ids."""
    ids = sorted(graph.nodes)
    row = {node: number for number, node in enumerate(ids)}
    edges = sorted(
        (row[start], row[end], float(data["travel_time"]), float(data["length"]), data["highway"])
        for start, end, data in graph.edges(data=True)
    )
    start, end, seconds, metres, kinds = zip(*edges, strict=True)
    is_access = np.zeros(len(ids), dtype=bool)
    is_road = np.isin(kinds, ACCESS_ROADS)
    for ends in (start, end):
        is_access[np.array(ends)[is_road]] = True
    return Roads(
        lon=np.array([graph.nodes[node]["x"] for node in ids], dtype=np.float64),
        lat=np.array([graph.nodes[node]["y"] for node in ids], dtype=np.float64),
        is_access=is_access,
        start=np.array(start, dtype=np.int64),
        end=np.array(end, dtype=np.int64),
        seconds=np.array(seconds, dtype=np.float64),
        metres=np.array(metres, dtype=np.float64),
        as_of=edited,
    )


def _save(roads: Roads, path: Path) -> None:
    part = path.with_suffix(".part.npz")
    held = asdict(roads)
    del held["is_stale"]
    np.savez_compressed(part, **held)
    part.replace(path)


def _load(path: Path) -> Roads | None:
    """Return what is kept; None where nothing is, or it is damaged."""
    try:
        # NumPy leaves a file open that it opened itself and cannot read.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as held:
            return Roads(**{name: held[name] for name in ARRAYS}, as_of=str(held["as_of"]))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None

"""The study of four counties with one source of each access kind behind the local upstream.

http: the grid, a zip of CSV files. arcgis: lakes, three pages of them. overpass: exchanges and data
centers. object: counties as GeoParquet. package: backbones in a wheel. What is left are files.
"""

import zipfile
from pathlib import Path
from typing import Any

import geopandas as gpd
import shapely
import yaml

from data.catalogue import load_catalogue
from data.object_cache import sha256_of
from tests.data.overpass import recorded
from tests.flows import tiny
from tests.upstream.kinds import (
    ArcgisServed,
    HttpServed,
    ObjectServed,
    OverpassServed,
    PackageServed,
    Served,
)
from tests.upstream.packages import make_wheel
from tests.upstream.server import Upstream

BBOX = [-78.0, 38.3, -76.8, 39.8]
WHEEL_VERSION = "1.0"
STATES = "census_state_2016"


def publish(upstream: Upstream, folder: Path) -> tuple[Path, dict[str, Served]]:
    """Write the study into a folder, with sources at the upstream; also returns what is served.

    The package index is the user's own pip configuration: set `PIP_INDEX_URL` to `<root>/simple`.
    """
    study = tiny.write_study(folder, "small")
    files = folder / "files"
    served = _served(upstream, files)
    content = yaml.safe_load(study.read_text())
    content["themes"]["population"]["sources"].append(STATES)
    fiber = content["themes"]["fiber"]
    fiber["sources"].append("osm_telecom")
    fiber["layers"] |= {
        "facility": ["osm_exchange"],
        "fiber_route": ["osm_telecom_line"],
        "data_center": ["osm_data_center"],
    }
    study.write_text(yaml.safe_dump(content, sort_keys=False))
    _write_catalogue(folder, {one.source_id: one for one in served.values()})
    return study, served


def _served(upstream: Upstream, files: Path) -> dict[str, Served]:
    counties = gpd.read_file(f"/vsizip/{files / 'census.zip'}/cb_2016_us_county_500k.shp")
    with zipfile.ZipFile(files / "backbone.zip") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    index = files / "index"
    index.mkdir()
    wheel = make_wheel(index, "topohub", WHEEL_VERSION, members)
    kinds = [
        HttpServed(upstream, "tamu_grid", (files / "grid.zip").read_bytes(), ("sub.csv", "lat")),
        ArcgisServed(upstream, "gshhs_lake", lakes(), "area_km2"),
        OverpassServed(upstream, "osm_telecom", recorded("features"), BBOX),
        ObjectServed(
            upstream,
            "census_boundary_2016",
            counties.set_crs("EPSG:4269", allow_override=True),
            "ALAND",
        ),
        PackageServed(upstream, "topohub_backbone", wheel),
    ]
    return {one.kind: one for one in kinds}


def lakes() -> gpd.GeoDataFrame:
    """Six square lakes west to east."""
    corners = [(-77.7 + number * 0.1, 38.9) for number in range(6)]
    return gpd.GeoDataFrame(
        {"gshhs_id": [str(7 + number) for number in range(6)], "area_km2": [20.0] * 6},
        geometry=[shapely.box(x, y, x + 0.05, y + 0.05) for x, y in corners],
        crs="OGC:CRS84",
    )


def _write_catalogue(folder: Path, served: dict[str, Served]) -> None:
    path, lock_path = folder / "own.yaml", folder / "own.lock"
    entries = {entry["id"]: entry for entry in yaml.safe_load(path.read_text())["sources"]}
    locked = yaml.safe_load(lock_path.read_text())["sources"]
    osm = load_catalogue().source("osm_telecom").model_dump(mode="json")
    entries["osm_telecom"] = osm | {"verified": True, "unverified_since": None}
    _take_states_apart(entries)
    for source_id, one in served.items():
        for table in entries[source_id]["tables"].values():
            if isinstance(one, ArcgisServed | ObjectServed):
                table["expect"] = [{"column": one.column, "type": "number"}]
    locked[STATES] = locked["census_boundary_2016"]
    for source_id, one in served.items():
        entries[source_id]["access"] = one.access
        locked.pop(source_id, None)
        if isinstance(one, PackageServed):
            locked[source_id] = {
                "version": WHEEL_VERSION,
                "filename": one.wheel.name,
                "sha256": sha256_of(one.wheel),
                "bytes": one.wheel.stat().st_size,
            }
    path.write_text(yaml.safe_dump({"sources": list(entries.values())}, sort_keys=False))
    lock_path.write_text(yaml.safe_dump({"sources": locked}))


def _take_states_apart(entries: dict[str, dict[str, Any]]) -> None:
    """Counties come as GeoParquet; the states stay in the file that held both."""
    both = entries["census_boundary_2016"]
    counties = both["tables"]["census_county"] | {
        "reader": "geoparquet",
        "member": None,
        "options": {},
    }
    states = both["tables"]["census_state"]
    entries[STATES] = both | {"id": STATES, "tables": {"census_state": states}}
    entries["census_boundary_2016"] = both | {"tables": {"census_county": counties}}

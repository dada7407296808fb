"""A study of four square counties: made files in the formats of the real sources, read the same way.

Loudoun and Fauquier (VA) lie west of Montgomery and Frederick (MD); ten substations stand in them. Every other
state has one substation with load, far away, so that the people of all states have somewhere to stand.
"""

import csv
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import geopandas as gpd
import shapely
import yaml

from data.catalogue import load_catalogue
from data.object_cache import sha256_of
from data.stage import REFERENCE_DIR
from data.study import STUDIES_DIR, load_study

RESOLUTION = 5
AREA = ["VA", "MD"]
# Two of ours tell as much as all, in less time.
WORKLOADS = ("training", "inference")
# county id -> name, west, south, east, north
COUNTIES = {
    "51107": ("Loudoun", -78.0, 38.8, -77.4, 39.3),
    "51061": ("Fauquier", -78.0, 38.3, -77.4, 38.8),
    "24031": ("Montgomery", -77.4, 38.8, -76.8, 39.3),
    "24021": ("Frederick", -77.4, 39.3, -76.8, 39.8),
}
# name, zone, lon, lat, kV: the last but one stands in the ocean's place of a bad row.
SUBSTATIONS = [
    ("ASHBURN", "1", -77.49, 39.04, 500),
    ("STERLING", "1", -77.42, 39.00, 230),
    ("LEESBURG", "1", -77.56, 39.11, 230),
    ("WARRENTON", "1", -77.80, 38.71, 230),
    ("REMINGTON", "1", -77.81, 38.53, 500),
    ("GAINESVILLE", "1", -77.62, 38.79, 138),
    ("BETHESDA", "2", -77.10, 38.98, 230),
    ("DICKERSON", "2", -77.30, 39.21, 345),
    ("FREDERICK", "2", -77.35, 39.42, 230),
    ("THURMONT", "2", -77.20, 39.62, 69),
]
LINES = [
    (0, 1),
    (0, 2),
    (0, 4),
    (1, 6),
    (2, 7),
    (3, 4),
    (3, 5),
    (6, 7),
    (7, 8),
    (8, 9),
    (4, 7),
    (0, 7),
]
PLANTS = [
    (4, "ng", 1500.0),
    (7, "coal", 850.0),
    (2, "ng", 770.0),
    (9, "solar", 80.0),
    (8, "wind", 40.0),
]
POPS = [
    ("Ashburn", -77.49, 39.04),
    ("Frederick", -77.41, 39.41),
    ("Warrenton", -77.80, 38.71),
]


def write_study(folder: Path, name: str = "tiny") -> Path:
    """Write study, catalogue, lock and files into a folder; the study file is returned."""
    files = folder / "files"
    files.mkdir(parents=True)
    _zip(files / "grid.zip", _grid())
    _write_counties(files / "census.zip", folder)
    _zip(files / "places.zip", {"cities5000.json": json.dumps(_places())})
    _zip(files / "backbone.zip", _backbone())
    _write_lakes(files / "lake.geojson")
    catalogue = folder / "own.yaml"
    catalogue.write_text(yaml.safe_dump({"sources": _sources()}, sort_keys=False))
    lock(folder)
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(study_content(name), sort_keys=False))
    return path


def study_content(name: str = "tiny") -> dict[str, Any]:
    """The open study, narrowed to two states and fed from the made files."""
    content = yaml.safe_load((STUDIES_DIR / "open-conus.yaml").read_text())
    content.update(id=name, title="Four square counties", area=AREA, catalogue="own.yaml")
    content["headroom_method"] = "import_estimate"
    content["draws"] = 40
    content["workloads"] = [w for w in content["workloads"] if w["id"] in WORKLOADS]
    content["divide"] = {"kind": "h3", "resolution": RESOLUTION, "min_land_share": 0.25}
    return content


def lock(folder: Path) -> None:
    """Pin the files as they are now."""
    entries = {}
    for source in load_catalogue(folder / "own.yaml").sources:
        path = folder / source.access.path
        entries[source.id] = {
            "version": source.version,
            "filename": path.name,
            "sha256": sha256_of(path),
            "bytes": path.stat().st_size,
        }
    (folder / "own.lock").write_text(yaml.safe_dump({"sources": entries}))


def edit(path: Path, change: dict[str, Any]) -> None:
    """Replace top-level keys of a YAML file."""
    content = yaml.safe_load(path.read_text())
    path.write_text(yaml.safe_dump(content | change, sort_keys=False))


def rewrite_member(path: Path, member: str, text: str) -> None:
    """Replace one member of a zip."""
    with zipfile.ZipFile(path) as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
    _zip(path, held | {member: text.encode()})


def read_member(path: Path, member: str) -> str:
    """Text of one member of a zip."""
    with zipfile.ZipFile(path) as archive:
        return archive.read(member).decode()


def _sources() -> list[dict[str, Any]]:
    """Our catalogue entries of the open study, with `file` access and without row counts."""
    ours = load_catalogue()
    files = {
        "tamu_grid": "grid.zip",
        "census_boundary_2016": "census.zip",
        "geonames_place": "places.zip",
        "topohub_backbone": "backbone.zip",
        "gshhs_lake": "lake.geojson",
    }
    entries = []
    for source_id, name in files.items():
        entry = ours.source(source_id).model_dump(
            exclude={"mirror", "notes", "verified", "unverified_since"}
        )
        entry["access"] = {"kind": "file", "path": f"files/{name}"}
        for table in entry["tables"].values():
            # What is expected of the real rows.
            table["rows"], table["expect"] = None, []
            member = table["member"]
            table["member"] = member.rpartition("/")[2] if isinstance(member, str) else member
        entries.append(entry)
    tables = {entry["id"]: entry["tables"] for entry in entries}
    tables["gshhs_lake"]["gshhs_lake"] |= {"reader": "geo", "member": None, "options": {}}
    for name in ("topohub_node", "topohub_link"):
        tables["topohub_backbone"][name]["member"] = "topohub/data/caida/2024-08/*.json"
    return entries


def _grid() -> dict[str, str]:
    states = _states()
    zones = [("1", "Virginia"), ("2", "Maryland")]
    zones += [(str(number), name) for number, name in enumerate(states, start=3)]
    subs = [(*row, 100.0 * (1 + number)) for number, row in enumerate(SUBSTATIONS)]
    # One lonely substation a state, in the middle of the country.
    subs += [
        (name.upper(), str(number), -100.0 + number / 20, 40.0, 115, 500.0)
        for number, name in enumerate(states, start=3)
    ]
    bus_ids = [3_000_001 + number for number in range(len(subs))]
    buses = [
        (bus, 1, load, 0, zone, 1, 0, kv, "Eastern")
        for bus, (_, zone, _, _, kv, load) in zip(bus_ids, subs, strict=True)
    ]
    branches = [
        (
            100 + number,
            bus_ids[a],
            bus_ids[b],
            0.001,
            0.01,
            0.02,
            900 + 50 * number,
            0,
            0,
            1,
            120.0,
            -119.0,
            "Line",
            "Eastern",
        )
        for number, (a, b) in enumerate(LINES)
    ]
    return {
        "sub.csv": _csv(
            "sub_id name interconnect_sub_id lat lon interconnect",
            [
                *[(1 + n, row[0], 1 + n, row[3], row[2], "Eastern") for n, row in enumerate(subs)],
                # Bad rows: null island, and a substation without a bus.
                (900, "NULL ISLAND", 900, 0.0, 0.0, "Eastern"),
                (901, "NO BUS", 901, 39.0, -77.5, "Eastern"),
            ],
        ),
        "bus.csv": _csv(
            "bus_id type Pd Qd zone_id Vm Va baseKV interconnect",
            [*buses, (9_000_900, 1, 0.0, 0, "1", 1, 0, 115, "Eastern")],
        ),
        "bus2sub.csv": _csv(
            "bus_id sub_id interconnect",
            [
                *[(bus, 1 + n, "Eastern") for n, bus in enumerate(bus_ids)],
                (9_000_900, 900, "Eastern"),
            ],
        ),
        "branch.csv": _csv(
            "branch_id from_bus_id to_bus_id r x b rateA ratio angle status Pf Pt branch_device_type interconnect",
            branches,
        ),
        "plant.csv": _csv(
            "plant_id bus_id Pg status Pmax Pmin type interconnect",
            [
                (n, bus_ids[at], mw / 2, 1, mw, 0, fuel, "Eastern")
                for n, (at, fuel, mw) in enumerate(PLANTS)
            ],
        ),
        "zone.csv": _csv(
            "zone_id zone_name state interconnect time_zone",
            [(number, name, name, "Eastern", "Etc/GMT+5") for number, name in zones],
        ),
        "dcline.csv": _csv(
            "dcline_id from_bus_id to_bus_id status Pf Pt Pmin Pmax from_interconnect to_interconnect",
            [(0, bus_ids[3], bus_ids[8], 1, 0, 0, 0, 200, "Eastern", "Eastern")],
        ),
    }


def _states() -> list[str]:
    """Names of the states beside Virginia and Maryland; the District's people stand in Maryland's zone."""
    with (REFERENCE_DIR / "state.csv").open(newline="") as handle:
        rows = list(csv.DictReader(handle))
    return [row["state_name"] for row in rows if row["state"] not in {"VA", "MD", "DC"}]


def _write_counties(path: Path, folder: Path) -> None:
    rows = [
        {
            "STATEFP": county_id[:2], "COUNTYFP": county_id[2:], "GEOID": county_id, "NAME": name, "LSAD": "06",
            "ALAND": 1.4e9, "AWATER": 1e7, "geometry": shapely.box(*box),
        }
        for county_id, (name, *box) in COUNTIES.items()
    ]  # fmt: skip
    rows.append(
        rows[0]
        | {
            "STATEFP": "02",
            "GEOID": "02020",
            "NAME": "Anchorage",
            "geometry": shapely.box(-150, 61, -149, 62),
        }
    )
    states = [
        {"STATEFP": fips, "STUSPS": code, "GEOID": fips, "NAME": name, "ALAND": 1.0, "AWATER": 1.0,
         "geometry": shapely.box(-78, 38, -77, 39)}
        for fips, code, name in [("51", "VA", "Virginia"), ("24", "MD", "Maryland")]
    ]  # fmt: skip
    scratch = folder / "scratch"
    scratch.mkdir()
    for stem, content in [("cb_2016_us_county_500k", rows), ("cb_2016_us_state_500k", states)]:
        gpd.GeoDataFrame(content, crs="EPSG:4269").to_file(scratch / f"{stem}.shp")
        # The real wheel leaves the .prj out.
        (scratch / f"{stem}.prj").unlink()
    _zip(path, {part.name: part.read_bytes() for part in sorted(scratch.iterdir())})
    for part in scratch.iterdir():
        part.unlink()
    scratch.rmdir()


def _write_lakes(path: Path) -> None:
    lake = {"gshhs_id": "7", "area_km2": 20.0, "geometry": shapely.box(-77.7, 38.9, -77.65, 38.95)}
    gpd.GeoDataFrame([lake], crs="OGC:CRS84").to_file(path, driver="GeoJSON")


def _places() -> dict[str, Any]:
    names = [(row[0].title(), row[2], row[3]) for row in SUBSTATIONS]
    return {
        str(number): {
            "geonameid": number, "name": name, "latitude": lat, "longitude": lon, "countrycode": "US",
            "population": 10_000 + number, "admin1code": "VA" if number < 6 else "MD",
        }
        for number, (name, lon, lat) in enumerate(names)
    }  # fmt: skip


def _backbone() -> dict[str, str]:
    nodes = [
        {"id": number, "name": name, "pos": [lon, lat]}
        for number, (name, lon, lat) in enumerate(POPS)
    ]
    edges = [{"source": 0, "target": 1, "dist": 42.0}, {"source": 0, "target": 2, "dist": 45.0}]
    networks = {"3356": 3, "7018": 2, "701": 1}
    return {
        f"topohub/data/caida/2024-08/{network}.json": json.dumps(
            {"nodes": nodes[:count], "edges": [edge for edge in edges if edge["target"] < count]}
        )
        for network, count in networks.items()
    }


def _csv(header: str, rows: list[tuple[Any, ...]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header.split())
    writer.writerows(rows)
    return text.getvalue()


def _zip(path: Path, members: dict[str, Any]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            # A fixed date, so that equal content gives equal bytes.
            archive.writestr(zipfile.ZipInfo(name, (2024, 1, 1, 0, 0, 0)), content)


__all__ = [
    "AREA",
    "COUNTIES",
    "RESOLUTION",
    "SUBSTATIONS",
    "edit",
    "load_study",
    "lock",
    "read_member",
    "rewrite_member",
    "study_content",
    "write_study",
]

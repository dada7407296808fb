"""The mirror's real data behind the addresses of `data/sources-live.yaml`, each in its own protocol.

What an address would give today nobody here has seen. What is served is the mirror's record in the form that
the address is known to have: its protocol, the members of its archives, the names of its columns.
"""

import io
import json
import tempfile
import zipfile
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import geopandas as gpd
import numpy as np
import pandas as pd
import yaml

from data.catalogue import CATALOGUE_PATH
from tests.upstream.arcgis import ArcgisLayer
from tests.upstream.server import Route, Upstream, conditional

LIVE_PATH = CATALOGUE_PATH.with_name("sources-live.yaml")
STUDY = "conus-live"
UNKNOWN = -999_999
BUILDING = 1_000_000
# WRI's words for fuels, as the atlas says them.
FUELS = {
    "Gas": "natural gas",
    "Oil": "petroleum",
    "Hydro": "hydroelectric",
    "Storage": "batteries",
    "Solar": "solar",
    "Wind": "wind",
    "Coal": "coal",
    "Nuclear": "nuclear",
    "Biomass": "biomass",
    "Waste": "biomass",
    "Geothermal": "geothermal",
    "Petcoke": "petroleum",
}


def publish(
    upstream: Upstream, mirror: Path, folder: Path, *, only: Collection[str] | None = None
) -> Path:
    """Serve the mirror behind the live addresses, and write a study that reads them from there.

    Parameters
    ----------
    upstream
        The server that gets the routes.
    mirror
        The mirror folder.
    folder
        Where the study and its catalogue are written, with what is lent to the catalogue's lock.
    only
        Ids of the sources to serve; all that the mirror has data for when None.

    Returns
    -------
    Path of the study file. Its other sources are files of the mirror, so a run needs GRIDSTEAD_MIRROR.
    """
    entries = []
    for entry in yaml.safe_load(LIVE_PATH.read_text(encoding="utf-8"))["sources"]:
        if entry["id"] not in MADE or (only is not None and entry["id"] not in only):
            continue
        url = urlsplit(entry["access"]["url"])
        path = f"/{url.netloc}{url.path}"
        upstream.routes |= MADE[entry["id"]](mirror, path)
        entry["access"]["url"] = upstream.url(path + (f"?{url.query}" if url.query else ""))
        entries.append(entry)
    folder.mkdir(parents=True, exist_ok=True)
    catalogue = folder / "conus-upstream-sources.yaml"
    catalogue.write_text(yaml.safe_dump({"sources": entries}, sort_keys=False), encoding="utf-8")
    served = {entry["id"] for entry in entries}
    pins = yaml.safe_load(LIVE_PATH.with_suffix(".lock").read_text(encoding="utf-8"))["sources"]
    lock = {"sources": {name: pin for name, pin in pins.items() if name in served}}
    catalogue.with_suffix(".lock").write_text(yaml.safe_dump(lock), encoding="utf-8")
    study = folder / "conus-upstream.yaml"
    study.write_text(
        f"id: conus-upstream\nextends: {STUDY}\ncatalogue: {catalogue.name}\n", encoding="utf-8"
    )
    return study


Routes = dict[str, Route]
Maker = Callable[[Path, str], Routes]


def _file(name: str) -> Maker:
    """Serve a file of the mirror as it is."""
    return lambda mirror, path: {path: conditional((mirror / name).read_bytes())}


def _zipped(name: str, member: str) -> Maker:
    """Serve a file of the mirror as the member of an archive."""

    def routes(mirror: Path, path: str) -> Routes:
        return {path: conditional(archive({member: (mirror / name).read_bytes()}))}

    return routes


def _shapefile(name: str, stem: str) -> Maker:
    """Serve a GeoParquet file of the mirror as the shapefile that its publisher ships."""

    def routes(mirror: Path, path: str) -> Routes:
        with tempfile.TemporaryDirectory() as folder:
            gpd.read_parquet(mirror / name).to_file(Path(folder) / f"{stem}.shp", encoding="utf-8")
            members = {item.name: item.read_bytes() for item in sorted(Path(folder).iterdir())}
        return {path: conditional(archive(members))}

    return routes


def _renamed(name: str, stem: str) -> Maker:
    """Serve a zipped shapefile of the mirror under its publisher's name."""

    def routes(mirror: Path, path: str) -> Routes:
        with zipfile.ZipFile(mirror / name) as held:
            members = {stem + Path(member).suffix: held.read(member) for member in held.namelist()}
        return {path: conditional(archive(members))}

    return routes


def _layer(frame: Callable[[Path], gpd.GeoDataFrame], limit: int = 2000) -> Maker:
    """Serve a frame as a layer of an ArcGIS service."""

    def routes(mirror: Path, path: str) -> Routes:
        layer = ArcgisLayer.of(frame(mirror), limit=limit)
        layer.field = "OBJECTID"
        layer.edited(1_727_654_400_000)
        return dict(layer.routes(path))

    return routes


def _records(records: Callable[[Path], list[dict[str, Any]]]) -> Maker:
    """Serve records as PeeringDB does: a list under `data`, `meta` beside it."""

    def routes(mirror: Path, path: str) -> Routes:
        body = json.dumps({"data": records(mirror), "meta": {}}).encode()
        return {path: conditional(body, **{"Content-Type": "application/json"})}

    return routes


def archive(members: dict[str, bytes]) -> bytes:
    """Pack members into a zip whose bytes do not depend on when."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as held:
        for name, content in members.items():
            held.writestr(zipfile.ZipInfo(name), content)
    return stream.getvalue()


def lines(mirror: Path) -> gpd.GeoDataFrame:
    """Give lines as EIA's atlas has them; the mirror's know their class alone."""
    held = gpd.read_parquet(mirror / "grid/hifld_transmission_lines.parquet")
    is_dc = held["VOLT_CLASS"] == "DC"
    return gpd.GeoDataFrame(
        {
            "ID": (100_001 + np.arange(len(held))).astype(str),
            "TYPE": np.where(is_dc, "DC; OVERHEAD", "AC; OVERHEAD"),
            "STATUS": "IN SERVICE",
            "OWNER": "NOT AVAILABLE",
            "VOLTAGE": float(UNKNOWN),
            "VOLT_CLASS": held["VOLT_CLASS"],
            "SUB_1": "NOT AVAILABLE",
            "SUB_2": "NOT AVAILABLE",
        },
        geometry=held.geometry,
        crs=held.crs,
    )


def substations(mirror: Path) -> gpd.GeoDataFrame:
    """Give the substations of HIFLD from 230 kV on, and California's, as HIFLD had them."""
    national = gpd.read_parquet(mirror / "grid/hifld_substations_ge230kv.parquet")
    state = gpd.read_file(mirror / "grid/ca_substations.geojson")
    status = {"Proposed": "PROPOSED", "Closed": "INACTIVE"}
    unknown = pd.Series([f"UNKNOWN{number}" for number in range(len(national))])
    parts = [
        gpd.GeoDataFrame(
            {
                "ID": national["objectid"].astype(str).to_numpy(),
                "NAME": unknown.to_numpy(),
                "STATE": "NOT AVAILABLE",
                "STATUS": "IN SERVICE",
                "MAX_VOLT": national["voltage"].astype(float).to_numpy(),
            },
            geometry=national.geometry.to_numpy(),
            crs=national.crs,
        ),
        gpd.GeoDataFrame(
            {
                "ID": [f"CA{number}" for number in range(1, len(state) + 1)],
                "NAME": state["Name"].to_numpy(),
                "STATE": "CA",
                "STATUS": state["Status"].map(status).fillna("IN SERVICE").to_numpy(),
                "MAX_VOLT": state["Max_Voltag"].astype(float).replace(0, UNKNOWN).to_numpy(),
            },
            geometry=state.geometry.to_numpy(),
            crs=state.crs,
        ),
    ]
    held = pd.concat(parts, ignore_index=True)
    held["TYPE"] = "SUBSTATION"
    held["MIN_VOLT"] = float(UNKNOWN)
    held["SOURCEDATE"] = None
    return gpd.GeoDataFrame(held, crs=parts[0].crs)


def plants(mirror: Path) -> gpd.GeoDataFrame:
    """Give the plants of EIA-860 as EIA's atlas has them, with WRI's capacities and fuels."""
    sheet = pd.read_excel(mirror / "grid/2___Plant_Y2023.xlsx", sheet_name="Plant", header=1)
    sheet["code"] = pd.to_numeric(sheet["Plant Code"], errors="coerce")
    sheet = sheet.dropna(subset="code").drop_duplicates("code")
    known = pd.read_csv(mirror / "grid/wri_database_USA.csv", low_memory=False)
    known["code"] = pd.to_numeric(known["gppd_idnr"].str.removeprefix("USA"), errors="coerce")
    known = known.drop_duplicates("code").set_index("code").reindex(sheet["code"])
    lon, lat = (
        pd.to_numeric(sheet[name], errors="coerce").fillna(
            pd.Series(known[name.lower()].to_numpy(), index=sheet.index)
        )
        for name in ("Longitude", "Latitude")
    )
    place = gpd.GeoSeries(gpd.points_from_xy(lon, lat), crs="EPSG:4326")
    place[(lon.isna() | lat.isna()).to_numpy()] = None
    return gpd.GeoDataFrame(
        {
            "Plant_Code": sheet["code"].astype(int).to_numpy(),
            "Plant_Name": sheet["Plant Name"].to_numpy(),
            "State": sheet["State"].to_numpy(),
            "PrimSource": known["primary_fuel"].map(FUELS).fillna("other").to_numpy(),
            "Install_MW": known["capacity_mw"].to_numpy(),
            "Total_MW": known["capacity_mw"].to_numpy(),
            "Period": "202502",
        },
        geometry=place.to_numpy(),
        crs=place.crs,
    )


def facilities(mirror: Path) -> list[dict[str, Any]]:
    """Give PeeringDB's facilities of the United States, as its API answers them.

    The mirror's stand at their cities, so that no building of an exchange can be told among them: those
    buildings are facilities of their own, numbered from BUILDING on.
    """
    held = pd.read_csv(mirror / "fiber/PeeringDB_phys_nodes.csv", dtype=str).astype(object)
    rows = held.where(held.notna(), None).to_dict("records")
    colocations = [
        _facility(number, row["NODE_NAME"], row["ORGANIZATION"], row["LONGITUDE"], row["LATITUDE"])
        for number, row in enumerate(rows, start=1)
        if row["COUNTRY"] == "US"
    ]
    return colocations + [
        _facility(
            BUILDING + item["properties"]["building_id"],
            ", ".join(item["properties"]["address"]),
            None,
            *item["geometry"]["coordinates"],
        )
        for item in buildings(mirror)
    ]


def _facility(
    number: int, name: str, operator: str | None, lon: str | float | None, lat: str | float | None
) -> dict[str, Any]:
    return {
        "id": number,
        "org_id": number,
        "org_name": operator,
        "name": name,
        "city": "",
        "state": "",
        "country": "US",
        "latitude": None if lat is None else float(lat),
        "longitude": None if lon is None else float(lon),
        "net_count": 1,
        "status": "ok",
    }


def exchanges(mirror: Path) -> list[dict[str, Any]]:
    """Give the exchanges that have a building in the United States."""
    return [
        {"id": number, "name": slug, "city": "", "country": "US", "net_count": 1, "status": "ok"}
        for slug, number in _numbered(mirror).items()
    ]


def presences(mirror: Path) -> list[dict[str, Any]]:
    """Say in which building which exchange stands."""
    numbers = _numbered(mirror)
    pairs = [
        (numbers[one["slug"]], BUILDING + item["properties"]["building_id"])
        for item in buildings(mirror)
        for one in item["properties"]["exchanges"]
    ]
    return [
        {"id": number, "ix_id": exchange, "fac_id": facility, "status": "ok"}
        for number, (exchange, facility) in enumerate(pairs, start=1)
    ]


def buildings(mirror: Path) -> list[dict[str, Any]]:
    """Give the buildings of exchanges in the United States, as GeoJSON features."""
    content = json.loads((mirror / "fiber/ixp_buildings.geojson").read_text(encoding="utf-8"))
    return [
        feature
        for feature in content["features"]
        if feature["properties"]["country"] == "united-states"
    ]


def _numbered(mirror: Path) -> dict[str, int]:
    """Number the exchanges by their names."""
    slugs = {one["slug"] for item in buildings(mirror) for one in item["properties"]["exchanges"]}
    return {slug: number for number, slug in enumerate(sorted(slugs), start=1)}


def parks(mirror: Path) -> gpd.GeoDataFrame:
    """Give the national parks as PAD-US names its columns."""
    held = gpd.read_parquet(mirror / "constraints/ne_parks.parquet")
    return gpd.GeoDataFrame(
        {
            "Unit_Nm": held["unit_name"],
            "Mang_Type": "FED",
            "Mang_Name": "NPS",
            "Des_Tp": "NP",
            "GAP_Sts": "1",
            "State_Nm": None,
        },
        geometry=held.geometry,
        crs=held.crs,
    )


MADE: dict[str, Maker] = {
    "eia_line": _layer(lines),
    "hifld_open_substation": _layer(substations),
    "eia_plant": _layer(plants),
    "eia860_plant": _zipped("grid/2___Plant_Y2023.xlsx", "2___Plant_Y2023.xlsx"),
    "eia860_boiler": _zipped("grid/6_2_EnviroEquip_Y2024.xlsx", "6_2_EnviroEquip_Y2024.xlsx"),
    "wri_plant": _file("grid/wri_database_USA.csv"),
    "county_fact": _file("constraints/county_final_table_clean.csv"),
    "land_value": _file("constraints/fair_market_value.csv"),
    "county_2018": _renamed("population/counties_urban_rural.zip", "cb_2018_us_county_5m"),
    "county_acs": _file("population/county_census_features.csv"),
    "tract_centroid": _file("population/tract_lat_lon.csv"),
    "tract_people": _file("population/tract_pop.csv"),
    "tract_degree_day": _file("population/tract_degday_normals.csv"),
    "peeringdb_api_facility": _records(facilities),
    "peeringdb_api_exchange": _records(exchanges),
    "peeringdb_api_presence": _records(presences),
    "atlas_node": _file("fiber/InternetAtlas_phys_nodes.csv"),
    "atlas_link": _file("fiber/InternetAtlas_edges.csv"),
    "interstate": _file("fiber/us_interstates.json"),
    "railroad": _shapefile("fiber/ne_railroads_na.parquet", "ne_10m_railroads_north_america"),
    "ne_place": _shapefile("population/ne_populated_places.parquet", "ne_10m_populated_places"),
    "lake_ne": _shapefile("constraints/ne_lakes.parquet", "ne_10m_lakes"),
    "park_ne": _shapefile("constraints/ne_parks.parquet", "ne_10m_parks_and_protected_lands_area"),
    "padus_area": _layer(parks),
}

"""Made points of presence and links on the equator, where a degree of longitude is the radius times pi / 180."""

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from hypothesis import strategies as st

from geo.fiber.rules import LatencyRules

KM_PER_DEGREE = 6_378.137 * np.pi / 180.0
POP = ["pop_id", "pop_name", "carrier_id", "carrier_name", "carrier_kind", "lon", "lat"]
FACILITY = ["facility_id", "facility_name", "facility_kind", "operator_name", "lon", "lat"]
IXP = ["ixp_id", "ixp_name", "carrier_count", "is_inferred", "lon", "lat"]
LINK = ["link_id", "carrier_id", "from_pop_id", "to_pop_id", "length_km", "link_kind", "source_id"]


def rules_of(**changed):
    """A round trip of 0.01, 0.02 and 0.03 ms a km, a change of carrier of 0.2, 0.4 and 0.8 ms."""
    values = {
        "light_us_per_km": 5.0,
        "straight_factor": (1.0, 2.0, 3.0),
        "right_of_way_factor": (1.0, 1.1, 1.2),
        "routing_factor": (1.0, 1.0, 1.0),
        "hop_ms": (0.01, 0.05, 0.25),
        "exchange_ms": (0.2, 0.4, 0.8),
        "access_ms": (0.0, 0.0, 0.0),
        "node_join_km": 2.0,
        "node_reach_mi": 100.0,
        "metro_reach_mi": 50.0,
        "exchange_reach_mi": 25.0,
        "backhaul_reach_mi": 0.0,
        "exchange_carriers": 3,
        "detour_factor": 1.75,
        "lateral_factor": (1.1, 1.3, 1.5),
        "lateral_musd_per_mi": (0.042, 0.095, 0.095),
    }
    return LatencyRules(**{**values, **changed})


def at_km(km):
    """Longitude so many km east of longitude -100, on the equator."""
    return -100.0 + km / KM_PER_DEGREE


def pops(*rows):
    """Points of presence from (pop_id, carrier_id, km east) or with a kind and a latitude."""
    full = []
    for name, carrier, east, *more in rows:
        kind, lat = (*more, *("carrier", 0.0)[len(more) :])
        full.append([name, f"city {name[0]}", carrier, f"{carrier} Inc.", kind, at_km(east), lat])
    return pd.DataFrame(full, columns=POP)


def facilities(*rows):
    """Facilities from (facility_id, kind, km east)."""
    full = [[name, f"hall {name}", kind, "op", at_km(east), 0.0] for name, kind, east in rows]
    return pd.DataFrame(full, columns=FACILITY)


def ixps(*rows):
    """Exchanges from (ixp_id, is_inferred, km east)."""
    full = [[name, f"exchange {name}", 3, known, at_km(east), 0.0] for name, known, east in rows]
    return pd.DataFrame(full, columns=IXP)


def links(*rows):
    """Links from (link_id, from_pop_id, to_pop_id) or with a kind."""
    full = [
        [name, "told by ends", here, there, np.nan, (*kind, "mapped")[0], "made"]
        for name, here, there, *kind in rows
    ]
    return pd.DataFrame(full, columns=LINK)


def land(west_km, east_km):
    """One county along the equator."""
    shape = shapely.box(at_km(west_km), -1.0, at_km(east_km), 1.0)
    return gpd.GeoDataFrame({"county_id": ["1"]}, geometry=[shape], crs="OGC:CRS84")


@st.composite
def layers(draw):
    """Points of presence, facilities, exchanges and links, many of them near one another or doubled."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    cities = rng.uniform([-100.0, 38.0], [-96.0, 41.0], (rng.integers(1, 7), 2))

    def places(count):
        lonlat = cities[rng.integers(0, len(cities), count)]
        return (lonlat + rng.choice([0.0, 0.004, 0.02, 0.2]) * rng.normal(size=(count, 2))).T

    count = int(rng.integers(0, 16))
    lon, lat = places(count)
    pop = pd.DataFrame(
        {
            "pop_id": [f"p{no}" for no in range(count)],
            "pop_name": rng.choice(["Here", "There"], count),
            "carrier_id": rng.choice(list("abcd"), count),
            "carrier_name": rng.choice(["A", "B"], count),
            "carrier_kind": rng.choice(["carrier", "host"], count, p=[0.9, 0.1]),
            "lon": lon,
            "lat": lat,
        },
        columns=POP,
    )
    lon, lat = places(int(rng.integers(0, 4)))
    facility = pd.DataFrame(
        {
            "facility_id": [f"f{no}" for no in range(len(lon))],
            "facility_name": "hall",
            "facility_kind": rng.choice(["colocation", "exchange"], len(lon)),
            "lon": lon,
            "lat": lat,
        },
        columns=FACILITY,
    )
    lon, lat = places(int(rng.integers(0, 4)))
    ixp = pd.DataFrame(
        {
            "ixp_id": [f"x{no}" for no in range(len(lon))],
            "ixp_name": "exchange",
            "is_inferred": rng.random(len(lon)) < 0.5,
            "lon": lon,
            "lat": lat,
        },
        columns=IXP,
    )
    ends = rng.integers(0, count + 1, (int(rng.integers(0, 40)), 2))
    link = pd.DataFrame(
        {
            "link_id": [f"l{no}" for no in range(len(ends))],
            "from_pop_id": [f"p{no}" for no in ends[:, 0]],
            "to_pop_id": [f"p{no}" for no in ends[:, 1]],
            "link_kind": rng.choice(["mapped", "ip_adjacency"], len(ends)),
            "source_id": "made",
        },
        columns=LINK,
    )
    # Links at random seldom join points of one carrier: half of them are made to.
    carrier = dict(zip(pop["pop_id"], pop["carrier_id"], strict=True))
    to_pop_id = link["to_pop_id"].tolist()
    for row, here in list(enumerate(link["from_pop_id"]))[::2]:
        own = [no for no in carrier if carrier[no] == carrier.get(here)]
        if own:
            to_pop_id[row] = own[int(rng.integers(len(own)))]
    link["to_pop_id"] = to_pop_id
    return pop, facility, ixp, link

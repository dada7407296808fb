"""All of a study's fiber at once, from layers to the index of places."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from geo.errors import CrsError
from geo.fiber.network import FiberNetwork
from tests.geo.fiber.worlds import at_km, facilities, ixps, land, links, pops, rules_of

LONLAT = "OGC:CRS84"


def metros(*rows):
    """Metros from (metro_id, km east)."""
    columns = ["metro_id", "metro_name", "metro_people", "is_major", "lon", "lat"]
    full = [[name, f"{name} city", 2e6, True, at_km(east), 0.0] for name, east in rows]
    return pd.DataFrame(full, columns=columns)


def people(*rows):
    """People from (count, km east)."""
    full = [[count, at_km(east), 0.0] for count, east in rows]
    return pd.DataFrame(full, columns=["people", "lon", "lat"])


def ways(*rows):
    """Rights of way along the equator from (west km, east km)."""
    shapes = [shapely.LineString([(at_km(west), 0.0), (at_km(east), 0.0)]) for west, east in rows]
    return gpd.GeoDataFrame(geometry=shapes, crs=LONLAT)


# Exchanges in two metros at 0 and 400 km, a node between them at 200 km and one at 300 km north of no link.
POPS = pops(
    ("a1", "x", 0.0), ("a2", "y", 0.0), ("b1", "x", 200.0), ("b2", "y", 200.0), ("c1", "x", 400.0),
    ("d1", "z", 300.0),
)  # fmt: skip
LINKS = links(("1", "a1", "b1"), ("2", "b1", "c1"))


def layers(**changed):
    made = {
        "pop": POPS,
        "carrier_link": LINKS,
        "facility": facilities(),
        "ixp": ixps(("w", False, 0.0), ("e", False, 400.0)),
        "metro": metros(("west", 5.0), ("east", 400.0)),
        "people": people((1_000.0, 0.0), (500.0, 190.0), (7.0, 900.0)),
        "county": land(-100.0, 1_000.0),
        "right_of_way": ways(),
        "fiber_route": ways(),
    }
    return made | changed


RULES = rules_of(backhaul_reach_mi=100.0, routing_factor=(1.0, 1.5, 2.0))


def test_backhaul_counts_for_round_trips_and_never_for_diversity():
    found = FiberNetwork.of(layers(), RULES)
    node = {name: no for no, name in enumerate(found.graph.node["node_id"])}
    lone, middle = node["pop-d1"], node["pop-b1"]
    assert found.graph.is_connected.all()
    # A hundred km to the exchange in the east and a change of carrier, half of which takes to its hub.
    assert found.index.exchange.best[0][lone] == found.index.exchange.target_id.tolist().index("e")
    assert found.index.diversity.node_paths[[lone, middle]].tolist() == [0, 2]
    assert found.index.people.unserved_people == 7.0


def northward(made):
    """The same world along the meridian of Kansas, which rights of way are made for, with km as they come there."""
    turned = {}
    for name, frame in made.items():
        if isinstance(frame, gpd.GeoDataFrame):
            shapes = shapely.transform(
                frame.geometry.to_numpy(),
                lambda at: np.column_stack([at[:, 1] - 100.0, at[:, 0] + 135.0]),
            )
            turned[name] = frame.set_geometry(gpd.GeoSeries(shapes, crs=LONLAT))
        elif "lon" in frame:
            turned[name] = frame.assign(lon=-100.0 + frame["lat"], lat=frame["lon"] + 135.0)
        else:
            turned[name] = frame
    return turned


def test_a_right_of_way_tells_the_least_and_routing_the_most_of_what_is_mapped_along_it():
    plain = FiberNetwork.of(northward(layers()), RULES)
    course = ways((-50.0, 210.0))
    laid = FiberNetwork.of(northward(layers(right_of_way=course)), RULES)
    assert plain.links.link["how"].eq("straight").all()
    link = laid.links.link.set_index("link_id")
    assert (link["how"]["1"], link["how"]["2"]) == ("right_of_way", "straight")
    here, there = (laid.graph.node["node_id"].tolist().index(name) for name in ("pop-a1", "pop-b1"))
    km = link["length_km"]["1"]
    assert link["route_km"]["1"] == pytest.approx(km, rel=1e-6)
    # A hundredth ms a km: as laid; a tenth of slack and half again of routing; a fifth and twice; and a hop.
    along = np.array([1.0, 1.1 * 1.5, 1.2 * 2.0]) * km / 100.0
    assert laid.graph.node_ms()[here, there] == pytest.approx(
        [*along + np.array([0.01, 0.05, 0.25])], rel=1e-6
    )
    assert plain.graph.node_ms()[here, there] == pytest.approx(
        np.array([1.0, 2.0, 3.0]) * km / 100.0
    )
    # A carrier's own course does as well as an interstate.
    own = FiberNetwork.of(northward(layers(fiber_route=course)), RULES)
    np.testing.assert_array_equal(own.graph.node_ms(), laid.graph.node_ms())


def test_a_point_in_the_sea_serves_nobody_and_says_why():
    pop = pd.concat([POPS, pops(("s1", "x", -300.0))], ignore_index=True)
    made = layers(pop=pop, carrier_link=links(("1", "a1", "b1"), ("9", "s1", "a1")))
    found = FiberNetwork.of(made, RULES)
    assert not found.graph.is_connected[found.graph.node["node_id"] == "pop-s1"].any()
    assert (found.links.dropped["link_id"] == "9").any()
    access = found.index.access(np.array([at_km(-250.0)]), np.array([0.0]))
    assert not access.is_any.any()


@pytest.mark.parametrize(
    ("gone", "is_trip", "is_people"),
    [
        (("pop", "carrier_link"), False, False),
        (("ixp",), False, False),
        (("metro",), False, True),
        (("people",), True, False),
        (("carrier_link",), True, True),
    ],
)
def test_what_a_study_lacks_is_unknown_and_no_error(gone, is_trip, is_people):
    found = FiberNetwork.of(layers(**{name: layers()[name][:0] for name in gone}), RULES)
    access = found.index.access(np.array([at_km(310.0)]), np.array([0.0]))
    _, ms = found.index.metro.least_rtt(access, RULES)
    assert np.isfinite(ms).all() == is_trip
    assert found.index.people.is_known == is_people


def test_the_order_of_rows_changes_no_bit():
    one = FiberNetwork.of(layers(), RULES).index.arrays()
    turned = {name: frame[::-1].reset_index(drop=True) for name, frame in layers().items()}
    other = FiberNetwork.of(turned, RULES).index.arrays()
    for name in ("node_id", "node_ms", "people.milli", "people.offsets", "diversity.node_paths"):
        np.testing.assert_array_equal(one[name], other[name])


def test_shapes_in_another_crs_are_refused():
    with pytest.raises(CrsError):
        FiberNetwork.of(layers(right_of_way=ways((0.0, 200.0)).to_crs("EPSG:5070")), RULES)

"""Carriers' maps of the open study: what stands nowhere, and which places are taken for exchanges."""

import pytest

from tests.sql.staged import codes, staged

KANSAS = (-97.82, 37.75)
CHICAGO = (-87.65, 41.85)


def pops(*rows):
    """Nodes as (network, number, name, lon, lat); 3356, 701, 7018 and 7922 are carriers, 2152 is research."""
    names = ("network", "node_id", "name", "lon", "lat")
    return [
        dict(zip(names, row, strict=True)) | {"collection": "caida", "member": "made.json"}
        for row in rows
    ]


def exchanges(*rows):
    con = staged({"topohub_node": pops(*rows)}, "topohub_pop", "ixp_from_pop")
    query = (
        "select ixp_id, ixp_name, carrier_count, is_inferred from staging.ixp_from_pop order by 1"
    )
    return con.execute(query).fetchall()


def test_who_stands_in_the_middle_of_the_country_stands_nowhere():
    rows = pops(
        ("3356", 1, None, *KANSAS),
        ("701", 2, "Wichita", -97.34, 37.69),
        ("701", 3, "Cheney", -97.78, 37.63),
    )
    con = staged({"topohub_node": rows}, "topohub_pop")
    assert list(codes(con, "topohub_pop").values()) == ["invalid", "", ""]
    (reason,) = con.execute(
        "select reject_reason from staging.topohub_pop where reject_code is not null"
    ).fetchone()
    assert reason.startswith("stands at 37.75, -97.82, the middle of the country")


def test_links_to_nowhere_are_none():
    nodes = pops(("3356", 1, None, *KANSAS), ("3356", 2, "Chicago", *CHICAGO))
    link = {"network": "3356", "source": 1, "target": 2, "dist": 950.0, "collection": "caida"}
    con = staged(
        {"topohub_node": nodes, "topohub_link": [link | {"member": "made.json"}]},
        "topohub_pop",
        "topohub_link",
    )
    assert list(codes(con, "topohub_link").values()) == ["outside_area"]


def test_three_carriers_in_a_city_make_an_exchange_and_research_none():
    two = [("3356", 1, "Chicago", *CHICAGO), ("701", 1, "Chicago", *CHICAGO)]
    assert exchanges(*two, ("2152", 1, "Chicago", *CHICAGO)) == []
    assert exchanges(*two, ("701", 2, "Chicago", -87.6, 41.9)) == []
    assert exchanges(*two, ("7018", 1, "Chicago", *CHICAGO)) == [
        ("city-3356-1", "Chicago", 3, True)
    ]


def test_carriers_are_counted_under_all_names_within_25_km():
    """Three towns on a line north of Miami, 20 km from one to the next."""
    miami, miramar, lauderdale = (-80.19, 25.77), (-80.19, 25.95), (-80.19, 26.13)
    rows = [
        ("7922", 1, "Fort Lauderdale", *lauderdale),
        ("701", 1, "Miramar", *miramar),
        ("3356", 1, "Miami", *miami),
    ]
    assert exchanges(*rows) == [("city-701-1", "Miramar", 3, True)]
    # Two carriers call it Miami: it has the exchange, though Miramar sees as many.
    assert exchanges(*rows, ("7018", 1, "Miami", *miami)) == [("city-3356-1", "Miami", 3, True)]


@pytest.mark.parametrize("order", [1, -1])
def test_of_equal_places_the_first_id_has_the_exchange(order):
    rows = [("3356", 1, "A", *CHICAGO), ("701", 1, "B", *CHICAGO), ("7018", 1, "C", *CHICAGO)]
    assert exchanges(*rows[::order]) == [("city-3356-1", "A", 3, True)]

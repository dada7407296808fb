"""People of places: census totals of states, shared by what the source of places counts."""

import pytest

from tests.sql.staged import staged


def place(number, state, people, lat=40.0):
    return {
        "geonameid": number, "name": f"Place {number}", "latitude": lat, "longitude": -90.0 - number / 4,
        "population": people, "admin1code": state,
    }  # fmt: skip


def made(*places):
    """State, people, factor and method by id of the place, and the census by state."""
    con = staged(
        {"geonames_place": list(places)},
        core=[
            ("state", "ref_state"),
            ("place", "geonames_place"),
            ("people", "people_from_place"),
        ],
    )
    found = con.sql("select people_id, state_id, people, scale_factor, method from core.people")
    census = con.sql("select state_id, population_people from core.state").fetchall()
    return {name: row for name, *row in found.fetchall()}, dict(census)


def test_places_share_the_census_of_their_state():
    found, census = made(place(1, "IL", 300), place(2, "IL", 100), place(3, "IA", 7))
    assert [found[name][1] for name in "123"] == [
        pytest.approx(0.75 * census["IL"]), pytest.approx(0.25 * census["IL"]), census["IA"],
    ]  # fmt: skip
    assert found["2"][2] == pytest.approx(census["IL"] / 400)
    assert {method for *_, method in found.values()} == {"place_scaled_to_state"}


def test_places_without_people_or_off_the_map_have_no_share():
    found, census = made(
        place(1, "IL", 300),
        place(2, "IL", 0),
        place(3, "IL", None),
        place(4, "IL", 900, lat=0.0),
        place(5, "ON", 500),
    )
    assert {name: row[:2] for name, row in found.items()} == {"1": ["IL", census["IL"]]}


def test_the_sum_by_state_is_the_census_whatever_places_count():
    places = [
        place(number, state, 1 + number**5 % 99_991)
        for number, state in enumerate(["IL", "IA", "TX", "DC"] * 20)
    ]
    found, census = made(*places)
    for state in ("IL", "IA", "TX", "DC"):
        people = sum(row[1] for row in found.values() if row[0] == state)
        assert people == pytest.approx(census[state], rel=1e-12)
    assert len(found) == len(places)

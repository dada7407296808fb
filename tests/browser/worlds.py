"""Worlds that the page is made of: the tiny study cut into 36 counties, and the same build with hostile names."""

import shutil
from pathlib import Path

import duckdb
import pytest

from flows import cli
from tests.flows import tiny
from tests.flows.plain import without_prefect

WEST, SOUTH, STEP_LON, STEP_LAT, SIDE = -78.0, 38.3, 0.2, 0.25, 6
# From the north-west, row by row; the three columns in the west are Virginia's.
NAMES = """
Frederick Clarke Warren Washington Carroll Baltimore
Shenandoah Page Loudoun Howard Harford Cecil
Rappahannock Madison Fauquier Montgomery Kent Dorchester
Greene Orange Culpeper Charles Calvert Talbot
Albemarle Louisa Spotsylvania Somerset Worcester Wicomico
Nelson Amherst Doña+Ana Allegany Garrett Caroline
"""
# Accents that a search without them has to find.
PLACES = {"Ashburn": "San José", "Thurmont": "Coeur d'Alène"}
# What breaks pages that take names for markup, for code or for a line.
HOSTILE = [
    "<script>window.hacked = 1</script>",
    '"><img src=x onerror="window.hacked = 1">',
    "</script><script>window.hacked = 1</script>",
    'O\'Brien & "Söhne" <b>bold</b> &lt;i&gt;',
    "\u202egnp.exe\u202c \u0645\u0642\u0627\u0637\u0639\u0629",
    "new\nline\ttab\r\nend",
    "A" * 300,
    "🏭 \U0001f469\u200d\U0001f680 Zu\u0308rich",
    "javascript:window.hacked=1",
    "${window.hacked = 1} {{constructor.constructor('window.hacked = 1')()}} %s <!-- -->",
    "<svg/onload=window.hacked=1>",
    "\\'; window.hacked = 1; //",
]


def counties() -> dict[str, tuple[str, float, float, float, float]]:
    """County id -> name, west, south, east, north, in degrees: a board of six by six."""
    found = {}
    for number, name in enumerate(NAMES.split()):
        row, column = divmod(number, SIDE)
        west = WEST + column * STEP_LON
        north = SOUTH + (SIDE - row) * STEP_LAT
        fips = "51" if column < SIDE / 2 else "24"
        box = (west, north - STEP_LAT, west + STEP_LON, north)
        found[f"{fips}{1 + 2 * number:03}"] = (
            name.replace("+", " "),
            *(round(side, 3) for side in box),
        )
    return found


def make_board(folder: Path) -> Path:
    """Run the study of 36 counties without exports; its home is returned."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tiny, "COUNTIES", counties())
        patch.setattr(tiny, "RESOLUTION", 6)
        plain = tiny._places()
        for place in plain.values():
            place["name"] = PLACES.get(place["name"], place["name"])
        patch.setattr(tiny, "_places", lambda: plain)
        without_prefect(patch)
        study = tiny.write_study(folder / "study", "board")
        tiny.edit(study, {"title": "36 square counties"})
        home = folder / "home"
        words = ["run", str(study), "--home", str(home), "--quiet", "--no-export"]
        assert cli.main(words) == 0
    return home


def make_hostile(home: Path, folder: Path) -> Path:
    """Copy a home's build and give everything in it that has a name a hostile one; the new home is returned.

    Every county, parcel and place gets a name of `HOSTILE`, in turn of its id.
    """
    hostile = folder / "home"
    hostile.mkdir(parents=True)
    build = hostile / "gridstead.duckdb"
    shutil.copyfile(home / "gridstead.duckdb", build)
    with duckdb.connect(str(build)) as con:
        con.execute("set variable names = $names", {"names": HOSTILE})
        pick = "list_extract(getvariable('names'), (1 + ({}) % len(getvariable('names')))::bigint)"
        for table, column, number in [
            (
                "mart.region",
                "region_name",
                "coalesce(try_cast(region_id as integer) // 2, length(region_name))",
            ),
            ("core.parcel", "parcel_name", "parcel_no"),
            ("core.place", "place_name", "hash(place_id)"),
            ("core.county", "county_name", "hash(county_id)"),
            ("core.state", "state_name", "hash(state_id)"),
            ("core.metro", "metro_name", "hash(metro_id)"),
            ("mart.substation", "substation_name", "hash(substation_id)"),
            ("mart.fiber_link", "carrier_name", "hash(link_id)"),
            ("mart.fiber_node", "node_name", "hash(node_id)"),
            ("core.substation", "substation_name", "hash(substation_id)"),
            ("meta.source", "attribution", "hash(source_id)"),
            ("meta.source", "title", "hash(source_id) + 1"),
        ]:
            con.execute(f"update {table} set {column} = {pick.format(number)}")
        con.execute("update meta.run set title = getvariable('names')[1]")
    return hostile

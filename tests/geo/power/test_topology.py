import itertools
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from scipy.spatial import KDTree

from geo.geodesy import METRES_PER_MILE, to_ecef
from geo.power.topology import build_topology
from tests.oracle.geodesic import GEOD
from tests.oracle.topology import PlainTopology

MIRROR = Path(__file__).parents[3].parent / "shared" / "mirror" / "grid"
TILE_EDGE_LON = -180 + 59 * 360 / 256  # -97.03125
CLASSES = {
    69: (np.nan, 100),
    100: (100, 161),
    220: (220, 287),
    345: (345, 345),
    None: (np.nan, np.nan),
}


def substations(*rows):
    frame = pd.DataFrame(rows, columns=["substation_id", "lon", "lat", "kv_max"])
    return frame.astype({"kv_max": float, "lon": float, "lat": float}).assign(
        substation_name=None,
        kv_min=np.nan,
        interconnect=None,
        zone_id=None,
        load_mw=np.nan,
        source_id="given",
    )


def lines(*rows, ids=None):
    return gpd.GeoDataFrame(
        {
            "line_id": ids or [f"l{n}" for n in range(len(rows))],
            "kv_min": [float(CLASSES[kv][0]) for kv, _ in rows],
            "kv_max": [float(CLASSES[kv][1]) for kv, _ in rows],
            "is_dc": False,
            "source_id": "drawn",
        },
        geometry=[shapely.LineString(course) for _, course in rows],
        crs="OGC:CRS84",
    )


def ends(topology):
    pairs = topology.circuit[["from_substation_id", "to_substation_id"]]
    return [tuple(sorted(name or "" for name in pair)) for pair in pairs.to_numpy(dtype=object)]


A = ("a", -97.5, 30.0, 345.0)
B = ("b", -96.5, 30.0, 345.0)
NOWHERE = substations()


def test_circuits_run_between_given_substations_and_parallel_ones_stay_apart():
    found = build_topology(
        lines(
            (345, [(-97.502, 30.0), (-96.5, 30.002)]),
            (345, [(-97.5, 30.0), (-97.0, 30.1), (-96.5, 30.0)]),
        ),
        substations(A, B),
    )
    assert ends(found) == [("a", "b")] * 2
    assert list(found.circuit["circuit_id"]) == ["l0", "l1"]
    expected_m = GEOD.inv(-97.502, 30.0, -96.5, 30.002)[2]
    assert found.circuit["length_mi"][0] * METRES_PER_MILE == pytest.approx(expected_m, rel=1e-3)
    assert found.substation["confidence"].tolist() == [1.0, 1.0]
    assert found.circuit["kv"].tolist() == [345.0, 345.0]


def test_pieces_that_a_tile_cut_are_one_circuit_even_beside_a_substation():
    cut = (TILE_EDGE_LON, 30.1)
    beside = ("c", TILE_EDGE_LON, 30.1015, 345.0)
    found = build_topology(
        lines((345, [(-97.5, 30.0), cut]), (345, [cut, (-96.5, 30.0)])), substations(A, B, beside)
    )
    assert ends(found) == [("a", "b")]
    assert found.circuit["line_count"].tolist() == [2]
    assert shapely.get_num_geometries(found.circuit.geometry[0]) == 2
    assert not found.substation["is_inferred"].any()


def test_parallel_lines_that_one_tile_cut_go_on_straight():
    cut = (TILE_EDGE_LON, 30.1)
    fan = lines(
        (345, [(-97.5, 30.1), cut]),
        (345, [cut, (-96.5, 30.1)]),
        (345, [(-97.5, 30.4), cut]),
        (345, [cut, (-96.5, 29.8)]),
    )
    west, east = ("w", -97.5, 30.1, 345), ("e", -96.5, 30.1, 345)
    north, south = ("n", -97.5, 30.4, 345), ("s", -96.5, 29.8, 345)
    assert ends(build_topology(fan, substations(west, east, north, south))) == [
        ("e", "w"),
        ("n", "s"),
    ]


def test_a_cut_line_that_nothing_continues_is_no_substation():
    found = build_topology(lines((345, [(-97.5, 30.0), (TILE_EDGE_LON, 30.1)])), substations(A))
    assert ends(found) == [("", "a")]
    assert not found.substation["is_inferred"].any()


def test_places_where_lines_end_and_meet_are_substations_and_taps_are_none():
    middle, foot = (-97.0, 30.2), (-97.0, 30.6)
    through = lines((100, [(-97.4, 30.2), middle]), (100, [middle, (-96.6, 30.2)]))
    assert len(build_topology(through, NOWHERE).substation) == 3
    tapped = pd.concat([through, lines((100, [middle, foot]), ids=["l2"])], ignore_index=True)
    found = build_topology(tapped, NOWHERE)
    assert len(found.substation) == 3
    assert list(found.circuit["circuit_id"]) == ["l0", "l2"]
    assert found.circuit["to_substation_id"].isna().tolist() == [False, True]
    assert found.circuit["tapped_circuit_id"].fillna("").tolist() == ["", "l0"]
    assert found.circuit["line_count"].tolist() == [2, 1]
    lower = tapped.assign(kv_min=[100.0, 100.0, np.nan], kv_max=[161.0, 161.0, 100.0])
    meet = build_topology(lower, NOWHERE).substation
    assert len(meet) == 4
    station = meet[(meet["lon"] == -97.0) & (meet["lat"] == 30.2)].iloc[0]
    assert (station["kv_max"], station["kv_min"]) == (115.0, 69.0)
    assert station["substation_id"] == "inferred-30.2000-97.0000"
    plant = pd.DataFrame({"lon": [-97.0], "lat": [30.201], "grid_kv": [115.0]})
    assert len(build_topology(tapped, NOWHERE, plant).substation) == 4


def test_a_dead_end_on_a_course_of_its_class_is_a_tap():
    course = (100, [(-97.4, 30.2), (-96.6, 30.2)])
    found = build_topology(lines(course, (100, [(-97.0, 30.2001), (-97.0, 30.6)])), NOWHERE)
    assert len(found.substation) == 3
    assert found.circuit["tapped_circuit_id"].fillna("").tolist() == ["", "l0"]
    other = build_topology(lines(course, (69, [(-97.0, 30.2001), (-97.0, 30.6)])), NOWHERE)
    assert len(other.substation) == 4
    assert other.substation["confidence"].min() == 0.55


def test_a_given_substation_on_a_course_is_looped_in_and_names_stay_apart():
    on = ("on", -97.0, 30.0005, 345.0)
    low = ("low", -96.8, 30.0, 115.0)
    found = build_topology(lines((345, [(-97.5, 30.0), (-96.5, 30.0)])), substations(A, B, on, low))
    assert ends(found) == [("a", "on"), ("b", "on")]
    assert list(found.circuit["circuit_id"]) == ["l0", "l0/2"]
    assert found.circuit["length_mi"].sum() == pytest.approx(60.0, abs=0.2)


def test_a_line_belongs_to_the_near_substation_whose_voltage_takes_it():
    low, odd = ("low", -97.5, 30.0, 115.0), ("odd", -97.5, 30.003, 236.0)
    found = build_topology(lines((220, [(-97.5, 30.0), (-96.5, 30.0)])), substations(low, odd))
    assert ends(found) == [("inferred-30.0000-96.5000", "odd")]
    assert found.circuit["kv"].tolist() == [236.0]


def test_unknown_classes_come_from_what_lines_touch_and_others_are_left_out():
    chain = [(-97.0 + 0.1 * n, 30.0 + 0.05 * n * n) for n in range(6)]
    steps = list(itertools.pairwise(chain))
    found = build_topology(
        lines(
            (220, steps[0]),
            *[(None, step) for step in steps[1:]],
            (100, [(-90.0, 30.0), (-89.0, 30.0)]),
            (None, [(-80.0, 30.0), (-79.0, 30.0)]),
            (None, [(-90.0, 30.0003), (-89.0, 30.0003)]),
        ),
        NOWHERE,
    )
    line = found.line.set_index("line_id")
    assert line["how"].tolist() == ["given", *["inferred"] * 4, "given", "unknown", "inferred"]
    assert line["kv"].fillna(0).tolist() == [230.0] * 5 + [115.0, 0.0, 115.0]
    sure = line["confidence"].to_numpy()
    assert (np.diff(sure[:5]) < 0).all()
    assert np.isnan(line["confidence"]["l6"])
    assert "l6" not in set(found.circuit["circuit_id"])
    assert found.circuit.set_index("circuit_id")["kv_is_inferred"].to_dict() == {
        "l0": False, "l1": True, "l2": True, "l3": True, "l4": True, "l5": False, "l7": True,
    }  # fmt: skip


def test_a_class_is_called_by_what_stands_around():
    row = lines((100, [(-97.0, 30.0), (-96.8, 30.0)]), (100, [(-90.0, 30.0), (-89.8, 30.0)]))
    plant = pd.DataFrame(
        {"lon": [-97.0, -97.1, -97.2, -97.3], "lat": 30.1, "grid_kv": [138, 138, 115, 13.8]}
    )
    found = build_topology(row, NOWHERE, plant)
    assert found.circuit["kv"].tolist() == [138.0, 115.0]
    assert found.circuit["confidence"].tolist() == [3 / 5, 1 / 2]


def test_direct_current_is_marked_and_counts_nowhere_else():
    row = lines((None, [(-97.5, 30.0), (-96.5, 30.0)]), (345, [(-97.5, 30.0), (-97.5, 31.0)]))
    found = build_topology(row.assign(is_dc=[True, False]), substations(A, B))
    circuit = found.circuit.set_index("circuit_id")
    assert circuit["is_dc"].to_dict() == {"l0": True, "l1": False}
    assert ends(found)[0] == ("a", "b")
    assert np.isnan(circuit["kv"]["l0"])
    assert found.line["how"].tolist() == ["dc", "given"]
    assert found.substation["is_inferred"].sum() == 1


def test_low_lines_loops_and_empty_frames_have_no_circuit():
    loop = lines((345, [(-97.5, 30.0), (-97.4, 30.1), (-97.5, 30.001)]))
    assert build_topology(loop, substations(A)).circuit.empty
    ring = lines((345, [(-97.0, 30.0), (-97.0, 31.0), (-96.0, 31.0), (-97.0, 30.0)]))
    assert build_topology(ring, NOWHERE).circuit.empty
    low = lines((100, [(-97.5, 30.0), (-96.5, 30.0)])).assign(kv_min=34.5, kv_max=34.5)
    found = build_topology(low, substations(A))
    assert found.circuit.empty
    assert found.line["how"].tolist() == ["low"]
    empty = build_topology(lines(), substations(A))
    assert empty.circuit.empty
    assert len(empty.substation) == 1
    assert build_topology(lines(), NOWHERE).substation.empty


def _world(seed):
    """Lines between places of a lattice 2 km apart, away from tiles' edges, and stations beside some."""
    rng = np.random.default_rng(seed)
    size, step = 7, 0.02
    spot = [
        (round(-98.02 + step * (n % size), 4), round(30.31 + step * (n // size), 4))
        for n in range(size * size)
    ]
    pairs = rng.integers(0, len(spot), (60, 2))
    rows = [
        (int(rng.choice([69, 100, 220], p=[0.2, 0.7, 0.1])), [spot[a], spot[b]])
        for a, b in pairs
        if a != b
    ]
    used = sorted({place for _, course in rows for place in course})
    given = []
    for no in rng.choice(len(used), 12, replace=False):
        lon, lat, _ = GEOD.fwd(
            *used[no], rng.uniform(0, 360), rng.choice([5.0, 200.0, 390.0, 450.0])
        )
        given.append((f"s{no}", lon, lat, float(rng.choice([66, 115, 230]))))
    return lines(*rows), substations(*given)


@pytest.mark.parametrize("seed", range(25))
def test_topology_is_what_walking_from_station_to_station_finds(seed):
    line, given = _world(seed)
    # Stations that no end is near are looped in, which the plain way leaves out.
    far = KDTree(
        to_ecef(*shapely.get_coordinates(shapely.get_point(line.geometry, [[0], [-1]]).ravel()).T)
    ).query(to_ecef(given["lon"], given["lat"]))[0]
    given = given[far <= 400.0]
    found = build_topology(line, given)
    plain = PlainTopology(line, given)
    inferred = found.substation[found.substation["is_inferred"]]
    assert set(inferred["substation_id"]) == {plain.station(node) for node in plain.inferred}
    got = []
    for row in found.circuit.itertuples():
        course = [tuple(np.round(part.coords[0], 4)) + tuple(np.round(part.coords[-1], 4))
                  for part in row.geometry.geoms]  # fmt: skip
        known = sorted(
            end for end in (row.from_substation_id, row.to_substation_id) if isinstance(end, str)
        )
        got.append((*known, *[None] * (2 - len(known)), len(course), row.line_count))
    expected = [(one, other, len(names), len(names)) for one, other, names in plain.circuits]
    assert sorted(got, key=repr) == sorted(expected, key=repr)
    assert found.circuit["circuit_id"].tolist() == sorted(min(c[2]) for c in plain.circuits)


@pytest.mark.parametrize("seed", range(3))
def test_order_of_rows_changes_nothing(seed):
    line, given = _world(seed)
    line.loc[::7, ["kv_min", "kv_max"]] = np.nan
    plant = pd.DataFrame({"lon": [-98.0, -97.95], "lat": [30.33, 30.35], "grid_kv": [138.0, 161.0]})
    one = build_topology(line, given, plant)
    two = build_topology(
        line.sample(frac=1, random_state=seed), given.sample(frac=1, random_state=seed), plant[::-1]
    )
    for name in ("substation", "circuit", "line"):
        a, b = pd.DataFrame(getattr(one, name)), pd.DataFrame(getattr(two, name))
        pd.testing.assert_frame_equal(a, b, check_exact=True)


def test_names_of_inferred_substations_stay_when_other_lines_come():
    line, given = _world(1)
    more = pd.concat([line, lines((345, [(-90.0, 30.0), (-89.0, 30.0)]), ids=["z"])])
    before = build_topology(line, given).substation["substation_id"]
    after = build_topology(more, given).substation["substation_id"]
    assert set(before) < set(after)


UNNAMED = r"\btap\b|junction|unknown|\bjct\b"


@pytest.fixture(scope="module")
def record():
    """Lines and substations of the public record, as the staging SQL reads them."""
    line = gpd.read_parquet(MIRROR / "hifld_transmission_lines.parquet").to_crs("OGC:CRS84")
    kv = {"100-161": (100, 161), "220-287": (220, 287), "345": (345, 345), "500": (500, 500),
          "735 AND ABOVE": (735, np.nan), "UNDER 100": (np.nan, 100), "SUB 100": (np.nan, 100)}  # fmt: skip
    classes = np.array([kv.get(name, (np.nan, np.nan)) for name in line["VOLT_CLASS"]], dtype=float)
    line = line.assign(
        line_id=[f"hifld-{n}" for n in range(len(line))],
        kv_min=classes[:, 0],
        kv_max=classes[:, 1],
        is_dc=(line["VOLT_CLASS"] == "DC"),
        source_id="hifld_line",
    )
    west, south, east, north = shapely.bounds(line.geometry.to_numpy()).T
    line = line[(west > -125) & (east < -66) & (south > 24) & (north < 49.5)]
    line = line[~line.assign(wkb=line.geometry.to_wkb()).duplicated(["wkb", "VOLT_CLASS"])]
    station = gpd.read_parquet(MIRROR / "hifld_substations_ge230kv.parquet")
    names = "hifld-" + station["objectid"].astype(str)
    given = zip(
        names, station["lon_station"], station["lat_station"], station["voltage"], strict=True
    )
    known = gpd.read_file(MIRROR / "ca_substations.geojson")
    known = known[~known["Status"].isin(["Proposed", "Closed"])]
    known = pd.DataFrame(
        {
            "lon": known.geometry.x,
            "lat": known.geometry.y,
            "kv": pd.to_numeric(known["Max_Voltag"]),
            "is_named": ~known["Name"].fillna("Unknown").str.contains(UNNAMED, case=False),
        }
    )
    plant = pd.read_excel(MIRROR / "2___Plant_Y2023.xlsx", header=1)
    plant = pd.DataFrame(
        {
            name: pd.to_numeric(plant[column], errors="coerce")
            for name, column in (
                ("lon", "Longitude"),
                ("lat", "Latitude"),
                ("grid_kv", "Grid Voltage (kV)"),
            )
        }
    )
    return line, substations(*given), plant.dropna(), known


def _metres_to(frame, other):
    tree = KDTree(to_ecef(other["lon"].to_numpy(), other["lat"].to_numpy()))
    return tree.query(to_ecef(frame["lon"].to_numpy(), frame["lat"].to_numpy()))[0]


@pytest.mark.mirror
@pytest.mark.skipif(not MIRROR.is_dir(), reason="../shared/mirror is not there")
def test_inferred_substations_are_where_californias_hidden_ones_are(record):
    line, given, plant, known = record
    box = line.cx[-124.6:-114.0, 32.4:42.1]
    found = build_topology(box, given, plant).substation

    # Away from the border, where only one side is known.
    def inside(at):
        border = at["lat"] < 38.6 - (at["lon"] + 120.3).clip(lower=0) * 1.2
        return at["lon"].between(-123.5, -116.5) & at["lat"].between(33.2, 41.5) & border

    inferred = found[found["is_inferred"] & inside(found)]
    hidden = known[(known["kv"] >= 60) & (known["kv"] < 230) & inside(known)]
    named = hidden[hidden["is_named"]]
    assert len(inferred) > 1_200
    assert (_metres_to(inferred, known) < 1000).mean() > 0.95
    assert (_metres_to(inferred, known[known["is_named"]]) < 1000).mean() > 0.84
    assert (_metres_to(named, inferred) < 1000).mean() > 0.90
    assert (_metres_to(named, inferred) < 250).mean() > 0.88
    # Spots 10 km aside find few.
    aside = inferred.assign(lon=inferred["lon"] + 0.1)
    assert (_metres_to(aside, known) < 1000).mean() < 0.25


@pytest.mark.mirror
@pytest.mark.skipif(not MIRROR.is_dir(), reason="../shared/mirror is not there")
def test_national_counts_and_hidden_classes(record):
    line, given, plant, _ = record
    known = line["kv_max"].notna() & ~line["is_dc"] | line["kv_min"].notna()
    hide = known & (np.random.default_rng(0).random(len(line)) < 0.1)
    blind = line.copy()
    blind.loc[hide, ["kv_min", "kv_max"]] = np.nan
    found = build_topology(blind, given, plant)
    told = found.line.set_index("line_id").loc[line["line_id"][hide]]
    edges = [95, 205, 300, 400, 600]
    low = line["kv_min"][hide].fillna(60).to_numpy()
    right = np.digitize(told["kv"], edges) == np.digitize(low, edges)
    is_told = told["kv"].notna().to_numpy()
    assert is_told.mean() > 0.99
    assert right[is_told].mean() > 0.91
    sure = told["confidence"].to_numpy() > 0.8
    assert right[sure].mean() > 0.95
    unsure = is_told & ~sure
    assert right[unsure].mean() < right[sure].mean()
    assert 45_000 < len(found.substation) < 60_000
    assert 65_000 < len(found.circuit) < 80_000
    assert found.circuit["length_mi"].median() == pytest.approx(4.0, abs=1.0)
    assert (found.line["how"] == "unknown").sum() < 500
    held = found.substation[~found.substation["is_inferred"]]
    used = held["substation_id"].isin(
        pd.concat([found.circuit["from_substation_id"], found.circuit["to_substation_id"]])
    )
    assert used.mean() > 0.95

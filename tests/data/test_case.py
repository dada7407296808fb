import shutil
from pathlib import Path

import numpy as np
import pytest

from data.catalogue import Source
from data.errors import InputError, ReadError, UsageError
from data.network_case import LAYERS, catalogue_of, check_network, load_with_case, with_network
from data.readers import read_table
from data.readers._matpower import parse_matpower
from data.readers.case import COLUMNS
from data.study import NetworkCase, load_study
from tests.data.cases import ODD, POINTS
from tests.sql.staged import codes, staged, values

OBJECTS = ("node", "substation", "point", "bus", "branch", "line", "plant", "dc_tie")


@pytest.fixture
def case(tmp_path):
    """Write a case, and read its raw tables as staging does."""

    def read(text=ODD, name="odd.m", points=None):
        path = tmp_path / name
        if text is not None:
            path.write_text(text) if isinstance(text, str) else path.write_bytes(text)
        network = NetworkCase(case=path)
        if points is not None:
            (tmp_path / "points.csv").write_text(points)
            network = NetworkCase(case=path, points=tmp_path / "points.csv")
        found = {}
        catalogue, _ = catalogue_of(with_network(load_study("conus"), network))
        for source_id in ["network_case", *(["network_points"] if points is not None else [])]:
            source = catalogue.source(source_id)
            for table, entry in source.tables.items():
                found[table] = read_table(entry, _path(source), source)
        return found

    return read


def _path(source: Source):
    return Path(source.access.path)


def rows(tables, name):
    return tables[f"case_{name}"].drop_columns(["raw_row"]).to_pylist()


def column(tables, name, what):
    return tables[f"case_{name}"].column(what).to_pylist()


def test_matpower_is_read_however_matlab_lets_it_be_written(case):
    tables = case()
    assert {name: table.column_names[:-1] for name, table in tables.items()} == {
        f"case_{name}": list(columns) for name, columns in COLUMNS.items()
    }
    assert column(tables, "bus", "bus_id") == ["1", "2", "3", "4", "5", "6", "7", "8", "8"]
    assert column(tables, "bus", "name")[:3] == ['ONE; "x"', "TWO % b", "THREE'"]
    assert column(tables, "bus", "load_mw") == [
        "0",
        "90",
        "-18.5",
        "100",
        "10",
        "5",
        "5",
        "abc",
        "7",
    ]
    assert column(tables, "bus", "kv") == [
        "345",
        "345",
        "138",
        "138",
        "138",
        None,
        "69",
        "69",
        "69",
    ]
    assert column(tables, "bus", "kind") == [None] * 4 + ["isolated"] + [None] * 4
    # 5 is isolated; 7 and 8 hang on a direct-current line alone.
    assert column(tables, "bus", "island") == ["1", "1", "1", "1", None, "1", "2", "2", "4"]
    assert column(tables, "branch", "branch_id") == [str(n) for n in range(1, 10)]
    assert column(tables, "branch", "branch_kind") == [
        "line", "line", "transformer", "line", "transformer", "line", "transformer", "line", "line",
    ]  # fmt: skip
    # On 100 MVA, where the case has 50.
    assert column(tables, "branch", "x_pu") == ["0.2", "0.2", "0.1", "-0.04", "0"] + ["0.2"] * 4
    assert column(tables, "branch", "tap_ratio") == ["1", "1", "0.98"] + ["1"] * 6
    assert column(tables, "branch", "rating_mva") == ["250", "250", None, "9900"] + ["100"] * 5
    assert column(tables, "branch", "flow_mw")[:3] == ["40", "40", "12.5"]
    assert column(tables, "branch", "phase_shift_deg")[4] == "5"
    assert column(tables, "gen", "capacity_mw") == ["250", "inf", "80", "0", "10", "10"]
    assert column(tables, "gen", "fuel")[:2] == ["ng", "wind"]
    assert rows(tables, "dcline")[0] == {
        "dc_tie_id": "1", "from_bus_id": "1", "to_bus_id": "7", "min_mw": "-20", "max_mw": "50",
        "flow_mw": "10", "status": "1", "carrier": "DC",
    }  # fmt: skip
    assert rows(tables, "point") == []


def test_a_case_that_is_not_solved_has_no_flows_and_one_without_ties_none(case):
    text = "function s = small\ns.version = '2';\ns.baseMVA = 100;\n"
    text += "s.bus = [1 3 0 0 0 0 1 1 0 138 1 1.1 .9; 2 1 5 0 0 0 1 1 0 138 1 1.1 .9];\n"
    text += "s.branch = [1 2 0 .1 0 0 0 0 0 0 1 -360 360];\ns.gen=[1 5 0 9 -9 1 100 1 50 0];\ns.dcline = [];\n"
    tables = case(text)
    assert column(tables, "branch", "flow_mw") == [None]
    assert (rows(tables, "dcline"), column(tables, "gen", "fuel")) == ([], [None])


def test_the_file_is_read_again_when_it_changes(case):
    assert column(case(), "bus", "load_mw")[1] == "90"
    assert column(case(ODD.replace("2 1 90 30", "2 1 91.5 30")), "bus", "load_mw")[1] == "91.5"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t: "hello", "is no MATPOWER case: it has no line"),
        (lambda t: t.replace("function mpc", "function [baseMVA, bus, gen]"), "of MATPOWER version 1"),
        (lambda t: t.replace("mpc.baseMVA = 50.0;", ""), "states no mpc.baseMVA above 0"),
        (lambda t: t.replace("mpc.baseMVA = 50.0;", "mpc.baseMVA = 0;"), "states no mpc.baseMVA above 0"),
        (lambda t: t.replace("mpc.branch =", "mpc.lines ="), "has no branch"),
        (lambda t: t + "mpc.branch(:, 4) = mpc.branch(:, 4) / 2;\n", "computes mpc.branch"),
        (lambda t: t + "mpc = scale_load(2, mpc);\n", "computes mpc"),
        (lambda t: t + "mpc.bus = loadbus('x');\n", "computes mpc.bus"),
        (lambda t: t + "mpc.baseMVA = Sbase / 1e6;\n", "computes mpc.baseMVA"),
        (lambda t: t + "mpc.bus = [1 2 3];\n", "writes mpc.bus twice"),
        (lambda t: t.replace("0.9	% isolated", "0.9 7	% isolated"), "row 5 of mpc.bus has 14 values where the first has 13"),
        (lambda t: t[: t.index("mpc.gen =")].replace("];", ""), "mpc.bus is never closed"),
    ],
)  # fmt: skip
def test_a_case_that_cannot_be_taken_as_it_stands_is_refused(change, said):
    with pytest.raises(ReadError, match=r"^odd\.m") as caught:
        parse_matpower(change(ODD), "odd.m")
    assert said in caught.value.message
    assert caught.value.hint


@pytest.fixture
def world(case):
    """A connection on which the odd case is staged."""
    tables = {name[5:]: table for name, table in case(points=POINTS).items()}
    raw = {
        f"case_{name}": table.drop_columns(["raw_row"]).to_pylist()
        for name, table in tables.items()
    }
    return staged(raw, *(f"case_{item}" for item in OBJECTS))


def test_buses_are_kept_without_a_point_and_dropped_when_isolated(world):
    assert codes(world, "case_bus") == {
        1: "", 2: "", 3: "", 4: "", 5: "not_in_service", 6: "", 7: "", 8: "invalid", 9: "duplicate",
    }  # fmt: skip
    assert values(world, "case_bus", "substation_id") == [
        "case-ASHBURN", "case-ASHBURN", "case-bus-3", "case-bus-3", None, "case-bus-7",
    ]  # fmt: skip
    assert values(world, "case_bus", "interconnect") == ["case"] * 5 + ["case island 2"]
    assert values(world, "case_bus", "zone_id")[3:5] == ["area 2", "area 2"]
    assert values(world, "case_bus", "kv")[4] is None


def test_substations_are_named_or_where_buses_stand_together(world):
    assert codes(world, "case_substation") == {
        1: "", 2: "merged", 3: "", 4: "merged", 5: "not_in_service", 6: "invalid", 7: "",
        8: "invalid", 9: "duplicate",
    }  # fmt: skip
    assert values(world, "case_substation", "substation_name") == ["ASHBURN", "THREE'", "SEVEN"]
    assert values(world, "case_substation", "load_mw") == [90, 81.5, 5]
    assert values(world, "case_substation", "kv_max") == [345, 138, 69]
    assert values(world, "case_substation", "kv_min") == [345, 138, 69]
    assert values(world, "case_substation", "reject_reason", "raw_row in (6, 8)") == [
        "bus 6 has no point: it has no substation",
        "bus 8 latitude 390.4 is outside -90 to 90",
    ]
    assert codes(world, "case_point") == {
        1: "merged", 2: "merged", 3: "merged", 4: "merged", 5: "merged", 6: "merged",
        7: "duplicate", 8: "invalid", 9: "invalid",
    }  # fmt: skip


def test_branches_say_what_carries_and_what_is_known(world):
    assert codes(world, "case_branch") == dict.fromkeys(range(1, 9), "") | {9: "invalid"}
    assert values(world, "case_branch", "is_in_service") == [
        True, True, True, True, True, False, False, True,
    ]  # fmt: skip
    # 0 and 9900 MVA are no limits.
    assert values(world, "case_branch", "rating_mva") == [250, 250, None, None] + [100] * 4
    # Circuits within a substation, transformers and what is out of service are no lines.
    assert values(world, "case_line", "line_id", "true") == []
    assert world.sql("select count(*) from staging.case_line").fetchall() == [(0,)]


def test_units_without_a_fuel_are_firm_and_without_a_limit_unknown(world):
    assert codes(world, "case_plant") == {1: "", 2: "", 3: "", 4: "", 5: "invalid", 6: ""}
    assert values(world, "case_plant", "fuel_kind") == [
        "firm",
        "variable",
        "firm",
        "storage",
        "firm",
    ]
    assert values(world, "case_plant", "capacity_mw") == [250, None, 80, 0, 10]
    assert values(world, "case_plant", "is_in_service") == [True, True, False, True, False]
    assert values(world, "case_plant", "lon")[-1] is None
    assert codes(world, "case_dc_tie") == {1: "", 2: "not_in_service"}
    assert values(world, "case_dc_tie", "from_interconnect || to_interconnect") == [
        "casecase island 2"
    ]


def test_neighbours_of_neighbours_are_one_substation():
    """Buses 0.09 mi apart in a row stand together; one 0.11 mi beyond does not."""
    mile = 1 / 69.0
    lats = [
        39.0,
        39.0 + 0.09 * mile,
        39.0 + 0.18 * mile,
        39.0 + 0.27 * mile,
        39.0 + 0.38 * mile,
        39.0,
    ]
    bus = [{"bus_id": str(n), "name": None, "kv": "138", "load_mw": "1", "area": "1", "kind": None, "island": "1"} for n in range(6)]  # fmt: skip
    place = [{"bus_id": str(n), "kind": None, "lon": "-77.0", "lat": str(lat)} for n, lat in enumerate(lats)]  # fmt: skip
    empty = [{"bus_id": "none", "lon": None, "lat": None, "substation": None}]
    con = staged({"case_bus": bus, "case_place": place, "case_point": empty}, "case_node")
    assert values(con, "case_node", "substation_id") == [
        "case-bus-0", "case-bus-0", "case-bus-0", "case-bus-0", "case-bus-4", "case-bus-0",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["open-conus", "conus", "rhode-island"])
def test_the_case_takes_the_place_of_the_grid_and_of_nothing_else(name, tmp_path):
    (tmp_path / "odd.m").write_text(ODD)
    before = load_study(name)
    study = load_with_case(name, NetworkCase(case=tmp_path / "odd.m"))
    assert study.headroom_method == "load_flow"
    assert "odd.m" in study.limits[0]
    filled = {
        layer: staged for theme in study.themes.values() for layer, staged in theme.layers.items()
    }
    assert {layer: filled[layer] for layer in LAYERS} == LAYERS
    kept = {
        layer: staged for theme in before.themes.values() for layer, staged in theme.layers.items() if layer not in LAYERS
    }  # fmt: skip
    assert {layer: staged for layer, staged in filled.items() if layer not in LAYERS} == kept
    for key in ("population", "fiber", "land"):
        assert study.themes[key] == before.themes[key]
    catalogue, _ = catalogue_of(study)
    case = catalogue.source("network_case")
    assert (case.licence, case.is_synthetic, case.is_exportable) == ("yours", False, False)


def test_of_the_synthetic_grid_only_what_people_and_zones_need_is_read(tmp_path):
    (tmp_path / "odd.m").write_text(ODD)
    study = load_with_case("open-conus", NetworkCase(case=tmp_path / "odd.m"))
    grid = study.themes["grid"]
    assert grid.sources == ["tamu_grid", "network_case"]
    assert grid.helpers == ["tamu_substation", "tamu_bus", "case_node"]
    catalogue, _ = catalogue_of(study)
    assert set(catalogue.source("tamu_grid").tables) == {
        "tamu_sub", "tamu_bus", "tamu_bus2sub", "tamu_zone",
    }  # fmt: skip
    assert set(grid.lookups) == {"tamu_sub", "tamu_bus", "tamu_bus2sub"}


def test_a_study_file_may_name_the_case(tmp_path):
    (tmp_path / "odd.m").write_text(ODD)
    (tmp_path / "points.csv").write_text(POINTS)
    (tmp_path / "mine.yaml").write_text(
        "id: mine\nextends: conus\nnetwork: {case: odd.m, points: points.csv, is_exportable: true}\n"
    )
    study = load_with_case(str(tmp_path / "mine.yaml"))
    assert study.network.case == tmp_path / "odd.m"
    catalogue, _ = catalogue_of(study)
    assert catalogue.source("network_points").is_exportable
    check_network(study.network)


def test_what_is_wrong_with_a_case_is_said_before_anything_is_pulled(tmp_path):
    for name, text in (
        ("odd.m", ODD),
        ("bad.m", "hello"),
        ("case.raw", ""),
        ("bad.zip", ""),
        ("bad.nc", "no"),
    ):
        (tmp_path / name).write_text(text)
    (tmp_path / "other.csv").write_text("bus_id,lon,lat\nX1,-77,39\n")
    (tmp_path / "points.csv").write_text("bus,lon\n1,-77\n")

    def said(case, points=None):
        network = NetworkCase(case=tmp_path / case, points=points and tmp_path / points)
        with pytest.raises((InputError, UsageError)) as caught:
            check_network(network)
        assert caught.value.hint
        return caught.value.message

    assert "There is no network file" in said("none.m")
    assert "There is no network file" in said("odd.m", "none.csv")
    assert said("case.raw") == "case.raw is no network case that is read."
    assert said("bad.m") == "bad.m is no MATPOWER case: it has no line `function mpc = ...`."
    assert said("odd.m") == "odd.m does not say where its buses stand."
    assert said("odd.m", "other.csv") == "other.csv holds the point of no bus of odd.m."
    assert said("odd.m", "points.csv") == "points.csv has no column 'lat'."
    for name in ("bad.zip", "bad.nc"):
        assert name in said(name)


def test_without_pypsa_its_networks_are_refused_with_what_to_install(tmp_path, monkeypatch):
    (tmp_path / "net.nc").write_text("")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InputError, match="PyPSA is not installed") as caught:
        check_network(NetworkCase(case=tmp_path / "net.nc"))
    assert "gridstead[cases]" in caught.value.hint


# What PyPSA itself asks of the newest pandas, and files that it leaves open.
@pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")
@pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)
class TestPypsa:
    @pytest.fixture
    def network(self):
        import pypsa

        with pypsa.option_context("api.legacy_string_dtype", False):
            yield self.made(pypsa.Network(snapshots=[0, 1]))

    @staticmethod
    def made(n):
        n.add("Bus", ["a", "b", "c"], v_nom=[230.0, 230.0, 115.0], x=[-77.5, -77.4, -77.4], y=[39.0, 39.0, 39.0], carrier="AC")  # fmt: skip
        n.add("Bus", "gas", carrier="gas", x=-77.0, y=39.0)
        n.add(
            "Line",
            ["ab", "ab2"],
            bus0="a",
            bus1="b",
            x=10.58,
            r=1.0,
            s_nom=[400.0, 0.0],
            s_max_pu=0.7,
        )
        n.add("Line", "typed", bus0="a", bus1="b", type="Al/St 240/40 4-bundle 380.0", length=10.0, num_parallel=2, s_nom=1000.0)  # fmt: skip
        n.add(
            "Transformer",
            "ab",
            bus0="b",
            bus1="c",
            x=0.1,
            s_nom=200.0,
            tap_ratio=0.95,
            phase_shift=3.0,
        )
        n.add("Generator", ["g1", "g2"], bus="a", p_nom=[500.0, 50.0], carrier=["CCGT", "onwind"])
        n.add("StorageUnit", "s", bus="c", p_nom=20.0)
        n.add("Load", ["l1", "l2"], bus=["b", "b"], p_set=[100.0, 20.0])
        n.add("Load", "l3", bus="c", p_set=np.array([7.0, 8.0]))
        n.add("Link", ["dc", "chp"], bus0=["a", "gas"], bus1=["c", "b"], p_nom=50.0, p_min_pu=-1.0, carrier=["DC", "CHP"])  # fmt: skip
        n.generators_t.p = n.generators_t.p.reindex(columns=["g1"]).fillna(90.0)
        return n

    @pytest.mark.parametrize("kind", ["nc", "zip"])
    def test_a_network_is_read_from_netcdf_and_from_zipped_csv(self, network, case, tmp_path, kind):
        if kind == "nc":
            network.export_to_netcdf(tmp_path / "net.nc")
        else:
            (tmp_path / "net").mkdir()
            network.export_to_csv_folder(tmp_path / "net" / "folder")
            shutil.make_archive(str(tmp_path / "net"), "zip", tmp_path / "net")
        tables = case(None, f"net.{kind}")
        check_network(NetworkCase(case=tmp_path / f"net.{kind}"))
        bus = {row["bus_id"]: row for row in rows(tables, "bus")}
        assert {name: row["load_mw"] for name, row in bus.items()} == {
            "a": "0",
            "b": "120",
            "c": "7",
            "gas": "0",
        }
        assert (bus["a"]["kv"], bus["gas"]["kind"], bus["a"]["kind"]) == ("230", "gas", None)
        assert [row["island"] for row in bus.values()] == ["1", "1", "1", None]
        branch = {row["branch_id"]: row for row in rows(tables, "branch")}
        assert set(branch) == {"line ab", "line ab2", "line typed", "transformer ab"}
        # 10.58 ohm on 230 kV and 100 MVA; half of two circuits of 0.246 ohm/km on 10 km.
        assert float(branch["line ab"]["x_pu"]) == pytest.approx(0.02)
        network.calculate_dependent_values()
        assert float(branch["line typed"]["x_pu"]) == pytest.approx(
            network.lines.at["typed", "x"] / 529
        )
        assert float(branch["transformer ab"]["x_pu"]) == pytest.approx(0.05)
        assert (
            branch["transformer ab"]["tap_ratio"],
            branch["transformer ab"]["phase_shift_deg"],
        ) == ("0.95", "3")
        assert [branch[f"line {n}"]["rating_mva"] for n in ("ab", "ab2")] == ["280", None]
        gen = {row["plant_id"]: row for row in rows(tables, "gen")}
        assert (gen["generators g1"]["dispatch_mw"], gen["generators g1"]["capacity_mw"]) == (
            "90",
            "500",
        )
        assert gen["storage_units s"]["fuel"] == "storage"
        assert [row["max_mw"] for row in rows(tables, "dcline")] == ["50", "50"]
        assert [row["lon"] for row in rows(tables, "place")] == ["-77.5", "-77.4", "-77.4", "-77"]
        raw = {name: table.drop_columns(["raw_row"]).to_pylist() for name, table in tables.items()}
        raw["case_point"] = [dict.fromkeys(COLUMNS["point"])]
        con = staged(raw, *(f"case_{item}" for item in OBJECTS))
        assert codes(con, "case_dc_tie") == {1: "", 2: "not_used"}
        assert codes(con, "case_substation") == {1: "", 2: "", 3: "merged", 4: "not_used"}
        assert con.sql("select line_id, kv_max from staging.case_line order by 1").fetchall() == [
            ("case-line ab", 230), ("case-line ab2", 230), ("case-line typed", 230),
        ]  # fmt: skip
        assert values(con, "case_plant", "fuel_kind") == ["firm", "variable", "storage"]

    def test_metres_are_no_places(self, network, case, tmp_path):
        network.buses["x"] += 500_000
        network.export_to_netcdf(tmp_path / "net.nc")
        assert column(case(None, "net.nc"), "place", "lon") == [None] * 4
        with pytest.raises(InputError, match="does not say where its buses stand"):
            check_network(NetworkCase(case=tmp_path / "net.nc"))

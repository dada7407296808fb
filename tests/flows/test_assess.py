"""`gridstead assess` on the tiny study: the sites that somebody owns, beside its parcels."""

import csv
import json

import numpy as np
import pandas as pd
import pytest
import shapely

from data import store
from flows.assess_cost import SiteCosts
from flows.costing import read_rules
from flows.site_measure import OF_OUTLINE, NearParcels, measure_sites
from geo.cost.training import training_cost
from tests.flows.conftest import rows

HEADER = "name,lat,lon,energized_mw,wanted_mw,acres,usd_per_mwh,cooling,fiber_carriers\n"
ASHBURN = "39.04,-77.49"
# Of the outline of a site nothing is known, and it lies in its own county, not in that of most of a cell.
OF_COUNTY = (
    *("industrial_usd_per_mwh", "generation_queue_mw", "hazard_usd_per_person"),
    *("heating_degree_days_65f", "cooling_degree_days_65f", "fiber_coverage_share"),
)


@pytest.fixture
def ask(gridstead, base, tmp_path):
    """Assess a list of the given rows."""

    def ask(content, *words):
        path = tmp_path / "sites.csv"
        path.write_text(HEADER + content)
        return gridstead("assess", path, "--home", base.home, *words)

    return ask


def use_of(site, name):
    return next(use for use in site["uses"] if use["use"] == name)


def test_a_point_of_a_parcel_is_measured_as_the_parcel(base):
    with store.open_build(base.build) as con:
        parcel = con.execute("select * from core.parcel order by parcel_id").df()
        wanted = con.execute("select * from core.parcel_metric order by parcel_id").df()
        found = measure_sites(con, parcel["lon"].to_numpy(), parcel["lat"].to_numpy())
    assert found.where["parcel_id"].tolist() == parcel["parcel_id"].tolist()
    own = {"parcel_id", "distance_basis", "known_share", *OF_OUTLINE, *OF_COUNTY}
    names = [name for name in wanted.columns if name not in own]
    assert len(names) > 90
    assert wanted["second_feed_mw"].notna().any()
    assert wanted["disjoint_path_count"].notna().any()
    for name in names:
        got, want = found.metric[name], wanted[name]
        assert got.isna().tolist() == want.isna().tolist(), name
        if pd.api.types.is_numeric_dtype(want):
            np.testing.assert_allclose(
                got.astype(float), want.astype(float), rtol=1e-12, atol=1e-12, err_msg=name
            )
        else:
            assert got.dropna().tolist() == want.dropna().tolist(), name
    assert found.metric[[*OF_OUTLINE]].isna().all(axis=None)


def test_the_lot_that_holds_a_point_is_found_among_small_ones_and_large():
    west = -77.6 + 0.002 * np.arange(100)
    lots = [*shapely.box(west, 39.0, west + 0.002, 39.002), shapely.box(-77.6, 39.002, -77.4, 39.2)]
    with store.create() as con:
        con.execute("create schema core")
        for name in ("core/parcel", "core/parcel_metric"):
            con.execute(con.extract_statements(store.sql_text(name))[0])
        for number, lot in enumerate(lots):
            con.execute(
                "insert into core.parcel by name select $no as parcel_no, $id as parcel_id, "
                "'assessor' as parcel_kind, $lon as lon, $lat as lat, "
                "st_setcrs(st_geomfromwkb($wkb), 'OGC:CRS84') as geometry",
                {
                    "no": number, "id": f"lot {number}", "lon": lot.centroid.x,
                    "lat": lot.centroid.y, "wkb": lot.wkb,
                },
            )  # fmt: skip
        con.execute("insert into core.parcel_metric by name select parcel_id from core.parcel")
        # The middle of the large lot is farther from the second point than that of every small one.
        near = NearParcels.of(
            con, np.array([-77.599, -77.5, -77.0]), np.array([39.001, 39.003, 39.0])
        )
    assert near.holding["parcel_id"].fillna("none").tolist() == ["lot 0", "lot 100", "none"]


def test_energised_megawatts_replace_those_of_the_grid(ask):
    told = ask(f"Bare,{ASHBURN}\nMine,{ASHBURN},60,,150\n", "--json").json
    bare, mine = told["sites"]
    assert bare["mw_mid"] > 60
    assert [mine[f"mw_{end}"] for end in ("low", "mid", "high")] == [60.0] * 3
    for end in ("low", "mid", "high"):
        assert mine[f"grid_mw_{end}"] == bare[f"mw_{end}"]
    training = use_of(mine, "training")
    assert training["gates_failed"] == ["headroom_mw_mid"]
    assert [need["text"] for need in training["needs"] if need["status"] == "fail"] == [
        "140 MW more: 60 of at least 200 MW"
    ]
    assert use_of(bare, "mine")["gate_status"] == "fail"
    assert use_of(mine, "mine")["gate_status"] == "pass"


def test_a_site_scores_and_ranks_as_the_parcel_around_it_where_it_states_the_same(ask, base):
    # The study knows no developable acres; those of one piece are stated.
    removed = rows(base.build, "select distinct is_removed from meta.gate where metric = 'acres'")
    assert removed == [(True,)]
    parcels = rows(
        base.build,
        "select parcel_id, lat, lon, contiguous_acres from core.parcel inner join core.parcel_metric "
        "using (parcel_id) inner join mart.parcel_score using (parcel_id) "
        "where workload = 'inference' and rank <= 5 order by rank",
    )
    content = "".join(f"{name},{lat!r},{lon!r},,,{acres!r}\n" for name, lat, lon, acres in parcels)
    sites = ask(content, "--json").json["sites"]
    assert [site["parcel_id"] for site in sites] == [parcel_id for parcel_id, *_ in parcels]
    for site in sites:
        scores = rows(
            base.build,
            "select workload, score_low, score_high, gate_status, rank from mart.parcel_score "
            f"where parcel_id = '{site['parcel_id']}'",
        )
        for name, *wanted in scores:
            use = use_of(site, name)
            assert [
                use[key] for key in ("score_low", "score_high", "gate_status", "rank")
            ] == wanted


def test_ranks_and_percentiles_are_those_among_the_candidates(ask, base):
    (site,) = ask(f"A,{ASHBURN},300,,500,30,air,3\n", "--json").json["sites"]
    for use in site["uses"]:
        if use["use"] == "mine":
            continue
        scores = rows(
            base.build,
            "select score, gate_status from mart.parcel_score where rank is not null "
            f"and workload = '{use['use']}'",
        )
        below = sum(score < use["score_low"] for score, _ in scores)
        assert use["candidate_count"] == len(scores)
        assert use["percentile_low"] == pytest.approx(100 * below / len(scores))
        if use["gate_status"] == "pass":
            better = sum(s > use["score_low"] and status == "pass" for s, status in scores)
            assert use["rank"] == 1 + better


def test_cooling_decides_what_training_still_needs(ask):
    told = ask(
        f"Air,{ASHBURN},300,,500,30,air,3\nLiquid,{ASHBURN},300,,500,30,liquid,3\n", "--json"
    )
    air, liquid = told.json["sites"]
    kinds = [need["kind"] for need in use_of(air, "training")["needs"]]
    assert (kinds, use_of(liquid, "training")["needs"]) == (["cooling"], [])
    assert use_of(air, "inference")["needs"] == use_of(liquid, "inference")["needs"]
    # Cooling is mended by money, and moves no score.
    assert use_of(air, "training")["score_low"] == use_of(liquid, "training")["score_low"]


def test_a_table_says_the_best_use_and_what_to_fix_first(ask):
    answer = ask(f"Old mine,{ASHBURN},60,,150,30,air,1\n")
    assert answer.code == 0
    out = " ".join(answer.out.split())
    for words in (
        "Old mine", "60 energised", "best use", "fix first", "disqualified by", "still needs",
        "140 MW more: 60 of at least 200 MW", "2 more carriers", "The grid around has",
        "not added to those that are energised", "the grid is synthetic",
    ):  # fmt: skip
        assert words in out


def test_bad_rows_are_named_and_the_good_ones_assessed(ask):
    answer = ask(f'Good,{ASHBURN}\nBad,"39,04",-77.49\nIce,{ASHBURN},,,,,ice\n')
    assert answer.code == 0
    assert "sites.csv, row 3, lat: '39,04' has a decimal comma; write 39.04." in answer.out
    assert "sites.csv, row 4, cooling: 'ice' is no cooling" in answer.out
    told = ask(f"Good,{ASHBURN}\nBad,x,-77.49\n", "--json").json
    assert [site["name"] for site in told["sites"]] == ["Good"]
    assert [(each["row"], each["column"]) for each in told["rejected"]] == [(3, "lat")]


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ("Bad,x,-77.49\n", "row 2, lat: 'x' is no number"),
        ("", "holds no rows"),
        ("Sea,36.0,-70.0\n", "No site lies in study tiny."),
    ],
)
def test_where_no_site_is_good_it_fails(ask, content, word):
    answer = ask(content)
    assert answer.code == 1
    assert answer.err.startswith("Error: ")
    assert word in answer.err.replace("\n", "")
    assert answer.out == ""


def test_a_site_outside_of_the_study_is_told_and_not_judged(ask):
    inside, outside = ask(f"In,{ASHBURN}\nSea,36.0,-70.0,50\n", "--json").json["sites"]
    assert inside["note"] is None
    assert "outside of study" in outside["note"]
    assert (outside["uses"], outside["best_use"], outside["state_id"]) == ([], None, None)
    # In the lake no parcel holds it, but everything else is known of it.
    (lake,) = ask("Lake,38.925,-77.675\n", "--json").json["sites"]
    if lake["parcel_id"] is None:
        assert "in no parcel of the build" in lake["note"]
    assert use_of(lake, "training")["score_low"] is not None


def test_files_hold_what_is_told(ask, tmp_path):
    paths = {name: tmp_path / "out" / f"a.{name}" for name in ("csv", "geojson", "md")}
    answer = ask(
        f"=A|b,{ASHBURN},60,,150,30,air,1\nSea,36.0,-70.0\n",
        *("--csv", paths["csv"], "--geojson", paths["geojson"], "--markdown", paths["md"]),
        "--json",
    )
    assert answer.code == 0
    told = answer.json["sites"]
    with paths["csv"].open(newline="") as handle:
        table = list(csv.DictReader(handle))
    assert len(table) == len(told[0]["uses"]) + 1
    assert table[0]["name"] == "'=A|b"
    for row, use in zip(table, told[0]["uses"], strict=False):
        assert row["use"] == use["use"]
        assert float(row["energized_mw"]) == 60.0
        assert row["gate_status"] == use["gate_status"]
    features = json.loads(paths["geojson"].read_text())["features"]
    assert [feature["properties"]["name"] for feature in features] == ["=A|b", "Sea"]
    assert features[0]["geometry"] == {"type": "Point", "coordinates": [-77.49, 39.04]}
    training = use_of(told[0], "training")
    assert features[0]["properties"]["training_score_low"] == pytest.approx(training["score_low"])
    page = paths["md"].read_text()
    assert "\n## \\=A\\|b\n" in page
    assert "- training, disqualifies: 140 MW more: 60 of at least 200 MW" in page
    assert "The grid behind this ranking is synthetic" in page


@pytest.mark.parametrize("option", ["--csv", "--geojson", "--markdown"])
def test_a_file_of_another_kind_is_wrong_usage(ask, tmp_path, option):
    answer = ask(f"A,{ASHBURN}\n", option, tmp_path / "out.xlsx")
    assert answer.code == 2
    assert "does not end in" in answer.err
    assert not (tmp_path / "out.xlsx").exists()


def test_a_missing_list_is_named(gridstead, base, tmp_path):
    answer = gridstead("assess", tmp_path / "none.csv", "--home", base.home)
    assert answer.code == 1
    assert "There is no list of sites" in answer.err


@pytest.fixture(scope="module")
def costs():
    return SiteCosts(read_rules(), {"training": np.array([10.0, 60.0, 1e6])})


def priced(costs, **stated):
    metric = pd.DataFrame(
        {
            "deliverable_mw": [300.0], "tie_line_kv": [345.0], "tie_line_mi": [13.0],
            "lit_node_mi": [5.0], "diverse_node_mi": [20.0], "industrial_usd_per_mwh": [60.0],
            "cooling_degree_days_65f": [1000.0], "generation_queue_mw": [500.0],
            "land_value_usd_per_acre": [20_000.0], "slope_mean_pct": [2.0],
        }
    )  # fmt: skip
    site = pd.DataFrame(
        [dict.fromkeys(("energized_mw", "wanted_mw", "usd_per_mwh"), np.nan) | stated]
    )
    workload = {
        "workload": "training", "objective": "training", "design_mw": 300.0, "load_factor": None,
        "usd_per_mwh": None,
    }  # fmt: skip
    (told,) = costs.site_cost(metric, site, workload)
    return told, metric


def test_a_site_costs_what_a_parcel_with_its_figures_does(costs):
    told, metric = priced(costs)
    cost = training_cost(metric, costs.rules, mw=300.0)
    assert [told[f"cost_{end}"] for end in ("low", "mid", "high")] == cost.total[0].tolist()
    # Two of three candidates cost less.
    assert told["cost_percentile"] == pytest.approx(100 / 3)
    assert told["cost_years_mid"] > 0


@pytest.mark.parametrize("usd", [20.0, 45.0, 200.0])
def test_a_price_that_is_stated_is_taken_as_it_is(costs, usd):
    told, metric = priced(costs, usd_per_mwh=usd)
    cost = training_cost(metric, costs.rules, mw=300.0, usd_per_mwh=usd)
    assert [told[f"cost_{end}"] for end in ("low", "mid", "high")] == pytest.approx(
        cost.total[0].tolist(), rel=1e-12
    )


def test_an_energised_site_pays_no_tie_line_and_waits_for_nothing(costs):
    bare, _ = priced(costs)
    told, metric = priced(costs, energized_mw=300.0)
    cost = training_cost(metric, costs.rules, mw=300.0)
    tie = cost.terms["tie_line"] + cost.terms["substation"] + cost.terms["delay"]
    assert told["cost_mid"] == pytest.approx(bare["cost_mid"] - tie[0, 1])
    assert [told[f"cost_years_{end}"] for end in ("low", "mid", "high")] == [0.0] * 3
    assert told["cost_text"].endswith("has power")


def test_a_cost_is_stated_at_what_is_wanted_or_what_the_site_gets(costs):
    assert priced(costs)[0]["cost_mw"] == 300.0
    assert priced(costs, wanted_mw=100.0)[0]["cost_mw"] == 100.0
    assert priced(costs, wanted_mw=900.0)[0]["cost_mw"] == 300.0

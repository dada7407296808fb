import copy

import pytest
import yaml

from data.errors import WorkloadError
from data.metrics import METRICS
from data.study import Study, StudyWorkload
from data.workload import (
    SCHEMA_PATH,
    load_workload,
    major_metro_people,
    study_workloads,
    workload_names,
    workload_schema,
)

WORDS = {"why": "because", "source": "a table"}
FACTOR = {"metric": "acres", "weight": 1, "value": [[0, 0], [10, 1]], "label": "acres", **WORDS}
PROFILE = {
    "id": "mine",
    "title": "Mine",
    "summary": "Mine",
    "target_mw": 10,
    "capacity_metric": "headroom_mw_mid",
    "gates": [{"metric": "acres", "at_least": 1, **WORDS}],
    "factors": [FACTOR],
}


@pytest.fixture
def load(tmp_path):
    def load(content):
        path = tmp_path / "mine.yaml"
        path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
        return load_workload(str(path))

    return load


def changed(**changes):
    return copy.deepcopy(PROFILE) | changes


def factor(**changes):
    return changed(factors=[FACTOR | changes])


def gate(**changes):
    return changed(gates=[{"metric": "acres", **WORDS, **changes}])


def test_schema_file_is_what_the_models_say():
    hint = "run: python -m data.catalogue --schema"
    assert SCHEMA_PATH.read_text(encoding="utf-8") == workload_schema(), hint


@pytest.mark.parametrize("name", workload_names())
def test_no_profile_of_ours_counts_data_centers_that_stand_already(name):
    profile = load_workload(name)
    used = {item.metric for item in (*profile.factors, *profile.gates)}
    assert len(used) > 5
    assert not [metric for metric in used if metric.startswith("data_center")]


@pytest.mark.parametrize("name", workload_names())
def test_our_profiles_say_why_and_from_where(name):
    profile = load_workload(name)
    assert profile.id == name
    assert sum(factor.weight for factor in profile.factors) == pytest.approx(1, abs=1e-12)
    for item in [*profile.gates, *profile.factors]:
        assert item.why
        assert item.source
    for factor in profile.factors:
        values = [y for _, y in factor.value]
        rises = values == sorted(values)
        falls = values == sorted(values, reverse=True)
        assert rises or falls, factor.metric
        # Distances and prices are better when less, megawatts and people when more; a reference
        # table says which. People within 5 miles crowd, whatever they do farther out.
        assert METRICS[factor.metric].direction == ("more" if rises else "less"), factor.metric


@pytest.mark.parametrize("name", workload_names())
def test_power_and_fiber_weigh_what_practitioners_give_them(name):
    """FACTS: power 40 to 45 %, fiber 15 to 25 %; the way to users is counted beside fiber, not in it."""
    shares = {"power": 0.0, "fiber": 0.0}
    for factor in load_workload(name).factors:
        metric = METRICS[factor.metric]
        to_users = metric.unit == "people" or "metro" in factor.metric
        if {"substation", "plant"} & set(metric.layer.split()):
            shares["power"] += factor.weight
        elif "pop" in metric.layer.split() and not to_users:
            shares["fiber"] += factor.weight
    assert 0.4 - 1e-12 <= shares["power"] <= 0.45 + 1e-12
    assert 0.15 - 1e-12 <= shares["fiber"] <= 0.25 + 1e-12


def test_our_profiles_ask_for_what_their_names_say():
    ours = {name: load_workload(name) for name in workload_names()}
    assert list(ours) == [
        *("inference", "inference_metro_edge", "inference_regional"),
        *("mining_conversion", "training", "training_gigawatt"),
    ]
    gates = {
        name: {gate.metric: gate.at_least or gate.at_most for gate in profile.gates}
        for name, profile in ours.items()
    }
    assert gates["training"]["headroom_mw_mid"] == 200
    assert gates["training_gigawatt"]["headroom_mw_mid"] == 1000
    assert gates["training_gigawatt"]["contiguous_acres"] == 500
    assert gates["inference"]["major_metro_mi"] == 100
    assert gates["inference_metro_edge"]["major_metro_mi"] == 50
    assert gates["inference_metro_edge"]["rtt_major_metro_ms_mid"] == 3
    assert gates["inference_regional"]["rtt_major_metro_ms_mid"] == 20
    assert "major_metro_mi" not in gates["inference_regional"]
    lowest = min(gates[name]["headroom_mw_mid"] for name in ("training", "inference"))
    assert gates["mining_conversion"]["headroom_mw_mid"] < lowest
    told = {
        name: (p.objective, p.latency_budget_ms, p.design_mw, p.target_mw)
        for name, p in ours.items()
    }
    assert told == {
        "training": ("training", None, 300, 1000),
        "training_gigawatt": ("training", None, 1000, 1000),
        "inference": ("inference", 10, 50, 200),
        "inference_metro_edge": ("inference", 5, 10, 50),
        "inference_regional": ("inference", 20, 100, 300),
        "mining_conversion": ("training", None, 100, 100),
    }
    for profile in ours.values():
        budget = profile.latency_budget_ms
        if budget:
            assert f"people_{budget}ms_mid" in {factor.metric for factor in profile.factors}
    # One large piece of land for training, many small sites for inference.
    weighed = {name: {factor.metric for factor in p.factors} for name, p in ours.items()}
    assert {n for n, names in weighed.items() if "contiguous_acres" in names} == {
        "training", "training_gigawatt"
    }  # fmt: skip
    assert {n for n, p in ours.items() if p.max_site_mw} == {"inference", "inference_metro_edge"}


def test_a_profile_is_read_from_a_file(load):
    assert load(PROFILE).factors[0].value == [(0, 0), (10, 1)]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (changed(colour="red"), "colour: is not a known key"),
        (changed(target_mw=0), "target_mw: "),
        (changed(capacity_metric="acres"), "capacity_metric: "),
        (changed(factors=[]), "factors: "),
        (factor(weight=0.9), "the weights sum to 0.9, not to 1"),
        (factor(weight=1.5), "factors.0.weight: "),
        (factor(weight=0), "factors.0.weight: "),
        (factor(weight=-1), "factors.0.weight: "),
        (factor(metric="akers"), "unknown metric 'akers'"),
        (factor(value=[[0, 0]]), "factors.0.value: "),
        (factor(value=[[0, 0], [0, 1]]), "breakpoints of acres are not in increasing order"),
        (factor(value=[[5, 0], [1, 1]]), "breakpoints of acres are not in increasing order"),
        (factor(value=[[0, 0], [1, 1.2]]), "a value of acres is outside 0 to 1"),
        (factor(value=[[0, 0], [".nan", 1]]), "factors.0.value"),
        (factor(value=[[0, 0], [float("nan"), 1]]), "factors.0.value"),
        (factor(value=[[0, 0], [float("inf"), 1]]), "factors.0.value"),
        (gate(), "gate on acres needs exactly one of at_least and at_most"),
        (gate(at_least=1, at_most=2), "gate on acres needs exactly one of at_least and at_most"),
        (gate(metric="akers", at_least=1), "unknown metric 'akers'"),
        (gate(at_least=float("nan")), "gates.0.at_least"),
        (gate(at_least=1, why=None), "gates.0.why: "),
        (changed(factors=[FACTOR | {"weight": 0.5}] * 2), "a metric is weighted twice"),
        (changed(objective="mining"), "objective: "),
        (changed(latency_budget_ms=10), "training has no latency budget"),
        (changed(objective="inference", latency_budget_ms=7), "latency_budget_ms: "),
        (
            changed(objective="inference", latency_budget_ms=None),
            "inference needs a latency budget",
        ),
        (changed(cost={"watt_hours_per_query": 0.24}), "training answers no queries"),
        (changed(cost={"premium_usd_per_million_queries": 0}), "training answers no queries"),
        (changed(cost={"design_mw": 0}), "cost.design_mw: "),
        (changed(cost={"load_factor": 1.1}), "cost.load_factor: "),
        (changed(cost={"wages": 1}), "cost.wages: is not a known key"),
        (changed(max_site_mw=0), "max_site_mw: "),
        (changed(major_metro_people=100_000), "major_metro_people: "),
        ("id: [", "is not valid YAML"),
        ("", "mine.yaml: "),
    ],
)
def test_a_broken_profile_says_where_in_one_sentence(load, content, said):
    with pytest.raises(WorkloadError, match=r"mine\.yaml") as raised:
        load(content)
    assert said in raised.value.message
    assert "\n" not in raised.value.message
    assert raised.value.exit_code == 2


def test_an_unknown_profile_lists_those_that_there_are():
    with pytest.raises(WorkloadError, match="There is no workload 'mining'") as raised:
        load_workload("mining")
    assert "training" in raised.value.hint


def test_what_a_profile_leaves_out_follows_from_its_objective(load):
    assert load(PROFILE).objective == "training"
    assert load(PROFILE).latency_budget_ms is None
    assert load(PROFILE).design_mw == 300
    users = load(changed(objective="inference"))
    assert users.latency_budget_ms == 10
    assert users.design_mw == 50
    asked = changed(objective="inference", latency_budget_ms=20, cost={"design_mw": 7})
    assert load(asked).latency_budget_ms == 20
    assert load(asked).design_mw == 7


def study(*more, **entry):
    return Study(
        id="s", title="S", area=["RI"], themes={}, headroom_method="import_estimate",
        workloads=[StudyWorkload(**each) for each in (entry, *more)],
    )  # fmt: skip


def test_profiles_of_a_study_agree_on_who_is_a_major_metro(tmp_path):
    paths = {}
    for name, people in (("mine", 2_000_000), ("other", 500_000), ("silent", None)):
        paths[name] = tmp_path / f"{name}.yaml"
        paths[name].write_text(yaml.safe_dump(changed(id=name, major_metro_people=people)))
    entries = {name: {"id": name, "profile": path} for name, path in paths.items()}
    both = study_workloads(study(entries["silent"], **entries["mine"]))
    assert major_metro_people(both) == 2_000_000
    assert major_metro_people(study_workloads(study(**entries["silent"]))) == 1_000_000
    with pytest.raises(WorkloadError, match="mine 2,000,000, other 500,000"):
        study_workloads(study(entries["other"], **entries["mine"]))


def test_a_study_may_bring_a_profile_of_its_own(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(PROFILE))
    assert study_workloads(study(id="mine", profile=path))["mine"].target_mw == 10
    with pytest.raises(WorkloadError, match="'mine' stands where study s names 'training'"):
        study_workloads(study(id="training", profile=path))
    with pytest.raises(WorkloadError, match="There is no workload"):
        study_workloads(study(id="mining"))


@pytest.mark.parametrize("metric", ["akers", "cooling_degree_days_65f"])
def test_a_study_can_only_do_without_what_the_profile_names(metric):
    entry = {"id": "inference", "without": [{"metric": metric, "why": "x"}]}
    known = metric in {f.metric for f in load_workload("inference").factors}
    if known:
        assert study_workloads(study(**entry))
        return
    with pytest.raises(WorkloadError, match="neither gates on nor weighs 'akers'"):
        study_workloads(study(**entry))


def test_a_study_must_leave_a_factor_to_rank_by():
    lacks = [{"metric": f.metric, "why": "x"} for f in load_workload("training").factors]
    with pytest.raises(WorkloadError, match="leaves no factor of profile 'training'"):
        study_workloads(study(id="training", without=lacks))

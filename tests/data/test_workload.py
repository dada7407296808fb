import copy

import pytest
import yaml

from data.errors import WorkloadError
from data.metrics import METRICS
from data.study import Study, StudyWorkload
from data.workload import (
    SCHEMA_PATH,
    load_workload,
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


@pytest.mark.parametrize("name", ["training", "inference"])
def test_our_profiles_say_why_and_from_where(name):
    profile = load_workload(name)
    assert name in workload_names()
    assert profile.id == name
    assert profile.target_mw == {"training": 1000, "inference": 200}[name]
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


def study(**entry):
    return Study(
        id="s", title="S", area=["RI"], themes={}, headroom_method="import_estimate",
        workloads=[StudyWorkload(**entry)],
    )  # fmt: skip


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

import dataclasses

import pytest

from data.metrics import METRIC_FILE, METRICS, Metric
from data.workload import load_workload


def test_metrics_are_read_by_name():
    metric = METRICS["substation_138kv_mi"]
    assert (metric.name, metric.unit, metric.direction) == ("substation_138kv_mi", "mi", "less")
    assert [field.name for field in dataclasses.fields(Metric)][1:] == (
        METRIC_FILE.read_text(encoding="utf-8").splitlines()[0].split(",")[1:]
    )


def test_names_and_words_are_unique():
    lines = METRIC_FILE.read_text(encoding="utf-8").splitlines()[1:]
    assert len(lines) == len(METRICS)
    assert len({metric.label for metric in METRICS.values()}) == len(METRICS)
    assert len({metric.description for metric in METRICS.values()}) == len(METRICS)


@pytest.mark.parametrize("name", ["training", "inference"])
def test_what_profiles_use_is_a_metric(name):
    profile = load_workload(name)
    used = {item.metric for item in [*profile.gates, *profile.factors]}
    assert used | {profile.capacity_metric} <= set(METRICS)

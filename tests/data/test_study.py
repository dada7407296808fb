import copy

import pytest
import yaml

from data import store
from data.build import layer_names
from data.catalogue import load_catalogue
from data.errors import StudyError
from data.metrics import METRICS
from data.study import SCHEMA_PATH, THEMES, load_study, study_names, study_schema
from data.workload import study_workloads

STUDY = {
    "id": "small",
    "title": "Small",
    "area": ["RI"],
    "themes": {"grid": {"sources": ["tamu_grid"], "layers": {"substation": ["tamu_substation"]}}},
    "headroom_method": "rated_circuits",
    "workloads": [{"id": "training"}],
}


@pytest.fixture
def load(tmp_path):
    def load(content):
        path = tmp_path / "small.yaml"
        path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
        return load_study(str(path))

    return load


def changed(**changes):
    return copy.deepcopy(STUDY) | changes


def test_schema_file_is_what_the_models_say():
    hint = "run: python -m data.catalogue --schema"
    assert SCHEMA_PATH.read_text(encoding="utf-8") == study_schema(), hint


def test_both_studies_come_with_the_project():
    assert {"conus", "open-conus"} <= set(study_names())


@pytest.mark.parametrize("name", study_names())
def test_our_studies_name_what_there_is(name):
    study = load_study(name)
    catalogue = load_catalogue()
    assert study.id == name
    for theme in study.themes.values():
        for source_id in theme.sources:
            assert catalogue.source(source_id).id == source_id
        assert set(theme.layers) <= set(layer_names())
        assert set(theme.lookups.values()) <= set(layer_names())
        for staged in theme.layers.values():
            assert {f"staging/{item}" for item in staged} <= set(store.sql_names("staging"))
    filled = [layer for theme in study.themes.values() for layer in theme.layers]
    assert len(filled) == len(set(filled))
    assert set(study.derived) <= set(layer_names())
    assert not set(study.derived) & set(filled)
    for staged in study.derived.values():
        assert {f"staging/{item}" for item in staged} <= set(store.sql_names("staging"))
    profiles = study_workloads(study)
    assert set(profiles) == {"training", "inference"}
    for entry in study.workloads:
        used = {f.metric for f in profiles[entry.id].factors}
        used |= {g.metric for g in profiles[entry.id].gates}
        for item in entry.without:
            assert item.metric in METRICS
            assert item.metric in used, f"{entry.id} never had {item.metric}"
            assert item.why


def test_a_study_is_read_from_a_file(load):
    study = load(STUDY)
    assert (study.id, study.divide.resolution, study.required_fresh) == ("small", 6, [])


def test_files_that_a_study_names_lie_beside_it(load, tmp_path):
    study = load(
        changed(workloads=[{"id": "training", "profile": "mine.yaml"}], catalogue="own.yaml")
    )
    assert study.workloads[0].profile == tmp_path / "mine.yaml"
    assert study.catalogue == tmp_path / "own.yaml"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (changed(colour="red"), "colour: is not a known key"),
        (changed(id="No Spaces"), "id: "),
        (changed(divide={"resolution": 12}), "divide.resolution: "),
        (changed(divide={"kind": "squares"}), "divide.kind: "),
        (changed(themes={"weather": {"sources": [], "layers": {}}}), "themes.weather"),
        (changed(workloads=[{"id": "training"}, {"id": "training"}]), "a workload is listed twice"),
        (changed(headroom_method="guess"), "headroom_method: "),
        (changed(themes={"land": {"sources": [], "layers": {"../meta/run": []}}}), "themes.land"),
        (changed(derived={"people": ["../meta/run"]}), "derived.people"),
        ({k: v for k, v in STUDY.items() if k != "area"}, "area: is missing"),
        ("id: [", "is not valid YAML"),
        ("just words", "small.yaml: "),
        ("", "small.yaml: "),
    ],
)  # fmt: skip
def test_a_broken_study_says_where_in_one_sentence(load, content, said):
    with pytest.raises(StudyError, match=r"small\.yaml") as raised:
        load(content)
    assert said in raised.value.message
    assert "\n" not in raised.value.message
    assert raised.value.exit_code == 2


def test_two_problems_are_counted(load):
    with pytest.raises(StudyError, match=r"\(1 more\)"):
        load(changed(colour="red", shape="round"))


@pytest.mark.parametrize("name", ["atlantis", "atlantis.yaml", "", "../studies/conus"])
def test_an_unknown_study_lists_those_that_there_are(name):
    with pytest.raises(StudyError, match="There is no study") as raised:
        load_study(name)
    assert "open-conus" in raised.value.hint


def test_themes_are_a_closed_list():
    assert set(THEMES) == {"grid", "population", "fiber", "land"}

import copy

import pytest
import yaml

from data import store
from data.build import layer_names
from data.catalogue import with_own
from data.errors import StudyError
from data.metrics import METRICS
from data.readers.raster import raster_table
from data.stage import load_layer
from data.study import SCHEMA_PATH, THEMES, Exclusion, load_study, study_names, study_schema
from data.workload import study_workloads, workload_names

STUDY = {
    "id": "small",
    "title": "Small",
    "area": ["RI"],
    "themes": {"grid": {"sources": ["tamu_grid"], "layers": {"substation": ["tamu_substation"]}}},
    "headroom_method": "import_estimate",
    "workloads": [{"id": "training"}],
}


def layer_columns(layer):
    with store.create() as con:
        for part in ("schema", "raw_table", "staging_macros"):
            store.run_file(con, f"meta/{part}")
        load_layer(con, layer, [])
        return set(con.table(f"core.{layer}").columns)


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
    catalogue, _ = with_own(study.catalogue)
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
    for item in study.exclusions:
        if item.raster is not None:
            tables = catalogue.source(item.raster).tables.values()
            assert [table.reader for table in tables] == ["raster"]
        else:
            assert {"geometry", *item.where} <= layer_columns(item.layer)
        assert not item.why.endswith(".")
    for _, source_id in study.rasters:
        assert raster_table(catalogue.source(source_id)).reader == "raster"
    for staged in study.derived.values():
        assert {f"staging/{item}" for item in staged} <= set(store.sql_names("staging"))
    profiles = study_workloads(study)
    # Our national studies rank by every profile of ours, the others by the two that all start from.
    national = set(workload_names()) if study.area == ["conus"] else {"training", "inference"}
    assert set(profiles) == national
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
        (changed(measure={"chunk_parcels": 0}), "measure.chunk_parcels: "),
        (changed(measure={"on_failed_chunk": "shrug"}), "measure.on_failed_chunk: "),
        (changed(exclusions=[{"why": "x"}]), "exclusions.0: name either a layer or a raster."),
        (changed(exclusions=[{"layer": "substation", "raster": "ri_nlcd", "why": "x"}]),
         "exclusions.0: name either a layer or a raster."),
        (changed(exclusions=[{"layer": "substation"}]), "exclusions.0.why: is missing"),
        (changed(exclusions=[{"layer": "substation", "why": ""}]), "exclusions.0.why: "),
        (changed(exclusions=[{"layer": "substation", "why": "x", "buffer_m": -1}]),
         "exclusions.0.buffer_m: "),
        (changed(exclusions=[{"layer": "substation", "why": "x", "colour": "red"}]),
         "exclusions.0.colour: is not a known key"),
        (changed(exclusions=[{"layer": "substation", "why": "x", "condition": {"above": 1}}]),
         "exclusions.0: a layer has a where, no condition."),
        (changed(exclusions=[{"raster": "ri_nlcd", "why": "x"}]),
         "exclusions.0: raster 'ri_nlcd' needs a condition: above, below or classes."),
        (changed(exclusions=[{"raster": "ri_nlcd", "why": "x", "condition": {}}]),
         "exclusions.0.condition: give one of above, below and classes."),
        (changed(exclusions=[{"raster": "ri_nlcd", "why": "x",
                              "condition": {"above": 1, "classes": [2]}}]),
         "exclusions.0.condition: give one of above, below and classes."),
        (changed(exclusions=[{"raster": "ri_nlcd", "why": "x", "condition": {"classes": []}}]),
         "exclusions.0.condition.classes: "),
        (changed(exclusions=[{"raster": "ri_nlcd", "why": "x", "condition": {"above": 1},
                              "where": {"kind": "x"}}]),
         "exclusions.0: a raster has a condition, no where."),
        (changed(exclusions=[{"layer": "lake", "why": "x"}]),
         "an exclusion names layer 'lake', which no theme of the study fills."),
        (changed(exclusions=[{"raster": "ri_nlcd", "why": "x", "condition": {"above": 15}}]),
         "an exclusion names raster 'ri_nlcd', which is in the sources of no theme."),
        (changed(slope={"raster": "ri_srtm_slope"}),
         "slope names raster 'ri_srtm_slope', which is in the sources of no theme."),
        (changed(slope={}), "slope.raster: is missing"),
        (changed(slope={"raster": "ri_nlcd", "unit": "deg"}), "slope.unit: is not a known key"),
        (changed(extends="atlantis"), "extends: there is no study 'atlantis'."),
        (changed(extends="atlantis.yaml"), "extends: there is no study 'atlantis.yaml'."),
        (changed(extends=["conus"]), "extends: is not the name of a study."),
        (changed(extends="small.yaml"), "extends: goes in a circle (small extends small)."),
        ({"extends": "conus", "title": "No id"}, "id: is missing"),
        ({"id": "small", "extends": "conus", "themes": {"weather": {}}}, "themes.weather"),
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


def test_a_study_that_extends_another_has_its_keys_but_where_it_has_its_own(load):
    conus = load_study("conus")
    land = {"sources": ["lake_ne"], "layers": {"lake": ["ne_lake"]}}
    study = load({
        "id": "small", "extends": "conus", "area": ["RI"], "themes": {"land": land},
        "exclusions": [{"layer": "lake", "why": "wet", "buffer_m": 30}],
    })  # fmt: skip
    assert (study.id, study.area, study.title) == ("small", ["RI"], conus.title)
    assert study.themes["land"].sources == ["lake_ne"]
    assert study.themes["grid"] == conus.themes["grid"]
    assert list(study.themes) == list(conus.themes)
    assert (study.workloads, study.limits) == (conus.workloads, conus.limits)
    assert [item.buffer_m for item in study.exclusions] == [30]


def test_files_of_what_is_extended_lie_beside_it(load, tmp_path):
    (tmp_path / "base").mkdir()
    base = changed(id="base", catalogue="own.yaml",
                   workloads=[{"id": "training", "profile": "mine.yaml"}])  # fmt: skip
    (tmp_path / "base" / "base.yaml").write_text(yaml.safe_dump(base))
    study = load({"id": "small", "extends": "base/base.yaml"})
    assert study.catalogue == tmp_path / "base" / "own.yaml"
    assert study.workloads[0].profile == tmp_path / "base" / "mine.yaml"
    assert load({"id": "small", "extends": "base/base.yaml", "catalogue": "x.yaml"}).catalogue == (
        tmp_path / "x.yaml"
    )


def test_studies_that_extend_each_other_are_refused(load, tmp_path):
    for name, base in (("one", "two"), ("two", "three"), ("three", "one")):
        content = {"id": name, "extends": f"{base}.yaml"}
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(content))
    with pytest.raises(StudyError) as raised:
        load_study(str(tmp_path / "one.yaml"))
    assert raised.value.message == (
        "one.yaml: extends: goes in a circle (one extends two extends three extends one)."
    )
    with pytest.raises(StudyError, match=r"^small.yaml: extends: goes in a circle"):
        load({"id": "small", "extends": "one.yaml"})


@pytest.mark.parametrize("text", ["just words", "id: [", "- a\n- b"])
def test_what_is_extended_must_be_a_study(load, tmp_path, text):
    (tmp_path / "base.yaml").write_text(text)
    with pytest.raises(StudyError, match=r"base\.yaml"):
        load({"id": "small", "extends": "base.yaml"})


def test_exclusions_are_said_in_words():
    def said(**item):
        return str(Exclusion.model_validate(item | {"why": "x"}))

    assert said(layer="lake") == "lake"
    where = {"constraint_kind": ["water", "wetland"]}
    assert said(layer="constraint_area", where=where, buffer_m=30) == (
        "constraint_area constraint_kind water or wetland, and 30 m around"
    )
    assert said(raster="slope", condition={"above": 15}) == "slope above 15"
    assert said(raster="slope", condition={"below": 0.5}) == "slope below 0.5"
    assert said(raster="nlcd", condition={"classes": [11, 90]}) == "nlcd classes 11, 90"


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

"""A GeoPackage opened in a real QGIS: styled, named, with terms, nothing lost to the eye and no name run as HTML."""

import json
import os
import subprocess
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from geo.export import FORMATS, ExportLayer
from geo.export.model import SYNTHETIC_SENTENCE
from geo.export.palette import MEGAWATT_CLASSES, RANK_CLASSES, UNRANKED_COLOUR
from tests.geo import export_samples

# QGIS comes with the system's Python, not with that of the project.
PYTHON = Path("/usr/bin/python3")
READER = Path(__file__).with_name("reader.py")
SCRIPT = "<script>alert(1)</script> & <img src=x onerror=alert(2)>"
NOTE = replace(
    export_samples.NOTE,
    attributions=["Bureau of <Maps> & Co", "C"],
    licences=["a: MIT", "b: CC BY 4.0"],
)
pytestmark = pytest.mark.qgis


@pytest.fixture(scope="module")
def qgis():
    probe = [str(PYTHON), "-c", "import qgis.core"]
    if PYTHON.exists() and subprocess.run(probe, capture_output=True, check=False).returncode == 0:
        return PYTHON
    reason = "QGIS is not on this machine (Debian: apt-get install qgis python3-qgis)"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def regions():
    """Two by six counties whose ranks fall into every class and into none, and what lies over them."""
    ranks = [1, 10, 11, 50, 51, 100, 101, 500, 501, 3000, None, None]
    squares = [shapely.box(x, y, x + 3, y + 4) for y in (34, 38) for x in range(-110, -92, 3)]
    rows = [("county", f"c{i}", f"County {i}", rank) for i, rank in enumerate(ranks)]
    rows[1] = ("county", "c1", SCRIPT, 10)
    rows += [("metro", "m", "Metro", 1), ("state", "s", "State", 2), ("zone", "z", "Zone", None)]
    whole = shapely.box(-110, 34, -92, 42)
    frame = gpd.GeoDataFrame(
        {
            "region_kind": [row[0] for row in rows],
            "region_id": [row[1] for row in rows],
            "region_name": [row[2] for row in rows],
            "rank": pd.array([row[3] for row in rows], dtype="Int64"),
            "headroom_mw_mid": [float("nan"), *np.arange(14.0)],
        },
        geometry=[*squares, whole.buffer(-1), whole, whole],
        crs="OGC:CRS84",
    )
    docs = {"rank": "1 is <best>; null where not ranked"}
    return ExportLayer("training_regions", "Regions for training", frame, column_docs=docs)


def substations():
    megawatts = [0.0, 49.9, 50.0, 200.0, 500.0, 1000.0, 9000.0, np.nan]
    x = np.linspace(-109, -93, len(megawatts))
    frame = gpd.GeoDataFrame(
        {"substation_name": [f"S{i}" for i in range(8)], "headroom_mw_mid": megawatts},
        geometry=shapely.points(x, np.full(8, 37.0)),
        crs="OGC:CRS84",
    )
    return ExportLayer("substations", "Substations by headroom", frame)


def metros():
    frame = gpd.GeoDataFrame(
        {
            "metro_name": ["Dallas-Fort Worth, TX", "O'Hare \u202e🚀", 'x"y\nz'],
            "metro_people": [7_000_000, 300_000, 250_000],
            "is_major": [True, False, None],
        },
        geometry=shapely.points([-97.0, -100.0, -103.0], [35.0, 36.0, 40.0]),
        crs="OGC:CRS84",
    )
    return ExportLayer("metros", "Metropolitan areas", frame)


def parcels():
    frame = gpd.GeoDataFrame(
        {
            "parcel_id": ["a", "b"],
            "parcel_name": ["9 mi E of Pasco, WA", None],
            "rank": pd.array([3, None], dtype="Int64"),
            "score": [71.25, None],
        },
        geometry=shapely.box([-105, -104], [35, 35], [-104.9, -103.9], [35.1, 35.1]),
        crs="OGC:CRS84",
    )
    return ExportLayer("training_parcels", "Parcels for training", frame)


@pytest.fixture(scope="module")
def seen(qgis, tmp_path_factory):
    folder = tmp_path_factory.mktemp("qgis")
    path = folder / "grid stead.gpkg"
    FORMATS["gpkg"](path, [regions(), parcels(), substations(), metros()], NOTE)
    before = path.read_bytes()
    ran = subprocess.run(
        [str(qgis), str(READER), str(path), str(folder / "map.png")],
        env={"PATH": "/usr/bin:/bin", "HOME": str(folder), "QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert "Warning" not in ran.stderr
    assert path.read_bytes() == before, "looking leaves the file alone"
    return json.loads(ran.stdout)


def test_every_layer_opens_whole(seen):
    layers = seen["layers"]
    assert list(layers) == ["training_regions", "training_parcels", "substations", "metros"]
    assert all(layer["is_valid"] for layer in layers.values())
    assert [layer["count"] for layer in layers.values()] == [15, 2, 8, 3]
    assert {layer["crs"] for layer in layers.values()} == {"EPSG:4326"}
    assert [layer["title"] for layer in layers.values()] == [
        "Regions for training", "Parcels for training", "Substations by headroom", "Metropolitan areas",
    ]  # fmt: skip
    assert seen["messages"] == []


def test_styles_are_loaded_and_every_feature_has_a_rule(seen):
    layers = seen["layers"]
    assert {layer["renderer"] for layer in layers.values()} == {"RuleRenderer"}
    assert all(layer["has_labels"] for layer in layers.values())
    assert {name: layer["undrawn"] for name, layer in layers.items()} == {
        name: [] for name in layers
    }
    headings = [rule for rule in layers["training_regions"]["rules"] if not rule[3]]
    assert [(label, is_on) for label, _, is_on, _ in headings] == [
        ("Counties", True), ("Metropolitan areas", False), ("States", False), ("Grid zones", False),
    ]  # fmt: skip
    assert len(layers["training_regions"]["rules"]) == 4 + 4 * (len(RANK_CLASSES) + 1)
    assert [rule[0] for rule in layers["training_parcels"]["rules"]] == [
        *(f"Rank {each.label}" for each in RANK_CLASSES), "Not ranked",
    ]  # fmt: skip
    assert layers["substations"]["rules"][0][0] == "Headroom, middle (MW)"
    assert len(layers["substations"]["rules"]) == 1 + len(MEGAWATT_CLASSES) + 1


def test_columns_have_words(seen):
    layers = seen["layers"]
    assert layers["substations"]["aliases"]["headroom_mw_mid"] == "Headroom, middle (MW)"
    assert layers["training_regions"]["aliases"]["region_id"] == "Region (id)"
    for layer in layers.values():
        assert all(words for key, words in layer["aliases"].items() if key != "fid")


def test_layers_and_project_carry_the_note(seen):
    for layer in seen["layers"].values():
        assert layer["rights"] == ["Bureau of <Maps> & Co", "C"]
        assert layer["licences"] == ["a: MIT", "b: CC BY 4.0"]
        assert layer["constraints"] == [SYNTHETIC_SENTENCE]
        assert SYNTHETIC_SENTENCE in layer["abstract"]
        assert layer["history"] == [
            "Run r1 of study open-conus, 2026-01-02, Gridstead 0.1.0",
            "Sources left out for their terms: Backbones (not stated)",
        ]
        assert "Bureau of &lt;Maps&gt; &amp; Co" in layer["notes"]
    assert "1 is &lt;best&gt;; null where not ranked" in seen["layers"]["training_regions"]["notes"]
    for words in ("Bureau of <Maps> & Co", "b: CC BY 4.0", "Run id: r1", SYNTHETIC_SENTENCE):
        assert words in seen["project"]["abstract"]


def test_tips_show_names_as_text(seen):
    tips = seen["layers"]["training_regions"]["tips"]
    (hostile,) = [tip for tip in tips if "alert" in tip]
    assert "<script" not in hostile
    assert "<img" not in hostile
    assert "&lt;script>alert(1)&lt;/script> &amp; &lt;img" in hostile
    assert seen["layers"]["training_regions"]["heading"] == '"region_name"'
    first, second = seen["layers"]["training_parcels"]["tips"]
    assert "<b>9 mi E of Pasco, WA</b>" in first
    assert "<b>71.25</b>" in first
    assert second.count("\N{EN DASH}</b>") == 3, "unknown is a dash, not a nought"
    assert any("O'Hare \u202e🚀" in tip for tip in seen["layers"]["metros"]["tips"])


def test_the_project_opens_everything(seen):
    project = seen["project"]
    assert project["is_read"], project["error"]
    assert project["names"] == ["gridstead"]
    assert project["title"] == "Gridstead: open-conus, 2026-01-02, synthetic grid"
    assert project["crs"] == "EPSG:5070"
    assert project["valid"] == [True] * 5
    assert project["shown"] == ["State borders", "Metropolitan areas", "Regions for training"]
    assert project["groups"] == ["Training"]


def test_the_picture_has_the_colours_of_the_ranks(seen):
    """Each class has two counties of equal size; borders and labels take some of it."""
    colours = seen["project"]["colours"]
    counts = [colours.get(each.colour, 0) for each in RANK_CLASSES]
    counts.append(colours.get(UNRANKED_COLOUR, 0))
    assert min(counts) > 0.6 * max(counts), counts
    assert sum(counts) > 0.25 * sum(colours.values())
    assert "#000000" not in max(colours, key=colours.get)

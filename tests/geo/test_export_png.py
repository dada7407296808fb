"""Maps: a valid picture of the stated size, no warning, callouts that do not touch."""

import itertools
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from matplotlib.figure import Figure
from PIL import Image

from geo.errors import CrsError, GeoError
from geo.export._callouts import place_callouts
from geo.export._canvas import draw_paragraph, right_edge
from geo.export._page import HEIGHT_PX, WIDTH_PX, sources_sentence
from geo.export.palette import RANK_CLASSES, UNRANKED_COLOUR
from geo.export.png import rank_map
from tests.geo.export_samples import NOTE

WORDS = {"title": "Training", "subtitle": "Counties by rank", "note": NOTE}
COUNTIES = (
    Path(__file__).parents[3] / "shared" / "mirror" / "population" / "counties_urban_rural.zip"
)


def grid(columns=30, rows=20, unranked=50):
    x, y = np.meshgrid(np.linspace(-120, -75, columns + 1)[:-1], np.linspace(27, 48, rows + 1)[:-1])
    boxes = shapely.box(x.ravel(), y.ravel(), x.ravel() + 1.5, y.ravel() + 1.05)
    ranks = np.random.default_rng(3).permutation(len(boxes)) + 1
    return gpd.GeoDataFrame(
        {
            "region_id": [f"{i:05d}" for i in range(len(boxes))],
            "region_name": [f"County {i}" for i in range(len(boxes))],
            "rank": pd.array(
                [None if r > len(boxes) - unranked else int(r) for r in ranks], dtype="Int64"
            ),
            "score": 1 - ranks / len(boxes),
        },
        geometry=boxes,
        crs="OGC:CRS84",
    )


def states():
    return gpd.GeoDataFrame(
        {"name": ["West", "East"]},
        geometry=[shapely.box(-120, 27, -100, 48), shapely.box(-100, 27, -75, 48)],
        crs="EPSG:4269",
    )


def drawn(path):
    with Image.open(path) as image:
        image.verify()
    with Image.open(path) as image:
        return dict(image.info), np.asarray(image.convert("RGB"))


def has_colour(pixels, colour):
    rgb = [int(colour[k : k + 2], 16) for k in (1, 3, 5)]
    return int((pixels == rgb).all(axis=2).sum())


def test_map_is_a_picture_of_the_stated_size_in_the_class_colours(tmp_path):
    path = rank_map(tmp_path / "m.png", grid(), states(), **WORDS)
    info, pixels = drawn(path)
    assert pixels.shape == (HEIGHT_PX, WIDTH_PX, 3)
    assert info["Title"] == "Training"
    assert info["Source"] == "A & <B>; =Ünï"
    assert json.loads(info["Description"])["run_id"] == "r1"
    for each in RANK_CLASSES:
        assert has_colour(pixels, each.colour) > 500, each
    assert has_colour(pixels, UNRANKED_COLOUR) > 5_000
    assert [each.name for each in tmp_path.iterdir()] == ["m.png"]


def test_map_is_reproducible(tmp_path):
    first = rank_map(tmp_path / "a.png", grid(6, 4, 2), states(), **WORDS)
    second = rank_map(tmp_path / "b.png", grid(6, 4, 2), states(), **WORDS)
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize(
    "name",
    [
        "$\\frac{a}{b$ $$",
        "🚀 東京 \x00 \u202e مقاطعة",
        '<b>O\'Brien & "Sons"</b>\n\tCounty',
        "very long " * 40,
        "",
    ],
)
def test_hostile_words_are_drawn_as_they_stand(name, tmp_path):
    regions = grid(4, 3, 1).assign(region_name=name)
    note = replace(NOTE, run_id=name, study=name, is_synthetic=False, attributions=[name] * 2)
    path = rank_map(tmp_path / "m.png", regions, states(), title=name, subtitle=name, note=note)
    assert drawn(path)[1].shape == (HEIGHT_PX, WIDTH_PX, 3)


@pytest.mark.parametrize("count", [1, 5, 10, 60])
def test_sources_are_named_while_there_is_room_and_counted_beyond(count):
    figure = Figure(figsize=(14, 8.4), dpi=150)
    names = [f"Publisher {k} asks for these words (CC BY 4.0)" for k in range(count)]
    sentence = sources_sentence(figure, names)
    below = draw_paragraph(figure, 0.025, 0.08, sentence, fit=0.975, sizes={7.5: 2, 6: 3})
    lines = [text.get_text() for text in figure.texts]
    assert " ".join(lines) == sentence, "nothing is cut"
    assert len(lines) <= 3
    assert below > 0
    assert all(right_edge(text) <= 0.975 for text in figure.texts)
    named = sentence.count("Publisher")
    assert named == count or f"metadata: {count - named}." in sentence


def test_map_of_nothing_ranked_of_nothing_and_of_holes_is_drawn(tmp_path):
    regions = grid(4, 3, 12)
    assert regions["rank"].isna().all()
    rank_map(tmp_path / "a.png", regions, states().head(0), **WORDS)
    rank_map(tmp_path / "b.png", regions.head(0), states().head(0), **WORDS)
    some = grid(4, 3, 0)
    some.loc[0, "geometry"] = None
    some.loc[1, "geometry"] = shapely.Polygon()
    some.loc[2, "geometry"] = shapely.Point(-100, 40)
    some.loc[3, "geometry"] = some.geometry[3].difference(
        shapely.Point(some.geometry[3].centroid).buffer(0.2)
    )
    some.loc[4, "score"] = np.nan
    rank_map(tmp_path / "c.png", some, states(), **WORDS, labels=12)
    rank_map(tmp_path / "d.png", some, states(), **WORDS, labels=0)


def test_unusable_input_is_told_and_leaves_the_old_map(tmp_path):
    path = rank_map(tmp_path / "m.png", grid(3, 2, 0), states(), **WORDS)
    before = path.read_bytes()
    with pytest.raises(GeoError, match="lack rank, score"):
        rank_map(path, grid(3, 2, 0).drop(columns=["rank", "score"]), states(), **WORDS)
    with pytest.raises(GeoError, match="labels"):
        rank_map(path, grid(3, 2, 0), states(), **WORDS, labels=99)
    with pytest.raises(CrsError, match="outline"):
        rank_map(path, grid(3, 2, 0), states().set_crs(None, allow_override=True), **WORDS)
    assert path.read_bytes() == before


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("spread_px", [15, 60, 300])
def test_callouts_of_ten_never_touch(spread_px, seed):
    rng = np.random.default_rng(seed)
    radius, frame = 13.5, (40.0, 200.0, 1500.0, 1100.0)
    anchors = np.clip(rng.normal((1350, 700), spread_px, (10, 2)), (45, 205), (1495, 1095))
    centres = place_callouts(anchors, frame, radius)
    assert (centres >= np.array(frame[:2]) + radius).all()
    assert (centres <= np.array(frame[2:]) - radius).all()
    lines = shapely.linestrings(np.stack([anchors, centres], axis=1))
    discs = shapely.buffer(shapely.points(centres), radius)
    for one, other in itertools.combinations(range(10), 2):
        assert shapely.distance(*shapely.points(centres[[one, other]])) > 2 * radius
        assert not shapely.crosses(lines[one], lines[other])
        assert not shapely.intersects(discs[one], lines[other])
        assert not shapely.intersects(discs[other], lines[one])


@pytest.mark.parametrize("anchors", [np.empty((0, 2)), [[5.0, 5.0]], [[50.0, 50.0]] * 3])
def test_callouts_of_none_one_and_equal_anchors(anchors):
    centres = place_callouts(np.array(anchors), (0, 0, 400, 400), 10)
    assert centres.shape == (len(anchors), 2)
    assert np.isfinite(centres).all()


@pytest.mark.mirror
@pytest.mark.skipif(not COUNTIES.exists(), reason="../shared/mirror is missing")
def test_real_counties_fill_the_map(tmp_path):
    with zipfile.ZipFile(COUNTIES) as archive:
        member = next(name for name in archive.namelist() if name.endswith(".shp"))
    counties = gpd.read_file(f"/vsizip/{COUNTIES}/{member}")
    order = np.arange(len(counties))
    regions = gpd.GeoDataFrame(
        {
            "region_id": [f"{i:05d}" for i in order],
            "region_name": [f"County {i}" for i in order],
            "rank": order + 1,
            "score": 1 - order / len(order),
        },
        geometry=counties.geometry,
        crs=counties.crs,
    )
    lon = regions.geometry.to_crs("OGC:CRS84").bounds
    regions = regions[lon["minx"].between(-125, -66) & lon["miny"].between(24, 50)]
    pixels = drawn(rank_map(tmp_path / "m.png", regions, regions.head(0), **WORDS))[1]
    assert has_colour(pixels, RANK_CLASSES[-1].colour) > 200_000

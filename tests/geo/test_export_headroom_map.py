"""Map of headroom: classes, sizes, unknown and nothing at all, and the table beside it."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from PIL import Image

from geo.errors import CrsError, GeoError
from geo.export._page import HEIGHT_PX, WIDTH_PX
from geo.export.headroom_map import headroom_by_class, headroom_map
from geo.export.palette import MEGAWATT_CLASSES, UNRANKED_COLOUR
from tests.geo.export_samples import NOTE

WORDS = {"title": "Headroom", "subtitle": "MW", "note": NOTE}


def substations(count=400):
    rng = np.random.default_rng(1)
    mid = np.where(rng.random(count) < 0.1, np.nan, rng.choice([0, 60, 300, 700, 3000], count))
    points = shapely.points(rng.uniform(-120, -75, count), rng.uniform(27, 48, count))
    return gpd.GeoDataFrame(
        {
            "kv_max": rng.choice([69.0, 138.0, 345.0], count),
            "headroom_mw_low": mid / 2,
            "headroom_mw_mid": mid,
            "headroom_mw_high": mid * 2,
        },
        geometry=points,
        crs="OGC:CRS84",
    )


def states():
    return gpd.GeoDataFrame(geometry=[shapely.box(-120, 27, -75, 48)], crs="EPSG:4269")


def drawn(path):
    with Image.open(path) as image:
        return dict(image.info), np.asarray(image.convert("RGB"))


def count_of(pixels, colour):
    rgb = [int(colour[k : k + 2], 16) for k in (1, 3, 5)]
    return int((pixels == rgb).all(axis=2).sum())


def test_every_class_is_seen_on_the_map_itself(tmp_path):
    info, pixels = drawn(headroom_map(tmp_path / "m.png", substations(), states(), **WORDS))
    assert pixels.shape == (HEIGHT_PX, WIDTH_PX, 3)
    assert info["Title"] == "Headroom"
    above_the_key = pixels[: int(0.8 * HEIGHT_PX)]
    for colour in [each.colour for each in MEGAWATT_CLASSES] + [UNRANKED_COLOUR]:
        assert count_of(above_the_key, colour) > 20, colour


def test_map_is_reproducible_and_whole(tmp_path):
    first = headroom_map(tmp_path / "a.png", substations(), states(), **WORDS)
    second = headroom_map(tmp_path / "b.png", substations(), states(), **WORDS)
    assert first.read_bytes() == second.read_bytes()
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.png", "b.png"]


def test_nothing_and_places_that_are_none_are_drawn(tmp_path):
    none = substations(3)
    none["geometry"] = [None, shapely.Point(), shapely.box(0, 0, 1, 1)]
    for frame in (none, none.head(0)):
        path = headroom_map(tmp_path / "m.png", frame, states().head(0), **WORDS)
        assert drawn(path)[1].shape == (HEIGHT_PX, WIDTH_PX, 3)


def test_table_counts_each_class_and_leaves_unknown_out_of_medians():
    frame = pd.DataFrame(
        {
            "kv_max": [138.0, 132.0, 138.0, 500.0, 236.0, np.nan],
            "headroom_mw_low": [0.0, 10.0, np.nan, np.nan, 1.0, 5.0],
            "headroom_mw_mid": [0.0, 30.0, np.nan, np.nan, 2.0, 5.0],
            "headroom_mw_high": [5.0, 50.0, np.nan, np.nan, 3.0, 5.0],
        }
    )
    table = headroom_by_class(frame).set_index("kv")
    assert table["substation_count"].to_dict() == {138: 3, 230: 1, 500: 1}
    assert table.loc[138, "median_mid_mw"] == 15.0
    assert table.loc[138, "zero_share"] == 0.5
    assert table.loc[138, "unknown_share"] == pytest.approx(1 / 3)
    assert np.isnan(table.loc[500, "median_mid_mw"])


def test_what_is_missing_is_named(tmp_path):
    with pytest.raises(GeoError, match="lack headroom_mw_mid"):
        headroom_map(
            tmp_path / "m.png", substations().drop(columns="headroom_mw_mid"), states(), **WORDS
        )
    with pytest.raises(CrsError, match="outline"):
        headroom_map(
            tmp_path / "m.png", substations(), states().set_crs(None, allow_override=True), **WORDS
        )

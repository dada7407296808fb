import numpy as np
import pandas as pd
import pytest

from geo.power.local import feeding_substations, load_by_people


def substations(*rows):
    return pd.DataFrame(rows, columns=["substation_id", "lon", "lat", "kv_max"])


A = ("a", -97.5, 30.0, 345.0)
B = ("b", -96.5, 30.0, 345.0)


def test_load_is_shared_by_import_within_reach_and_falls_to_the_nearest_beyond():
    people = pd.DataFrame({"people": [1000.0, 3000.0], "lon": [-97.5, -90.0], "lat": [30.05, 30.0]})
    where = substations(A, ("twin", -97.5, 30.1, 345.0), B, ("blind", -97.5, 30.05, 230.0))
    load = load_by_people(people, where, np.array([100.0, 300.0, 0.0, np.nan]), 2.0)
    assert load[:3] == pytest.approx([0.5, 1.5, 6.0])
    assert np.isnan(load[3])
    assert np.isnan(load_by_people(people.iloc[:0], where, np.full(4, 1.0), 2.0)).all()


def test_plants_feed_the_nearest_substation_that_can_take_their_voltage():
    where = substations(A, B, ("small", -97.505, 30.0, 138.0), ("unknown", -97.509, 30.0, np.nan))
    plant = pd.DataFrame(
        {
            "substation_id": [None, None, None, "b", None, None, None],
            "grid_kv": [345.0, 138.0, 345.0, 345.0, 34.5, np.nan, 765.0],
            "lon": [-97.51, -97.51, -98.5, -97.5, -97.51, -97.51, -97.51],
            "lat": 30.0,
        },
        index=range(10, 17),
    )
    found = feeding_substations(plant, where)
    names = [name if isinstance(name, str) else None for name in found]
    assert names == ["a", "small", None, "b", None, None, None]
    assert found.index.tolist() == plant.index.tolist()
    assert feeding_substations(plant, where.iloc[:0]).notna().sum() == 1

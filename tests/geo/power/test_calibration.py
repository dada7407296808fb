from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from geo.errors import GeoError
from geo.power.calibration import LEAST_SUBSTATIONS, Calibration, covered_share

DATA = Path(__file__).parents[3] / "data" / "reference"
# Factors of one interconnection: 0.1, 0.2 ... 10.1; their quantiles are known.
RATIO = np.linspace(0.1, 10.1, 101)


def fitted(*parts):
    """Fit to (ratio, kv, place), the estimate 200 MW everywhere."""
    ratio = np.concatenate([part[0] for part in parts])
    kv, place = (np.concatenate([np.full(len(part[0]), part[n]) for part in parts]) for n in (1, 2))
    return Calibration.fit(np.full(ratio.size, 200.0), 200.0 * ratio, kv, place)


def test_factors_of_one_interconnection_are_its_quantiles():
    found = fitted((RATIO, 138.0, "East"))
    assert found.kv.tolist() == [138]
    np.testing.assert_allclose(found.factor, [[1.1, 5.1, 9.1]])
    np.testing.assert_allclose(found.of_rest, [1.1, 5.1, 9.1])


def test_of_two_the_ends_are_the_outer_ones_and_the_middle_is_between():
    found = fitted((RATIO, 138.0, "East"), (4 * RATIO, 138.0, "West"))
    np.testing.assert_allclose(found.factor, [[1.1, 10.2, 36.4]])


def test_a_class_with_few_substations_takes_the_factors_of_all():
    few = np.full(LEAST_SUBSTATIONS - 1, 2.0)
    found = fitted((RATIO, 138.0, "East"), (few, 345.0, "East"), (few, 345.0, "West"))
    assert found.kv.tolist() == [138]
    interval = found.interval(np.array([10.0, 10.0, np.nan]), np.array([138.0, 345.0, np.nan]))
    np.testing.assert_allclose(interval[0], 10 * found.factor[0])
    np.testing.assert_allclose(interval[1], 10 * found.of_rest)
    assert np.isnan(interval[2]).all()
    assert found.of_rest[1] < found.factor[0, 1]


def test_answers_of_nothing_count_and_estimates_of_nothing_do_not():
    estimate = np.append(np.full(100, 50.0), np.zeros(40))
    answer = np.append(np.repeat([0.0, 100.0], 50), np.full(40, 7.0))
    found = Calibration.fit(estimate, answer, np.full(140, 69.0), np.full(140, "East"))
    np.testing.assert_allclose(found.of_rest, [0.0, 1.0, 2.0])


def test_too_few_substations_are_refused():
    with pytest.raises(GeoError):
        fitted((np.ones(LEAST_SUBSTATIONS - 1), 138.0, "East"))


def test_a_frame_reads_back_in_any_order_and_is_checked():
    found = fitted((RATIO, 345.0, "East"), (RATIO / 2, 138.0, "East"))
    frame = found.to_frame()
    again = Calibration.from_frame(frame.iloc[::-1])
    assert again.kv.tolist() == [138, 345]
    np.testing.assert_array_equal(again.factor, found.factor)
    np.testing.assert_array_equal(again.of_rest, found.of_rest)
    with pytest.raises(GeoError):
        Calibration.from_frame(frame.dropna(subset="kv_class"))
    with pytest.raises(GeoError):
        Calibration.from_frame(frame.assign(mid_factor=np.nan))


def test_the_covered_share_counts_both_ends():
    interval = np.array([[1.0, 2.0, 3.0]] * 4)
    assert covered_share(interval, np.array([1.0, 3.0, 3.1, 0.9])) == 0.5
    assert np.isnan(covered_share(interval[:0], np.empty(0)))


def test_the_calibration_of_own_fits_covers_four_in_five():
    rng = np.random.default_rng(1)
    estimate, kv = rng.uniform(10, 900, 5000), rng.choice([69.0, 138.0, 345.0], 5000)
    answer = estimate * rng.lognormal(0, kv / 200)
    found = Calibration.fit(estimate, answer, kv, np.full(5000, "East"))
    assert covered_share(found.interval(estimate, kv), answer) == pytest.approx(0.8, abs=0.002)


def test_frames_without_classes_of_their_own_are_read():
    frame = pd.DataFrame(
        {"kv_class": [np.nan], "low_factor": 0.1, "mid_factor": 0.5, "high_factor": 2.0}
    )
    found = Calibration.from_frame(frame).interval(np.array([100.0]), np.array([138.0]))
    assert found.tolist() == [[10, 50, 200]]


def test_the_reference_covers_every_line_class_and_says_how_well_it_holds():
    table = pd.read_csv(DATA / "import_calibration.csv")
    classes = pd.read_csv(DATA / "line_class.csv")["kv"]
    found = Calibration.from_frame(table)
    assert found.kv.tolist() == classes.tolist()
    assert (np.diff(found.factor, axis=1) > 0).all()
    covered = table.filter(like="covered_share_")
    assert covered.notna().any(axis=1).all()
    assert covered.max(axis=None) <= 1
    assert table["source"].str.contains("Texas A&M").all()

"""Headroom of substations where no network is known: what their circuits can bring in, an interval.

A circuit brings in what it can carry, and no more than its far end can: the far end's other circuits and
firm plants, less its load (the smallest cut within one circuit of the substation). N-1 import is their
sum after the loss of the circuit that takes away most; headroom is N-1 import less local load plus firm
local generation. Of lines, only ends, voltages and lengths are needed. What circuits already carry for
others is not seen, nor a corridor further off that limits a whole region: how far off that is was
measured where a load flow can be solved (`geo.power.calibration`).
"""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.errors import GeoError
from geo.geodesy import METRES_PER_MILE
from geo.power.calibration import Calibration
from geo.power.network import FIRM

# St. Clair curve: loadability / SIL = 43.261 * miles^-0.6678 (3.17 at 50 mi, 0.96 at 300).
ST_CLAIR_COEFFICIENT = 43.261
ST_CLAIR_EXPONENT = -0.6678
# Circuits of 230 kV and more without a rating span from what surge impedance loading allows to
# the thermal limit of one circuit; below, the thermal limit binds and spreads by its own factors.
BULK_KV = 220.0
# A substation serves its load today: where the estimate finds nothing left, its circuits or its load are
# not what they seem, and a tenth of what the circuits can carry stands in for it.
LEAST_SHARE = 0.1
MID = 1


@dataclass(frozen=True)
class LineClasses:
    """Capability of one circuit by voltage: arrays sorted by kV (reference/line_class.csv)."""

    kv: np.ndarray
    sil_low_mw: np.ndarray
    sil_high_mw: np.ndarray
    class_mw: np.ndarray
    thermal_mva: np.ndarray
    thermal_low_factor: np.ndarray
    thermal_high_factor: np.ndarray

    @classmethod
    def from_frame(cls, frame: pd.DataFrame) -> "LineClasses":
        """Read from a frame with one row a voltage class."""
        frame = frame.sort_values("kv")
        return cls(*(frame[name].to_numpy(dtype=float) for name in cls.__annotations__))

    def nearest(self, kv: np.ndarray) -> np.ndarray:
        """Row of the class nearest to each voltage by ratio (236 kV counts as 230, 287 as 345)."""
        ratio = np.abs(np.log(kv[:, None] / self.kv[None, :]))
        return np.argmin(ratio, axis=1)


def import_estimate(
    substation: pd.DataFrame,
    circuit: pd.DataFrame,
    plant: pd.DataFrame,
    classes: pd.DataFrame,
    calibration: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Headroom interval of every substation from circuits, loads and plants.

    A substation of which at most one circuit leads on (to where there are circuits to elsewhere) is
    counted with all in service, as the load flow leaves outages out that island something;
    `is_single_fed` tells.

    Parameters
    ----------
    substation
        `substation_id`, `kv_max` (NaN: that of its circuits) and `load_mw` (peak, NaN unknown).
    circuit
        `from_substation_id`, `to_substation_id` (missing: leads out of what is known), `kv`, `length_mi`
        (NaN unknown), and, where known, `rating_mva` and `is_dc`. Circuits of direct current, of no
        voltage or from a substation to itself bring in nothing.
    plant
        `substation_id` (missing: feeds none that is known), `fuel_kind`, `capacity_mw`.
    classes
        `reference/line_class.csv`.
    calibration
        `reference/import_calibration.csv`: the interval is then that of the load flow's answers at
        substations of the same voltage. Without it low, mid and high are those of the circuits'
        capabilities, low without the firm plants.

    Returns
    -------
    DataFrame
        One row a substation, in the order given: `substation_id`, `kv_class`, `circuit_count`,
        `neighbour_count` (substations), `is_single_fed`, `largest_circuit_mw`, `import_n1_mw` (after
        the worst loss, single-fed or not), `headroom_mw_low`, `headroom_mw_mid`, `headroom_mw_high`; MW are
        NaN where no circuit is known, and headroom where the load is not.

    Raises
    ------
    GeoError
        The calibration lacks a factor.
    """
    line_classes = LineClasses.from_frame(classes)
    ends = _Ends.of(substation, circuit, line_classes)
    load = substation["load_mw"].to_numpy(float)
    net = np.nan_to_num(-load)[:, None] + np.outer(_firm_mw(substation, plant), [0.0, 1.0, 1.0])
    whole, after = _brought_in(ends, net)
    left = np.where(ends.is_single_fed[:, None], whole, after) + net
    least = LEAST_SHARE * ends.total_mw[:, MID:]
    left[:, MID:] = np.maximum(left[:, MID:], least)
    headroom = np.maximum(left, 0.0)
    headroom[(ends.count == 0) | np.isnan(load)] = np.nan
    kv = _class_kv(substation, ends, line_classes)
    if calibration is not None:
        headroom = Calibration.from_frame(calibration).interval(headroom[:, MID], kv)
    has = ends.count > 0
    return pd.DataFrame(
        {
            "substation_id": substation["substation_id"].to_numpy(),
            "kv_class": kv,
            "circuit_count": ends.count,
            "neighbour_count": ends.neighbours,
            "is_single_fed": ends.is_single_fed,
            "largest_circuit_mw": np.where(has, ends.largest_mw, np.nan),
            "import_n1_mw": np.where(has, after[:, MID], np.nan),
            "headroom_mw_low": headroom[:, 0],
            "headroom_mw_mid": headroom[:, 1],
            "headroom_mw_high": headroom[:, 2],
        }
    )


def circuits_of_lines(line: gpd.GeoDataFrame) -> pd.DataFrame:
    """Circuits of a source that says what its lines connect: columns that `import_estimate` takes.

    Lengths are measured in the plane of EPSG:5070, within 1 %.
    """
    length_m = shapely.length(line.geometry.to_crs(5070).to_numpy()) if len(line) else np.zeros(0)
    names = ["from_substation_id", "to_substation_id", "rating_mva", "is_dc"]
    return pd.DataFrame(line[names]).assign(
        kv=line["kv_min"].to_numpy(float), length_mi=length_m / METRES_PER_MILE
    )


def circuit_capability_mw(
    kv: np.ndarray, length_mi: np.ndarray, rating_mva: np.ndarray, classes: LineClasses
) -> np.ndarray:
    """Capability of circuits as (low, mid, high), shape (n, 3), MW.

    From 220 kV up the low end is surge impedance loading, the middle the line class of reV and the
    high end the rating, or the thermal limit of the class where none is given (NaN); a rating caps
    all three. Below, a rated circuit is worth its rating, and one without spreads around its
    class. St. Clair loadability caps all, and binds long lines only.

    Parameters
    ----------
    kv
        Voltage, shape (n,), kV; must be positive.
    length_mi
        Length, shape (n,), miles; NaN (unknown) leaves St. Clair out.
    rating_mva
        Thermal rating, shape (n,), MVA; NaN when not given.
    classes
        The reference table.

    Raises
    ------
    GeoError
        A voltage is not a positive number.
    """
    thermal, st_clair = _limits_mw(kv, length_mi, rating_mva, classes)
    return np.minimum(thermal, st_clair)


def is_bound_by_length(
    kv: np.ndarray, length_mi: np.ndarray, rating_mva: np.ndarray, classes: LineClasses
) -> np.ndarray:
    """Whether St. Clair loadability, not heat, limits the middle of a circuit, shape (n,).

    Parameters and errors are those of `circuit_capability_mw`.
    """
    thermal, st_clair = _limits_mw(kv, length_mi, rating_mva, classes)
    return st_clair[:, MID] < thermal[:, MID]


def _limits_mw(
    kv: np.ndarray, length_mi: np.ndarray, rating_mva: np.ndarray, classes: LineClasses
) -> tuple[np.ndarray, np.ndarray]:
    """Thermal and St. Clair limits, each (n, 3)."""
    if not np.all(kv > 0):
        msg = "a circuit has no voltage"
        raise GeoError(msg)
    row = classes.nearest(kv)
    thermal = classes.thermal_mva[row]
    is_bulk = kv >= BULK_KV
    sil_mid = (classes.sil_low_mw[row] + classes.sil_high_mw[row]) / 2
    low = np.where(is_bulk, sil_mid, thermal * classes.thermal_low_factor[row])
    high = np.where(is_bulk, thermal, thermal * classes.thermal_high_factor[row])
    middle = np.where(np.isnan(classes.class_mw[row]), np.sqrt(low * high), classes.class_mw[row])
    mid = np.where(is_bulk, middle, thermal)
    spread = np.column_stack([low, mid, high])
    rated = rating_mva[:, None]
    # A bulk circuit's rating is its high end: stability and voltage bind before heat does. Below
    # bulk voltage heat binds, so the rating is the capability.
    limit_of_rated = np.where(is_bulk[:, None], np.minimum(spread, rated), rated)
    limit_of_rated[is_bulk, 2] = rating_mva[is_bulk]
    thermal_limit = np.where(np.isnan(rated), spread, limit_of_rated)

    with np.errstate(divide="ignore"):
        multiple = ST_CLAIR_COEFFICIENT * np.power(np.maximum(length_mi, 1e-6), ST_CLAIR_EXPONENT)
    sil = np.column_stack([classes.sil_low_mw[row], sil_mid, classes.sil_high_mw[row]])
    return thermal_limit, np.where(np.isnan(multiple)[:, None], np.inf, sil * multiple[:, None])


@dataclass(frozen=True, eq=False)
class _Ends:
    """Circuits by the substation at each of their ends.

    Attributes
    ----------
    here, there
        Substation of each pair of neighbours, from both sides, shape (pairs,); `there` is -1 for all
        circuits of a substation that lead out of what is known.
    together_mw, best_mw
        Capability of the circuits between them, and of the best one, shape (pairs, 3).
    count, neighbours
        Circuits and known neighbours of each substation.
    is_single_fed
        Whether it has circuits, and at most one to where there are others.
    total_mw
        Capability of all its circuits, shape (substations, 3).
    largest_mw, kv
        Middle capability of its largest circuit, and its highest voltage; 0 without a circuit.
    """

    here: np.ndarray
    there: np.ndarray
    together_mw: np.ndarray
    best_mw: np.ndarray
    count: np.ndarray
    neighbours: np.ndarray
    is_single_fed: np.ndarray
    total_mw: np.ndarray
    largest_mw: np.ndarray
    kv: np.ndarray

    @classmethod
    def of(cls, substation: pd.DataFrame, circuit: pd.DataFrame, classes: LineClasses) -> "_Ends":
        count = len(substation)
        number = pd.Series(np.arange(count), index=substation["substation_id"].to_numpy())
        one, other = (
            circuit[name].map(number).fillna(-1).to_numpy(np.int64)
            for name in ("from_substation_id", "to_substation_id")
        )
        kv = circuit["kv"].to_numpy(float)
        held = (kv > 0) & (one != other)
        if "is_dc" in circuit:
            held &= ~circuit["is_dc"].fillna(value=False).to_numpy(bool)
        one, other, kv = one[held], other[held], kv[held]
        unknown = np.full(len(circuit), np.nan)
        rating = circuit["rating_mva"].to_numpy(float) if "rating_mva" in circuit else unknown
        length = circuit["length_mi"].to_numpy(float)[held]
        mw = circuit_capability_mw(kv, length, rating[held], classes)
        here, there = np.concatenate([one, other]), np.concatenate([other, one])
        mw, kv = np.concatenate([mw, mw]), np.concatenate([kv, kv])
        # Sum in a fixed order so that the last bit does not depend on the order of the circuits.
        order = np.lexsort((*mw.T, there, here))
        order = order[here[order] >= 0]
        here, there, mw, kv = here[order], there[order], mw[order], kv[order]
        is_first = (np.diff(here, prepend=-1) != 0) | (np.diff(there, prepend=-2) != 0)
        pair, pairs = np.cumsum(is_first) - 1, int(is_first.sum())
        of_each = np.bincount(here, minlength=count)
        far, together = there[is_first], np.bincount(pair, minlength=pairs)
        leads_on = (far < 0) | (together < of_each[far])
        onward = np.bincount(here[is_first], together * leads_on, minlength=count)
        return cls(
            here[is_first],
            far,
            _sums(pair, mw, pairs),
            _largest(pair, mw, pairs),
            of_each,
            np.bincount(here[is_first & (there >= 0)], minlength=count),
            (of_each > 0) & (onward <= 1),
            _sums(here, mw, count),
            _largest(here, mw[:, [MID]], count)[:, 0],
            _largest(here, kv[:, None], count)[:, 0],
        )


def _brought_in(ends: _Ends, net_mw: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Bring in what can come with all in service, and after the worst loss, each (substations, 3).

    `net_mw` (substations, 3) is generation less load at each.
    """
    count = len(ends.count)
    far = ends.total_mw[ends.there] - ends.together_mw + net_mw[ends.there]
    far = np.where((ends.there < 0)[:, None], np.inf, np.maximum(far, 0.0))
    whole = np.minimum(ends.together_mw, far)
    lost = whole - np.minimum(ends.together_mw - ends.best_mw, far)
    total = _sums(ends.here, whole, count)
    return total, total - _largest(ends.here, lost, count)


def _firm_mw(substation: pd.DataFrame, plant: pd.DataFrame) -> np.ndarray:
    firm = plant[plant["fuel_kind"] == FIRM]
    # In a fixed order, as above.
    firm = firm.sort_values("capacity_mw")
    by_id = firm.groupby("substation_id")["capacity_mw"].sum()
    return substation["substation_id"].map(by_id).fillna(0.0).to_numpy(float)


def _class_kv(substation: pd.DataFrame, ends: _Ends, classes: LineClasses) -> np.ndarray:
    """Voltage class of each substation, kV; NaN where neither it nor a circuit has a voltage."""
    kv = substation["kv_max"].to_numpy(float)
    kv = np.where(kv > 0, kv, ends.kv)
    out = np.full(len(kv), np.nan)
    known = kv > 0
    out[known] = classes.kv[classes.nearest(kv[known])]
    return out


def _sums(group: np.ndarray, mw: np.ndarray, count: int) -> np.ndarray:
    columns = [np.bincount(group, column, minlength=count) for column in mw.T]
    return np.column_stack(columns)


def _largest(group: np.ndarray, mw: np.ndarray, count: int) -> np.ndarray:
    out = np.zeros((count, mw.shape[1]))
    np.maximum.at(out, group, mw)
    return out

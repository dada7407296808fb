"""Headroom of substations by the line-class method: an interval, never a point.

`N-1 import = sum of C - max C` over a substation's circuits;
`headroom = max(0, N-1 import - local load + firm local generation)`.
The method knows no power flow: it cannot see what the circuits already carry for others.
"""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.errors import GeoError
from geo.geodesy import METRES_PER_MILE

# St. Clair curve: loadability / SIL = 43.261 * miles^-0.6678 (FACTS.md; 3.17 at 50 mi, 0.96 at 300).
ST_CLAIR_COEFFICIENT = 43.261
ST_CLAIR_EXPONENT = -0.6678
# Circuits of 230 kV and more without a rating span from what surge impedance loading allows to
# the thermal limit of one circuit; below, the thermal limit binds and spreads by its own factors.
BULK_KV = 220.0


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


def substation_headroom(
    substation: pd.DataFrame, line: gpd.GeoDataFrame, plant: pd.DataFrame, classes: pd.DataFrame
) -> pd.DataFrame:
    """Headroom interval of every substation from the layers.

    Returns
    -------
    DataFrame
        `substation_id`, `circuit_count`, `largest_circuit_mw`, `import_n1_mw`, `headroom_mw_low`,
        `headroom_mw_mid`, `headroom_mw_high`; NaN where no circuit or no load is known.
    """
    number = pd.Series(np.arange(len(substation)), index=substation["substation_id"])
    ac = line[~line["is_dc"].fillna(False).astype(bool) & line["kv_min"].notna()]
    length_mi = (
        shapely.length(ac.geometry.to_crs(5070).to_numpy()) / METRES_PER_MILE
        if len(ac)
        else np.zeros(0)
    )
    capability = circuit_capability_mw(
        ac["kv_min"].to_numpy(float),
        length_mi,
        ac["rating_mva"].to_numpy(float),
        LineClasses.from_frame(classes),
    )
    ends = pd.concat([ac["from_substation_id"], ac["to_substation_id"]]).map(number)
    held = ends.notna().to_numpy()
    end_no = ends[held].to_numpy(dtype=np.int64)
    capability = np.concatenate([capability, capability])[held]
    carried = np.tile(ac["flow_mw"].to_numpy(float), 2)[held]
    firm = plant[(plant["fuel_kind"] == "firm") & plant["substation_id"].isin(number.index)]
    firm_no = number.loc[firm["substation_id"]].to_numpy()
    count = len(substation)

    def at_substation(column: str) -> np.ndarray:
        return np.bincount(firm_no, firm[column].fillna(0).to_numpy(float), minlength=count)

    interval = substation_headroom_mw(
        count,
        end_no,
        capability,
        carried,
        substation["load_mw"].to_numpy(float),
        at_substation("capacity_mw"),
        np.maximum(at_substation("dispatch_mw"), 0.0),
    )
    circuits = np.bincount(end_no, minlength=count)
    largest = np.zeros(count)
    np.maximum.at(largest, end_no, capability[:, 1])
    total = np.bincount(end_no, capability[:, 1], minlength=count)
    return pd.DataFrame(
        {
            "substation_id": substation["substation_id"].to_numpy(),
            "circuit_count": circuits,
            "largest_circuit_mw": np.where(circuits > 0, largest, np.nan),
            "import_n1_mw": np.where(circuits > 0, total - largest, np.nan),
            "headroom_mw_low": interval[:, 0],
            "headroom_mw_mid": interval[:, 1],
            "headroom_mw_high": interval[:, 2],
        }
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
    st_clair = np.where(np.isnan(multiple)[:, None], np.inf, sil * multiple[:, None])
    return np.minimum(thermal_limit, st_clair)


def substation_headroom_mw(
    substation_count: int,
    circuit_substation_no: np.ndarray,
    capability_mw: np.ndarray,
    carried_mw: np.ndarray,
    load_mw: np.ndarray,
    firm_capacity_mw: np.ndarray,
    firm_dispatch_mw: np.ndarray,
) -> np.ndarray:
    """Headroom of every substation as (low, mid, high), shape (substations, 3), MW.

    - low: N-1 import less the whole local load; where the base case is known, no more than what
      its flows leave free of the high capability, less the best circuit.
    - mid: N-1 import less the local load that local firm plants do not serve in the base case
      (what they make beyond it is sold to others).
    - high: N-1 import less local load plus all local firm capacity.

    NaN where a substation has no known circuit, or its load is unknown (NaN).

    Parameters
    ----------
    substation_count
        Number of substations.
    circuit_substation_no
        Substation of each circuit end, shape (ends,): a circuit stands once at each of its ends.
    capability_mw
        Capability of each circuit end, shape (ends, 3), from `circuit_capability_mw`.
    carried_mw
        Base-case flow of each circuit end, shape (ends,), MW, sign ignored; NaN when unknown.
    load_mw, firm_capacity_mw, firm_dispatch_mw
        Local peak load, firm capacity and firm output, shape (substations,), MW.
    """
    ends = circuit_substation_no
    net_import = _n_minus_1(substation_count, ends, capability_mw)
    has_circuit = np.bincount(ends, minlength=substation_count) > 0
    has_flows = np.bincount(ends, np.isnan(carried_mw), minlength=substation_count) == 0
    spare = np.maximum(capability_mw[:, 2:] - np.nan_to_num(np.abs(carried_mw))[:, None], 0.0)
    left_free = _n_minus_1(substation_count, ends, spare)[:, 0]
    low = net_import[:, 0] - load_mw
    low = np.where(has_flows, np.minimum(low, left_free), low)
    mid = net_import[:, 1] - np.maximum(load_mw - firm_dispatch_mw, 0.0)
    high = net_import[:, 2] - load_mw + firm_capacity_mw
    headroom = np.maximum(np.column_stack([low, mid, high]), 0.0)
    headroom[~has_circuit | np.isnan(load_mw)] = np.nan
    return np.sort(headroom, axis=1)


def _n_minus_1(count: int, ends: np.ndarray, capability_mw: np.ndarray) -> np.ndarray:
    """Sum of the circuits less the largest, per substation, shape (count, columns)."""
    total = np.zeros((count, capability_mw.shape[1]))
    largest = np.zeros_like(total)
    # Sum in a fixed order so that the last bit does not depend on the order of the circuits.
    order = np.lexsort((*capability_mw.T, ends))
    np.add.at(total, ends[order], capability_mw[order])
    np.maximum.at(largest, ends[order], capability_mw[order])
    return total - largest

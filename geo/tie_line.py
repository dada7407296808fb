"""What it costs to bring power to a parcel: a line at the connecting voltage and a substation at its end.

A first price from unit costs, in the dollars of their sources, which no step here brings to one year.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd

from geo.errors import GeoError

# More than a gigawatt at one substation does not make a site better (the training target).
USEFUL_MW = 1000.0
# Less than a watt is nothing.
LEAST_MW = 1e-6
# A route is so much longer than the straight line (ReEDS; MISO adds the same 30 %).
ROUTE_FACTOR = 1.3
# Short lines cost more a mile, by straight-line miles (reVX): under 3 mi, and from 3 to 10 mi inclusive.
SHORT_MI, SHORT_FACTOR = 3.0, 1.5
MIDDLE_MI, MIDDLE_FACTOR = 10.0, 1.2


@dataclass(frozen=True, eq=False)
class TieLineCosts:
    """Unit costs by voltage class: arrays sorted by kV (reference/tie_line.csv).

    Attributes
    ----------
    kv
        Voltage of the class.
    line_musd_per_mi
        A circuit on its own line, M$ a mile.
    substation_musd
        The substation at the line's end, M$, whatever the circuits.
    circuit_mva
        Thermal limit of one circuit.
    """

    kv: np.ndarray
    line_musd_per_mi: np.ndarray
    substation_musd: np.ndarray
    circuit_mva: np.ndarray

    @classmethod
    def from_frame(cls, frame: pd.DataFrame) -> Self:
        """Read from a frame with one row a voltage class.

        Raises
        ------
        GeoError
            There is no class, or a value is missing or not positive.
        """
        frame = frame.sort_values("kv")
        costs = cls(*(frame[name].to_numpy(dtype=float) for name in cls.__annotations__))
        if frame.empty or not all((values > 0).all() for values in vars(costs).values()):
            msg = "The costs of tie lines are empty, or one of them is missing or not above 0."
            raise GeoError(msg)
        return costs

    def tie_line_musd(self, kv: np.ndarray, straight_mi: np.ndarray, mw: np.ndarray) -> np.ndarray:
        """Cost of tie lines, M$: as many circuits as the MW take, at least one, and a substation.

        Parameters
        ----------
        kv
            Connecting voltage; the class nearest by ratio counts.
        straight_mi
            Straight-line miles; a route is `ROUTE_FACTOR` times as long.
        mw
            Power to carry, at least 0.

        Raises
        ------
        GeoError
            A voltage is not a positive number.
        """
        row = self.class_of(kv)
        circuits = np.maximum(np.ceil(mw / self.circuit_mva[row]), 1.0)
        per_mi = circuits * self.line_musd_per_mi[row]
        return per_mi * ROUTE_FACTOR * priced_mi(straight_mi) + self.substation_musd[row]

    def rate(self, kv: np.ndarray, mw: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Cost of a megawatt of at most `USEFUL_MW`, by which substations are compared.

        Circuits beyond the first count by the share in use, so the rate never rises with the MW: counted
        whole, one megawatt more could call for a circuit and make a substation a worse choice.

        Returns
        -------
        tuple
            M$ a MW and priced mile (`priced_mi`), and M$ a MW whatever the miles: 0 and infinite for less than `LEAST_MW`.
        """
        row = self.class_of(kv)
        mw = np.minimum(mw, USEFUL_MW)
        per_mi, fixed = np.zeros(mw.shape), np.full(mw.shape, np.inf)
        used_mw = np.minimum(mw, self.circuit_mva[row])
        line = self.line_musd_per_mi[row] * ROUTE_FACTOR
        np.divide(line, used_mw, out=per_mi, where=mw >= LEAST_MW)
        np.divide(self.substation_musd[row], mw, out=fixed, where=mw >= LEAST_MW)
        return per_mi, fixed

    def class_of(self, kv: np.ndarray) -> np.ndarray:
        """Give the row of the class nearest to each voltage by ratio (236 kV counts as 230, 287 as 345)."""
        kv = np.asarray(kv, dtype=float)
        if not (kv > 0).all():
            msg = "A tie line has no voltage: kV is missing or not above 0."
            raise GeoError(msg)
        return np.searchsorted(np.sqrt(self.kv[1:] * self.kv[:-1]), kv)


def priced_mi(straight_mi: np.ndarray) -> np.ndarray:
    """Miles that a line is priced for: straight ones times what short lines cost more."""
    factor = np.where(straight_mi <= MIDDLE_MI, MIDDLE_FACTOR, 1.0)
    return straight_mi * np.where(straight_mi < SHORT_MI, SHORT_FACTOR, factor)

"""The interval of an estimate, from how it compares with load flows where both can be had.

The factor of a substation is the load flow's answer over the estimate. Of each voltage class the low, mid and
high factors of one interconnection are its 10, 50 and 90 % quantiles. Of several interconnections low is their
least, mid their geometric mean and high their largest: they differ more among each other than substations
within one do, and the interval has to hold in one that was not looked at. A class with too few
substations takes the factors of all classes together, found the same way.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd

from geo.errors import GeoError

QUANTILES = (0.1, 0.5, 0.9)
# A tenth of fewer is no quantile.
LEAST_SUBSTATIONS = 30
FACTORS = ("low_factor", "mid_factor", "high_factor")


@dataclass(frozen=True, eq=False)
class Calibration:
    """Low, mid and high factors by voltage class.

    Attributes
    ----------
    kv
        Classes, ascending, shape (classes,).
    factor
        Shape (classes, 3).
    of_rest
        Factors of any other class, shape (3,).
    """

    kv: np.ndarray
    factor: np.ndarray
    of_rest: np.ndarray

    @classmethod
    def from_frame(cls, frame: pd.DataFrame) -> Self:
        """Read from columns `kv_class` (NaN: any other), `low_factor`, `mid_factor`, `high_factor`.

        Raises
        ------
        GeoError
            A factor is missing, or there is no row for any other class.
        """
        factor = frame[[*FACTORS]].to_numpy(float)
        kv = frame["kv_class"].to_numpy(float)
        if not np.isfinite(factor).all() or np.isnan(kv).sum() != 1:
            msg = (
                "The calibration needs all three factors in each row, and one row without kv_class."
            )
            raise GeoError(msg)
        order = np.argsort(kv, kind="stable")[:-1]
        return cls(kv[order], factor[order], factor[np.isnan(kv)][0])

    @classmethod
    def fit(
        cls, estimate_mw: np.ndarray, answer_mw: np.ndarray, kv: np.ndarray, place: np.ndarray
    ) -> Self:
        """Fit to load flows.

        Parameters
        ----------
        estimate_mw, answer_mw
            Estimate without a calibration (rows of 0 or NaN are left out) and load flow, shape (n,), MW.
        kv
            Voltage class, shape (n,).
        place
            Interconnection, shape (n,).

        Raises
        ------
        GeoError
            No interconnection has `LEAST_SUBSTATIONS`.
        """
        held = (estimate_mw > 0) & ~np.isnan(answer_mw)
        ratio, kv, place = answer_mw[held] / estimate_mw[held], kv[held], place[held]
        of_rest = _factors(ratio, place)
        if of_rest is None:
            msg = f"No interconnection has {LEAST_SUBSTATIONS} substations to calibrate with."
            raise GeoError(msg)
        found = {level: _factors(ratio[kv == level], place[kv == level]) for level in np.unique(kv)}
        own = {level: factor for level, factor in found.items() if factor is not None}
        return cls(np.array([*own]), np.array([*own.values()]).reshape(-1, 3), of_rest)

    def interval(self, estimate_mw: np.ndarray, kv: np.ndarray) -> np.ndarray:
        """Low, mid and high of each estimate, shape (n, 3), MW; NaN stays NaN."""
        row = np.searchsorted(self.kv, kv)
        row = np.where(np.isin(kv, self.kv), row, len(self.kv))
        factor = np.concatenate([self.factor, self.of_rest[None, :]])[row]
        return estimate_mw[:, None] * factor

    def to_frame(self) -> pd.DataFrame:
        """Columns that `from_frame` reads; the row of any other class is the last."""
        factor = np.concatenate([self.factor, self.of_rest[None, :]])
        frame = pd.DataFrame(factor, columns=[*FACTORS])
        frame.insert(0, "kv_class", np.append(self.kv, np.nan))
        return frame


def covered_share(interval_mw: np.ndarray, answer_mw: np.ndarray) -> float:
    """Share of the answers within their interval, shape (n, 3), ends included; NaN without any."""
    inside = (interval_mw[:, 0] <= answer_mw) & (answer_mw <= interval_mw[:, 2])
    return float(inside.mean()) if inside.size else np.nan


def _factors(ratio: np.ndarray, place: np.ndarray) -> np.ndarray | None:
    """Factors of one class; None where no interconnection has enough of it."""
    each = [ratio[place == name] for name in np.unique(place)]
    each = [own for own in each if own.size >= LEAST_SUBSTATIONS]
    if not each:
        return None
    low, mid, high = np.array([np.quantile(own, QUANTILES) for own in each]).T
    return np.array([low.min(), np.prod(mid) ** (1.0 / mid.size), high.max()])

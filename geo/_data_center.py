"""Metrics of existing data centers: how far the nearest is, and how many stand around a parcel."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd

from geo._around import NearestColumns
from geo.layers import Layers
from geo.parcels import Parcels
from geo.radius import RadiusIndex

DATA_CENTER_RADIUS_MI = 25.0


@dataclass(frozen=True, eq=False)
class DataCenterMetrics:
    """Existing data centers, ready to be measured against; informative, no profile of ours scores them."""

    nearest: NearestColumns
    around: RadiusIndex | None

    @classmethod
    def of(cls, layers: Layers) -> Self:
        """Prepare the searches; a study that knows no data center cannot say that there is none."""
        known = layers.data_center
        around = None
        if not known.empty:
            ones = np.ones((len(known), 1), dtype=np.int64)
            around = RadiusIndex.of(known["lon"].to_numpy(), known["lat"].to_numpy(), ones)
        return cls(NearestColumns.of(known, "data_center_mi", {}), around)

    def measure(self, parcels: Parcels) -> dict[str, Any]:
        """Miles to the nearest, and the number within the radius of the parcel's point."""
        count = pd.Series(pd.NA, index=parcels.index, dtype="Int64")
        if self.around is not None:
            sums = self.around.sums(parcels.lon, parcels.lat, (DATA_CENTER_RADIUS_MI,))
            count[:] = sums.reshape(len(parcels))
        return {**self.nearest.measure(parcels), "data_center_25mi_count": count}

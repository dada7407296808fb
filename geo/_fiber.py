"""Metrics of fiber: points of presence, exchanges and carriers around a parcel."""

from dataclasses import dataclass
from typing import Any, Self

import pandas as pd

from geo._around import NearestColumns
from geo.layers import Layers
from geo.parcels import Parcels
from geo.radius import GroupIndex

CARRIER_RADIUS_MI = 25.0


@dataclass(frozen=True, eq=False)
class FiberMetrics:
    """Points of presence and exchanges, ready to be measured against."""

    pop: NearestColumns
    ixp: NearestColumns
    carriers: GroupIndex | None

    @classmethod
    def of(cls, layers: Layers) -> Self:
        """Prepare the searches."""
        # Research networks stand in the layer, but sell to nobody.
        pop = layers.pop[layers.pop["carrier_kind"] == "carrier"]
        carriers = None
        if not pop.empty:
            carriers = GroupIndex.of(
                pop["lon"].to_numpy(), pop["lat"].to_numpy(), pd.factorize(pop["carrier_id"])[0]
            )
        ixp = {"ixp_id": "ixp_id", "ixp_name": "ixp_name", "ixp_is_inferred": "is_inferred"}
        return cls(
            NearestColumns.of(pop, "pop_mi", {"pop_id": "pop_id", "pop_carrier": "carrier_name"}),
            NearestColumns.of(layers.ixp, "ixp_mi", ixp),
            carriers,
        )

    def measure(self, parcels: Parcels) -> dict[str, Any]:
        """Nearest carrier PoP and exchange, and distinct carriers around."""
        count = pd.Series(pd.NA, index=parcels.index, dtype="Int64")
        if self.carriers is not None:
            count[:] = self.carriers.distinct(parcels.lon, parcels.lat, CARRIER_RADIUS_MI)
        return {
            **self.pop.measure(parcels),
            "carrier_25mi_count": count,
            **self.ixp.measure(parcels),
        }

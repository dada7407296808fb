"""What the tests of the load flow have in common."""

import numpy as np
from hypothesis import HealthCheck, Phase, settings

from geo.power.network import Network, RatingRules
from tests.oracle import power as plain

RULES = RatingRules(
    np.array(plain.LINE_KV),
    np.array(plain.LINE_MVA),
    plain.LINE_SPREAD,
    plain.AMPERES,
    plain.OF_FLOW,
)
# Shrinking a whole network takes minutes.
ODD = settings(
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)


def network_of(frames):
    return Network.from_frames(*frames.all(), RULES)


def shuffled(frames, seed=0):
    """Give the same rows in another order."""
    rng = np.random.default_rng(seed)
    return plain.Frames(
        *(frame.iloc[rng.permutation(len(frame))].reset_index(drop=True) for frame in frames.all())
    )


def line(name, one, other, x=0.1, **more):
    return {"branch_id": name, "branch_kind": "line", "from_bus_id": one, "to_bus_id": other,
            "x_pu": x, "is_in_service": True} | more  # fmt: skip


def bus(name, load=0.0, kv=138.0, **more):
    return {"bus_id": name, "kv": kv, "load_mw": load} | more


def unit(name, at, capacity, dispatch=0.0, **more):
    return {"plant_id": name, "bus_id": at, "capacity_mw": capacity, "dispatch_mw": dispatch,
            "fuel_kind": "firm", "is_in_service": True} | more  # fmt: skip

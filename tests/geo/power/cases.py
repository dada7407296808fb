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


def pypsa_of(frames):
    """Give the same case to PyPSA, on its base of 1 MVA; islands as its sub-networks."""
    import pypsa

    pypsa.options.api.legacy_string_dtype = False
    network, branch = pypsa.Network(), frames.branch
    network.add("Bus", frames.bus["bus_id"].tolist(), v_nom=1.0)
    network.add(
        "Transformer",
        branch["branch_id"].tolist(),
        bus0=branch["from_bus_id"].tolist(),
        bus1=branch["to_bus_id"].tolist(),
        x=branch["x_pu"].to_numpy() / 100.0,
        s_nom=1.0,
        model="t",
        tap_ratio=branch["tap_ratio"].fillna(1.0).to_numpy(),
        phase_shift=branch["phase_shift_deg"].fillna(0.0).to_numpy(),
    )
    units = frames.plant
    network.add("Load", frames.bus["bus_id"].tolist(), bus=frames.bus["bus_id"].tolist(),
                p_set=frames.bus["load_mw"].fillna(0.0).to_numpy())  # fmt: skip
    network.add("Generator", units["plant_id"].tolist(), bus=units["bus_id"].tolist(),
                p_set=units["dispatch_mw"].fillna(0.0).to_numpy())  # fmt: skip
    network.determine_network_topology()
    return network


def pypsa_parts(network):
    """Each island as PyPSA has it: its branch and bus ids, and PTDF and BODF with their rows named."""
    for part in network.c.sub_networks.static["obj"]:
        names = part.branches_i().get_level_values("name")
        if len(names):
            part.calculate_PTDF()
            with np.errstate(divide="ignore", invalid="ignore"):
                part.calculate_BODF()
            yield names, part.buses_o, part.PTDF, part.BODF

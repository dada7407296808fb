"""PyPSA networks as frames of plain values, per unit on 100 MVA; imported only where one is read."""

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pypsa

from data import archive
from data.errors import ReadError

BASE_MVA = 100.0
# A network of cities in metres, or of nothing, has x and y too.
MAX_DEGREES = (180.0, 90.0)


# PyPSA changes how it holds text, and warns until it is told which way; either is read here.
TEXT = ("api.legacy_string_dtype", False)


def read_network(path: Path, label: str) -> dict[str, pd.DataFrame]:
    """Read the buses, branches, generators and links of a network, at its first snapshot.

    Raises
    ------
    ReadError
        The file is no network, or has no bus or no line.
    """
    with pypsa.option_context(*TEXT):
        return _frames(_open(path, label), label)


def _frames(network: pypsa.Network, label: str) -> dict[str, pd.DataFrame]:
    if network.buses.empty or (network.lines.empty and network.transformers.empty):
        message = f"{label} has no buses, or no lines and transformers."
        raise ReadError(message, "Give a whole PyPSA network: buses, lines, generators and loads.")
    network.calculate_dependent_values()
    branch = pd.concat([_lines(network), _transformers(network)], ignore_index=True)
    gen = pd.concat([_generators(network), _storage(network)], ignore_index=True)
    return {"bus": _buses(network), "branch": branch, "gen": gen, "dcline": _links(network)}


def _open(path: Path, label: str) -> pypsa.Network:
    try:
        if path.suffix.lower() != ".zip":
            return pypsa.Network(path)
        members = list(archive.list_members(path))
        where = next((name for name in members if Path(name).name == "buses.csv"), None)
        if where is None:
            message = f"{label} holds no buses.csv."
            raise ReadError(message, "Zip the folder that export_to_csv_folder wrote.")
        with tempfile.TemporaryDirectory(prefix="gridstead-") as folder:
            archive.extract_members(path, members, Path(folder))
            return pypsa.Network((Path(folder) / where).parent)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        said = (str(error) or type(error).__name__).splitlines()[0]
        message = f"{label} cannot be read as a PyPSA network: {said}"
        hint = (
            "Give what export_to_netcdf wrote (.nc), or the zipped folder of export_to_csv_folder."
        )
        raise ReadError(message, hint) from error


def _first(network: pypsa.Network, component: str, attribute: str) -> pd.Series:
    """Values at the first snapshot; NaN where nothing varies, or nothing was solved."""
    table = network.components[component].dynamic.get(attribute, pd.DataFrame())
    static = network.components[component].static
    if table.empty:
        return pd.Series(np.nan, index=static.index)
    return table.iloc[0].reindex(static.index)


def _given(network: pypsa.Network, component: str, attribute: str) -> pd.Series:
    """Values at the first snapshot, those that do not vary as they stand."""
    static = network.components[component].static[attribute]
    return _first(network, component, attribute).fillna(static)


def _buses(network: pypsa.Network) -> pd.DataFrame:
    bus = network.buses
    load = _given(network, "loads", "p_set") * network.loads["sign"] * -1.0
    load = load[network.loads["active"].astype(bool)]
    at = network.loads["bus"].reindex(load.index)
    x, y = bus["x"].astype(float), bus["y"].astype(float)
    is_place = ((x != 0) | (y != 0)) & (x.abs() <= MAX_DEGREES[0]) & (y.abs() <= MAX_DEGREES[1])
    is_degrees = bool((x.abs() <= MAX_DEGREES[0]).all() and (y.abs() <= MAX_DEGREES[1]).all())
    return pd.DataFrame(
        {
            "bus_id": bus.index.astype(str),
            "name": None,
            "kv": _positive(bus["v_nom"]),
            "load_mw": load.groupby(at).sum().reindex(bus.index).fillna(0.0),
            "area": bus["country"].replace("", None) if "country" in bus else None,
            "carrier": bus["carrier"].astype(str),
            "lon": x.where(is_place & is_degrees),
            "lat": y.where(is_place & is_degrees),
        }
    ).reset_index(drop=True)


def _lines(network: pypsa.Network) -> pd.DataFrame:
    line = network.lines
    return _branches(network, "lines", "line").assign(
        # PyPSA's per unit is on 1 MVA; types and parallel circuits are in it already.
        r_pu=(line["r_pu"] * BASE_MVA).to_numpy(float),
        x_pu=(line["x_pu"] * BASE_MVA).to_numpy(float),
        tap_ratio=1.0,
        phase_shift_deg=0.0,
    )


def _transformers(network: pypsa.Network) -> pd.DataFrame:
    transformer = network.transformers
    return _branches(network, "transformers", "transformer").assign(
        r_pu=(transformer["r_pu"] * BASE_MVA).to_numpy(float),
        x_pu=(transformer["x_pu"] * BASE_MVA).to_numpy(float),
        tap_ratio=transformer["tap_ratio"].to_numpy(float),
        phase_shift_deg=transformer["phase_shift"].to_numpy(float),
    )


def _branches(network: pypsa.Network, component: str, kind: str) -> pd.DataFrame:
    branch = network.components[component].static
    rating = branch["s_nom"] * _given(network, component, "s_max_pu")
    return pd.DataFrame(
        {
            # Lines and transformers may share a name.
            "branch_id": [f"{kind} {name}" for name in branch.index],
            "branch_kind": kind,
            "from_bus_id": branch["bus0"].astype(str),
            "to_bus_id": branch["bus1"].astype(str),
            "rating_mva": _positive(rating),
            "flow_mw": _first(network, component, "p0"),
            "status": branch["active"].astype(float),
        }
    ).reset_index(drop=True)


def _generators(network: pypsa.Network) -> pd.DataFrame:
    generator = network.generators
    dispatch = _first(network, "generators", "p").fillna(_given(network, "generators", "p_set"))
    return _units(network, "generators", generator["carrier"], dispatch)


def _storage(network: pypsa.Network) -> pd.DataFrame:
    dispatch = _first(network, "storage_units", "p")
    return _units(network, "storage_units", "storage", dispatch)


def _units(
    network: pypsa.Network, component: str, fuel: "pd.Series | str", dispatch: pd.Series
) -> pd.DataFrame:
    unit = network.components[component].static
    return pd.DataFrame(
        {
            "plant_id": [f"{component} {name}" for name in unit.index],
            "name": unit.index.astype(str),
            "bus_id": unit["bus"].astype(str),
            "fuel": fuel,
            "capacity_mw": unit["p_nom"].astype(float),
            "dispatch_mw": dispatch.astype(float),
            "status": unit["active"].astype(float),
        }
    ).reset_index(drop=True)


def _links(network: pypsa.Network) -> pd.DataFrame:
    link = network.links
    size = link["p_nom"].astype(float)
    return pd.DataFrame(
        {
            "dc_tie_id": link.index.astype(str),
            "from_bus_id": link["bus0"].astype(str),
            "to_bus_id": link["bus1"].astype(str),
            "min_mw": size * _given(network, "links", "p_min_pu"),
            "max_mw": size * _given(network, "links", "p_max_pu"),
            "flow_mw": _first(network, "links", "p0"),
            "status": link["active"].astype(float),
            "carrier": link["carrier"].astype(str),
        }
    ).reset_index(drop=True)


def _positive(column: pd.Series) -> pd.Series:
    """Values above 0; 0 is how PyPSA writes none."""
    return column.astype(float).where(column.astype(float) > 0)

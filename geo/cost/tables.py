"""Reference tables of costs made one table: a row a parameter, in the units that the terms take."""

from collections.abc import Mapping

import pandas as pd

from geo.errors import GeoError

COLUMNS = ("name", "at_x", "low", "mid", "high", "unit", "dollar_year", "kind", "source")
USD_PER_MUSD = 1e6
# Who gives the prices and queues of a study: its counties, or its states alone.
BASES = ("county", "state")
# Prices of laterals are of 2025 (FBA/Cartesian); the table of latency says so in words.
FIBER_DOLLAR_YEAR = 2025
# Rows of the table of latency that say how far nodes are looked for, and how far the farthest is.
REACHES = {"fiber_reach_mi": "node_reach_mi", "fiber_farthest_mi": "backhaul_reach_mi"}


def cost_frame(
    tables: Mapping[str, pd.DataFrame], *, basis: str = "state", gpu: str = "b200"
) -> pd.DataFrame:
    """Join the tables of reference/ into the one that `CostRules` reads.

    Parameters
    ----------
    tables
        `cost`, `tie_line`, `latency`, `pue` and `gpu`, as the files of these names.
    basis
        `county` where prices and queues of the metrics are of counties, `state` where they are of states.
    gpu
        Row of `gpu` that servers are made of.

    Returns
    -------
    pd.DataFrame
        Columns `COLUMNS`, each row in the dollars of its own source. `at_x` is what a row of a curve is for:
        kV of lines, substations and circuits, percent of slope, cooling degree days.

    Raises
    ------
    GeoError
        The basis is unknown, or no row has the name of the GPU.
    """
    if basis not in BASES:
        msg = f"Prices are of a county or of a state, not of {basis!r}."
        raise GeoError(msg)
    cost = tables["cost"]
    plain = cost[cost["basis"].isna() | (cost["basis"] == basis)]
    parts = [
        plain,
        *_tie_line_rows(tables["tie_line"]),
        _fiber_rows(tables["latency"]),
        _pue_rows(tables["pue"]),
        _gpu_rows(tables["gpu"], gpu),
    ]
    frame = pd.concat([part.reindex(columns=[*COLUMNS]) for part in parts], ignore_index=True)
    numbers = dict.fromkeys(("at_x", "low", "mid", "high"), "float64")
    return frame.astype({**numbers, "dollar_year": "Int64"})


def _tie_line_rows(frame: pd.DataFrame) -> list[pd.DataFrame]:
    """Price guides by voltage: one value each, whose interval is `tie_line_cost_factor`."""
    taken = {
        "line_usd_per_mi": ("line_musd_per_mi", USD_PER_MUSD, "usd/mi", "line_dollar_year"),
        "substation_usd": ("substation_musd", USD_PER_MUSD, "usd", "substation_dollar_year"),
        "circuit_mva": ("circuit_mva", 1.0, "MVA", None),
    }
    return [
        pd.DataFrame(
            {
                "name": name,
                "at_x": frame["kv"],
                **dict.fromkeys(("low", "mid", "high"), frame[column] * scale),
                "unit": unit,
                "dollar_year": frame[year] if year else None,
                "kind": "survey" if year else "standard",
                "source": frame["source"],
            }
        )
        for name, (column, scale, unit, year) in taken.items()
    ]


def _fiber_rows(latency: pd.DataFrame) -> pd.DataFrame:
    """Price of a straight mile of fiber (route factor x price of a route mile), and its reaches."""
    row = latency.set_index("name")
    ends = ["low", "mid", "high"]
    usd = row.loc["lateral_factor", ends] * row.loc["lateral_musd_per_mi", ends] * USD_PER_MUSD
    rows = [
        {
            "name": "fiber_usd_per_mi",
            **usd.astype(float),
            "unit": "usd/mi",
            "dollar_year": FIBER_DOLLAR_YEAR,
            "kind": row.loc["lateral_musd_per_mi", "kind"],
            "source": "latency.csv, lateral_factor x lateral_musd_per_mi: "
            + str(row.loc["lateral_musd_per_mi", "source"]),
        }
    ]
    rows += [
        {
            "name": name,
            **row.loc[theirs, ends].astype(float),
            "unit": "mi",
            **row.loc[theirs, ["kind", "source"]],
        }
        for name, theirs in REACHES.items()
    ]
    return pd.DataFrame(rows)


def _pue_rows(pue: pd.DataFrame) -> pd.DataFrame:
    """PUE by cooling degree days; the middle is halfway between the best and the worst."""
    return pd.DataFrame(
        {
            "name": "pue",
            "at_x": pue["cooling_degree_days_65f"],
            "low": pue["pue_best"],
            "mid": (pue["pue_best"] + pue["pue_worst"]) / 2.0,
            "high": pue["pue_worst"],
            "unit": "share",
            "kind": "survey",
            "source": pue["climate_zone"] + " " + pue["city"] + ": " + pue["source"],
        }
    )


def _gpu_rows(gpus: pd.DataFrame, gpu: str) -> pd.DataFrame:
    found = gpus[gpus["gpu"] == gpu]
    if len(found) != 1:
        msg = f"There is no GPU {gpu!r}; known are {', '.join(gpus['gpu'])}."
        raise GeoError(msg)
    row = found.iloc[0]
    taken = {
        "gpu_kw": ("kw", "kw", "kw", "kW", None),
        "gpu_usd": ("usd_low", "usd_mid", "usd_high", "usd", row["dollar_year"]),
        "gpu_life_years": ("life_years", "life_years", "life_years", "years", None),
        "gpu_utilisation": (
            *("utilisation_low", "utilisation_mid", "utilisation_high"),
            *("share", None),
        ),
    }
    return pd.DataFrame(
        [
            {
                "name": name,
                "low": row[low],
                "mid": row[mid],
                "high": row[high],
                "unit": unit,
                "dollar_year": year,
                "kind": row["kind"],
                "source": f"{row['gpu_name']}: {row['source']}",
            }
            for name, (low, mid, high, unit, year) in taken.items()
        ]
    )

"""The answer to whether real sites lie where a ranking says: AUC and lift beside plain baselines."""

from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from data import store
from data.errors import InputError, UsageError
from flows.asking import honest
from flows.backtest_sites import Sites, place_sites, read_sites
from flows.backtest_standing import (
    BASELINES,
    COUNT,
    MATCHES,
    MEASURES,
    PUBLISHED,
    RANDOM,
    TESTED,
    UNGATED,
    Standing,
)
from flows.exporting import require_workload
from flows.reporting import rows_of
from flows.show import Shown, records
from geo.decide.backtest import TOP_SHARES
from geo.decide.draws import SEED, Draws

# Layers of buildings that hold data centers, exchanges among them.
PRESENCE_LAYERS = ("data_center", "facility", "ixp")
# Metrics of this layer are measured over the fiber graph, of which these layers are nodes.
GRAPH_BY = "carrier_link"
GRAPH_LAYERS = ("facility", "ixp")
FEW = 10
SHOWN_SITES = 40
SAID = {
    "ahead": "It beats {what}: the intervals do not overlap.",
    "behind": "It does worse than {what}: the intervals do not overlap.",
    "ahead_in_pairs": (
        "It does not beat {what} beyond doubt: the intervals overlap, though over the same draws of sites it is ahead."
    ),
    "behind_in_pairs": (
        "It does not beat {what}: the intervals overlap, and over the same draws of sites it is behind."
    ),
    "no_difference": "It does not beat {what}: the intervals overlap.",
}

SAID_OF_CHANCE = {
    "ahead": "It beats random land: its interval lies above 0.5.",
    "behind": "It does worse than random land: its interval lies below 0.5.",
    "no_difference": "It does not beat random land: its interval holds 0.5.",
}


def backtest(
    build: Path, path: Path, workload: str, *, match: str = "state", seed: int = SEED
) -> Shown:
    """Tell where the sites of a file fall in the ranking of a workload, against matched land.

    What is tested leaves out every metric that rests on where data centers stand.

    Parameters
    ----------
    build
        Published build.
    path
        Points or polygons.
    workload
        Workload of the build.
    match
        What land a site is compared with: of its `state`, as far from a `metro`, or `all`.
    seed
        Of the bootstrap.

    Raises
    ------
    UsageError
        The build has no such workload, there is no such match, or nothing of the profile can be tested.
    InputError
        The file cannot be used, or no site lies in the build.
    """
    if match not in MATCHES:
        msg = f"{match!r} is nothing to match by."
        raise UsageError(msg, f"Match by: {', '.join(MATCHES)}.")
    if seed < 0:
        msg = f"--seed {seed} is below 0."
        raise UsageError(msg, "Give a whole number from 0.")
    sites = read_sites(path)
    with store.open_build(build) as con:
        require_workload(con, workload)
        run = rows_of(con, "query/run")[0]
        uses = metrics_in_use(con, workload)
        parcel = store.query_file(con, "query/backtest_parcel", {"workload": workload}).df()
        parcel_no = place_sites(con, sites, *parcel[["lon", "lat"]].to_numpy(float).T)
        if not (parcel_no >= 0).any():
            msg = f"None of the {len(parcel_no):,} sites of {path} lies in the build."
            raise InputError(
                msg, "GeoJSON writes longitude first; the build may be of another area."
            )
        tested = _without(con, workload, uses, parcel)
    test = Standing.of(parcel, tested, parcel_no[parcel_no >= 0], Draws(COUNT, seed))
    return _shown(workload, match, sites, uses, test, parcel_no, run, seed)


def metrics_in_use(con: duckdb.DuckDBPyConnection, workload: str) -> list[dict[str, Any]]:
    """Factors and gates of a workload, with why they are dropped: None where they are kept.

    What a metric rests on is what `meta.metric.layer` says. Metrics that are measured over the fiber graph
    are dropped as well where the build has exchanges or facilities: paths end and change carrier there.
    """
    layers = {"presence_layers": list(PRESENCE_LAYERS), "graph_layers": list(GRAPH_LAYERS)}
    params = {"workload": workload, "graph_by": GRAPH_BY} | layers
    rows = rows_of(con, "query/backtest_metric", params)
    for row in rows:
        direct, graph = row.pop("measured_from"), row.pop("graph_holds")
        row["dropped_why"] = None
        if direct:
            row["dropped_why"] = f"measured from {' and '.join(direct)}"
        elif graph:
            row["dropped_why"] = f"measured over the fiber graph, which holds {' and '.join(graph)}"
    return rows


def _without(
    con: duckdb.DuckDBPyConnection,
    workload: str,
    uses: list[dict[str, Any]],
    parcel: pd.DataFrame,
) -> pd.DataFrame:
    """Scores and gates of what is tested, in the order of `parcel`."""
    dropped = [row["metric"] for row in uses if row["dropped_why"]]
    names = ["score_e9", "gate_status", "gates_failed"]
    if not dropped:
        return parcel[names]
    if all(row["dropped_why"] for row in uses if row["kind"] == "factor"):
        msg = f"Every factor of {workload!r} rests on where data centers stand: nothing is left to test."
        raise UsageError(msg, "Test another workload.")
    params = {"workload": workload, "dropped": dropped}
    return store.query_file(con, "query/backtest_score", params).df()[names]


def _shown(
    workload: str,
    match: str,
    sites: Sites,
    uses: list[dict[str, Any]],
    test: Standing,
    parcel_no: np.ndarray,
    run: dict[str, Any],
    seed: int,
) -> Shown:
    dropped = [row for row in uses if row["dropped_why"]]
    outside = sites.name[parcel_no < 0].tolist()
    rows = _site_rows(sites.name[parcel_no >= 0], test, match)
    estimates = [row for each in MATCHES for row in test.estimates(each)]
    verdicts = test.verdicts(match)
    warnings = _warnings(rows, outside, sites.unusable)
    names = _labels(workload, bool(dropped))
    payload = {
        "workload": workload,
        "match": match,
        "site_count": len(sites.name),
        "placed_count": len(rows),
        "failed_gate_count": sum(row["gate_status"] == "fail" for row in rows),
        "outside": outside,
        "unusable": list(sites.unusable),
        "dropped": dropped,
        "weight_dropped": sum(row["weight"] or 0.0 for row in dropped),
        "estimates": estimates,
        "verdicts": verdicts,
        "warnings": warnings,
        "sites": rows,
        "draws": COUNT,
        "seed": seed,
        "run": {name: run[name] for name in ("run_id", "study", "is_synthetic", "limits")},
    }
    shown = Shown(
        f"{workload}: {len(rows):,} sites against {MATCHES[match]}",
        _told(estimates, names, match, is_twice=bool(dropped)),
        columns={
            "ranking": "ranking",
            "auc": "AUC (95 %)",
            **{f"lift_{share * 100:g}pct": f"lift at {share:.0%}" for share in TOP_SHARES},
            **{f"auc_{each}": f"AUC, by {each}" for each in MATCHES if each != match},
        },
        notes=[
            *_verdict_notes(rows, estimates, verdicts, match),
            *_dropped_notes(workload, dropped),
            *[f"Mind: {warning}" for warning in warnings],
        ],
        payload=payload,
    )
    shown.sections.append(_site_section(rows))
    shown.sections.append(Shown("", notes=[*HOW.splitlines(), *honest(run)]))
    return shown


HOW = """\
AUC is the share of matched land, by developable acres, that ranks below a site; 0.5 is chance. Lift is how \
often sites are in the top 1, 5 and 10 % of their matched land, over how often land is.
Intervals are of a bootstrap that draws whole counties of sites. Land that holds a site is not compared with. \
Parcels that fail a gate are last and level.
Substations and carriers may themselves have followed data centers; no map tells which did."""


def _labels(workload: str, has_dropped: bool) -> dict[str, str]:
    tested = f"{workload}, without what follows data centers" if has_dropped else workload
    published = f"{workload}, as published"
    return {
        TESTED: tested,
        UNGATED: "the same score, gates ignored",
        PUBLISHED: published,
        **BASELINES,
        RANDOM: "random land",
    }


def _told(
    estimates: list[dict[str, Any]], names: dict[str, str], match: str, *, is_twice: bool
) -> list[dict[str, Any]]:
    """Put the estimates of one match in words, with the AUC of the other matches beside."""
    told = []
    for name, label in names.items():
        if name == PUBLISHED and not is_twice:
            continue
        of_name = {row["match"]: row for row in estimates if row["ranking"] == name}
        row: dict[str, Any] = {"ranking": label}
        if match in of_name:
            row |= {measure: _span(of_name[match], measure) for measure in MEASURES}
        row |= {f"auc_{each}": _span(found, "auc") for each, found in of_name.items()}
        told.append(row)
    return told


def _span(row: dict[str, Any], measure: str) -> str:
    digits = 2 if measure == "auc" else 1
    middle, low, high = (row[f"{measure}{end}"] for end in ("", "_low", "_high"))
    return f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def _site_rows(names: np.ndarray, test: Standing, match: str) -> list[dict[str, Any]]:
    """One row a site that lies in the build, the best first."""
    rank, ranked_count = test.ranks()
    found = test.parcel.iloc[test.site]
    tested = test.tested.iloc[test.site]
    rows = pd.DataFrame(
        {
            "site": names,
            "parcel_id": found["parcel_id"].to_numpy(),
            "parcel_name": found["parcel_name"].to_numpy(),
            "state_id": found["state_id"].to_numpy(),
            "county_id": found["county_id"].to_numpy(),
            "rank": rank[test.site],
            "ranked_count": ranked_count,
            "published_rank": found["rank"].to_numpy(float),
            "gate_status": tested["gate_status"].to_numpy(),
            "gates_failed": [list(failed) for failed in tested["gates_failed"]],
            **{f"beats_share_{each}": test.places[each][TESTED].wins() for each in MATCHES},
        }
    )
    rows = rows.sort_values([f"beats_share_{match}", "site"], ascending=[False, True])
    told = records(rows)
    for row in told:
        row["rank"] = row["rank"] or None
        row["published_rank"] = row["published_rank"] and int(row["published_rank"])
        row["beats_pct"] = (
            None
            if row[f"beats_share_{match}"] is None
            else round(100 * row[f"beats_share_{match}"], 1)
        )
    return told


def _site_section(rows: list[dict[str, Any]]) -> Shown:
    columns = {
        "site": "site",
        "parcel_id": "parcel",
        "state_id": "state",
        "rank": f"rank of {rows[0]['ranked_count']:,}",
        "beats_pct": "beats % of matched land",
        "gate_status": "gates",
        "gates_failed": "failed",
    }
    left = len(rows) - SHOWN_SITES
    notes = [f"{left:,} more sites: see --json."] if left > 0 else []
    return Shown("Sites, the best first", rows[:SHOWN_SITES], columns=columns, notes=notes)


def _verdict_notes(
    rows: list[dict[str, Any]],
    estimates: list[dict[str, Any]],
    verdicts: dict[str, str],
    match: str,
) -> list[str]:
    if not verdicts:
        return ["No land of the build is left to compare these sites with."]
    tested = next(r for r in estimates if r["ranking"] == TESTED and r["match"] == match)
    failed = sum(row["gate_status"] == "fail" for row in rows)
    low, high = tested["auc_low"], tested["auc_high"]
    notes = [
        f"A site ranks above {tested['auc']:.0%} of its matched land ({low:.0%} to {high:.0%}).",
        *[SAID[verdicts[name]].format(what=what) for name, what in BASELINES.items()],
        SAID_OF_CHANCE[verdicts[RANDOM]],
    ]
    if failed:
        notes.append(f"{failed:,} of {len(rows):,} sites stand on parcels that fail a gate.")
    return notes


def _dropped_notes(workload: str, dropped: list[dict[str, Any]]) -> list[str]:
    if not dropped:
        return [f"No metric of {workload} rests on data centers, facilities or exchanges."]
    by_why: dict[str, list[str]] = {}
    for row in dropped:
        what = "gate" if row["kind"] == "gate" else f"weight {row['weight']:.2f}"
        by_why.setdefault(row["dropped_why"], []).append(f"{row['metric']} ({what})")
    return [f"Left out, as {why}: {', '.join(names)}." for why, names in by_why.items()]


def _warnings(
    rows: list[dict[str, Any]], outside: list[str], unusable: tuple[str, ...]
) -> list[str]:
    found = []
    counties = {row["county_id"] for row in rows}
    states = {row["state_id"] for row in rows}
    parcels = {row["parcel_id"] for row in rows}
    if len(rows) < FEW:
        found.append(f"{len(rows)} sites are few: an interval of under {FEW} says little.")
    elif len(counties) < FEW:
        found.append(f"the sites stand in {len(counties)} counties only: the interval says little.")
    if len(states) == 1:
        found.append(
            f"all sites stand in {', '.join(map(str, states))}: the result says nothing of other states, and "
            "what is known by state alone, such as prices, cannot tell land apart there."
        )
    if len(parcels) < len(rows):
        found.append(f"{len(rows):,} sites stand on {len(parcels):,} parcels.")
    unmatched = [row["site"] for row in rows if row["beats_pct"] is None]
    for what, names in (
        ("lie outside of the build and are not counted", outside),
        ("have no land to be compared with and are not counted", unmatched),
        ("cannot be used", list(unusable)),
    ):
        if names:
            more = f" and {len(names) - FEW:,} more" if len(names) > FEW else ""
            found.append(f"{len(names):,} sites {what}: {', '.join(names[:FEW])}{more}.")
    return found

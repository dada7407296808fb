"""How assessed sites are told: a table, and of a few sites all of their uses."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from data.site_list import read_sites
from flows.asking import honest
from flows.assess import Assessed, assess_list
from flows.show import Shown

# Of more sites the table is shown alone.
SHOWN_SITES = 5
# A thousand rows take longer to draw than to work out, and nobody reads them.
SHOWN_ROWS = 50
SHOWN_PROBLEMS = 20
COLUMNS = {
    "name": "site",
    "power": "MW",
    "best_use": "best use",
    "rank": "rank there",
    "percentile": "percentile",
    "fits": "fits",
    "fits_if": "may fit",
    "fix_first": "fix first",
}
USE_COLUMNS = {
    "use": "use",
    "gate_status": "gates",
    "score_low": "score",
    "score_high": "up to",
    "percentile_low": "percentile",
    "rank": "rank",
    "disqualified_by": "disqualified by",
    "needs_text": "still needs",
}
COST_COLUMN = {"cost_text": "cost"}


def assess(build: Path, sites: Path) -> tuple[Shown, Assessed]:
    """Tell what each site of a list is good for: what disqualifies it, what it lacks, and its best use.

    Raises
    ------
    InputError
        The list cannot be read, no row of it is good, or no site lies in the study.
    """
    assessed = assess_list(build, read_sites(sites))
    told = assessed.sites
    payload = {
        "sites": told,
        "rejected": assessed.listed.rejected.to_dict("records"),
        "candidates": {name: each.candidate_count for name, each in assessed.profiles.items()},
        "run": {name: assessed.run[name] for name in ("run_id", "study", "is_synthetic", "limits")},
    }
    shown = Shown(
        f"{len(told):,} {'site' if len(told) == 1 else 'sites'} of {assessed.listed.file}",
        [_summary(each) for each in told[:SHOWN_ROWS]],
        columns=COLUMNS | (COST_COLUMN if assessed.costs else {}),
        notes=_notes(assessed),
        payload=payload,
    )
    if len(told) <= SHOWN_SITES:
        shown.sections += [_section(each) for each in told]
    shown.sections.append(Shown("", notes=honest(assessed.run)))
    return shown, assessed


def _summary(site: Mapping[str, Any]) -> dict[str, Any]:
    """One row of the table."""
    use = next((each for each in site["uses"] if each["use"] == site["best_use"]), {})
    names = {
        status: [each["use"] for each in site["uses"] if each["gate_status"] == status]
        for status in ("pass", "unknown")
    }
    return {
        "name": site["name"],
        "power": _power_text(site),
        "best_use": site["best_use"],
        "rank": use.get("rank"),
        "percentile": use.get("percentile_low"),
        "fits": ", ".join(names["pass"]) or None,
        "fits_if": ", ".join(names["unknown"]) or None,
        "fix_first": site["fix_first"] or site["note"],
        "cost_text": _cost(use),
    }


def _cost(use: Mapping[str, Any]) -> str | None:
    """Middle cost of a use, short."""
    if use.get("cost_mid") is None:
        return None
    return f"{use['cost_mid']:,.0f} {use['cost_unit']}"


def _power_text(site: Mapping[str, Any]) -> str | None:
    if site["is_energized"]:
        return f"{site['energized_mw']:,.0f} energised"
    if site["mw_mid"] is None:
        return None
    return f"{site['mw_low']:,.0f} / {site['mw_mid']:,.0f} / {site['mw_high']:,.0f} of the grid"


def _section(site: Mapping[str, Any]) -> Shown:
    rows = [
        each
        | {
            "disqualified_by": _joined(each["needs"], {"fail"}),
            "needs_text": _joined(each["needs"], {"unknown", "want"}),
        }
        for each in site["uses"]
    ]
    notes = [note for note in (site["note"], grid_text(site)) if note]
    place = site["place"]
    has_cost = any("cost_text" in use for use in site["uses"])
    return Shown(
        f"{site['name']}: {place}" if place else site["name"],
        rows,
        columns=USE_COLUMNS | (COST_COLUMN if has_cost else {}),
        notes=notes,
    )


def grid_text(site: Mapping[str, Any]) -> str | None:
    """Say what the grid offers beside the megawatts of an energised site; None of other sites."""
    if not site["is_energized"] or site["state_id"] is None:
        return None
    ends = [site[f"grid_mw_{end}"] for end in ("low", "mid", "high")]
    if None in ends:
        return "What the grid around has beside the energised MW is unknown."
    told = " / ".join(f"{mw:,.0f}" for mw in ends)
    return (
        f"The grid around has {told} MW (low / mid / high), not added to those that are energised: it may "
        "be the same substation."
    )


def _notes(assessed: Assessed) -> list[str]:
    problems = assessed.listed.problems()
    left = len(assessed.sites) - SHOWN_ROWS
    notes = [f"{left:,} more: see --csv, --markdown or --json."] if left > 0 else []
    notes += [f"Not assessed: {each}" for each in problems[:SHOWN_PROBLEMS]]
    if len(problems) > SHOWN_PROBLEMS:
        notes.append(f"{len(problems) - SHOWN_PROBLEMS:,} problems more: see --json.")
    if assessed.listed.unused:
        notes.append(f"Columns that nothing is read from: {', '.join(assessed.listed.unused)}.")
    counts = ", ".join(
        f"{name} {each.candidate_count:,}" for name, each in assessed.profiles.items()
    )
    notes.append(
        f"Percentile and rank: among the parcels of the build that fail no gate ({counts}), by the score "
        "with every unknown factor at its worst."
    )
    if assessed.costs:
        notes.append(
            "Cost: at the MW that are wanted, else those of the profile, or what the site gets if that is less. "
            "Land counts though it is owned; what stands on it is not credited."
        )
    notes.append(
        "Energised MW stand in the place of the grid's headroom. Acres are taken as one piece; where they are "
        "not stated they are unknown."
    )
    return notes


def _joined(lacks: list[dict[str, Any]], status: set[str]) -> str | None:
    return "; ".join(need["text"] for need in lacks if need["status"] in status) or None

"""The report of sites that somebody owns: one page of Markdown from plain data."""

from collections.abc import Mapping, Sequence
from typing import Any

from geo.export._markdown import bullets, escape, table
from geo.export.model import SYNTHETIC_SENTENCE

UNKNOWN = "unknown"
STATUS = {"fail": "disqualifies", "unknown": "may disqualify", "want": "lacks"}


def markdown_sites(
    sites: Sequence[Mapping[str, Any]],
    *,
    title: str,
    about: Sequence[str],
    is_synthetic: bool,
) -> str:
    """Write what sites are good for as GitHub-flavoured Markdown, every text escaped.

    Parameters
    ----------
    sites
        As `gridstead assess --json` tells them.
    title
        Of the page.
    about
        Sentences that stand under the title.
    is_synthetic
        Whether the grid behind the answer is synthetic.

    Returns
    -------
    str
        Ends in a line break; the same data give the same text.
    """
    blocks = [
        f"# {escape(title)}",
        f"**{escape(SYNTHETIC_SENTENCE)}**" if is_synthetic else "",
        bullets(about),
        table(
            ["site", "MW", "best use", "fix first"],
            [
                [site["name"], _power(site), site["best_use"] or "none", _fix(site)]
                for site in sites
            ],
        ),
        *(block for site in sites for block in _site(site)),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _site(site: Mapping[str, Any]) -> list[str]:
    place = f"{site['lat']:.4f}, {site['lon']:.4f}"
    if site["place"]:
        place += f"; {site['place']}"
    told = [f"## {escape(site['name'])}", escape(place)]
    if site["note"]:
        told.append(escape(site["note"]))
    if not site["uses"]:
        return told
    costs = any(use.get("cost_text") for use in site["uses"])
    headings = ["use", "gates", "score", "percentile", "rank", *(["cost"] if costs else [])]
    rows = [
        [
            use["use"],
            use["gate_status"],
            _interval(use.get("score_low"), use.get("score_high")),
            _interval(use.get("percentile_low"), use.get("percentile_high")),
            "" if use.get("rank") is None else f"{use['rank']:,} of {use['candidate_count']:,}",
            *([use.get("cost_text") or ""] if costs else []),
        ]
        for use in site["uses"]
    ]
    told.append(table(headings, rows, right=("score", "percentile", "rank")))
    lacks = [
        f"{use['use']}, {STATUS[need['status']]}: {need['text']}"
        for use in site["uses"]
        for need in use["needs"]
    ]
    return [*told, bullets(lacks)] if lacks else told


def _power(site: Mapping[str, Any]) -> str:
    if site["is_energized"]:
        return f"{site['energized_mw']:,.0f} energised"
    if site["mw_mid"] is None:
        return UNKNOWN
    return f"{site['mw_low']:,.0f} to {site['mw_high']:,.0f} of the grid"


def _fix(site: Mapping[str, Any]) -> str:
    return site["fix_first"] or site["note"] or ""


def _interval(low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return ""
    return f"{low:.1f}" if high - low < 0.05 else f"{low:.1f} to {high:.1f}"

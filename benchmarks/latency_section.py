"""The section of RESULTS.md on latency, from the figures of `latency.py`."""

from typing import Any

HEADING = "## Latency"


def section(found: dict[str, Any]) -> str:
    """Markdown of the figures."""
    studies = found["studies"]
    parts = [_intro(found), _times(studies), _plain(studies)]
    parts += [_published(name, study["published"]) for name, study in studies.items()]
    return "\n".join([f"{HEADING}\n", *parts])


def _intro(found: dict[str, Any]) -> str:
    return f"""Fiber graph, round trips, people in reach and second routes, {found["machine"]}, 2 cores. The graph in a process of its own, from
layers to what parcels are measured against. `python benchmarks/latency.py --conus HOME`
"""


def _times(studies: dict[str, Any]) -> str:
    rows = [
        ("nodes", lambda one: f"{one['nodes']:,}"),
        ("with a path to an exchange", lambda one: f"{one['connected']:,}"),
        ("graph, nothing compiled, s", lambda one: f"{one['graph']['cold_s']:.1f}"),
        ("graph, kernels compiled, s", lambda one: f"{one['graph']['warm_s']:.1f}"),
        ("peak GB", lambda one: f"{one['graph']['cold_peak_gb']:.1f}"),
        ("kept, MB", lambda one: f"{one['graph']['size_mb']:.0f}"),
        ("parcels", lambda one: f"{one['cells']['parcels']:,}"),
        ("all metrics of latency, first time, s", lambda one: f"{one['cells']['first_s']:.1f}"),
        ("again (median of 5), s", lambda one: f"{one['cells']['warm_s']:.2f}"),
        (
            "of some 5 million parcels, s",
            lambda one: f"{one['cells']['many_s']:.1f} ({one['cells']['many']:,})",
        ),
    ]
    lines = [
        f"| {label} | " + " | ".join(map(tell, studies.values())) + " |" for label, tell in rows
    ]
    return "\n".join([f"| | {' | '.join(studies)} |", "|---|" + "---:|" * len(studies), *lines, ""])


def _plain(studies: dict[str, Any]) -> str:
    lines = []
    for name, one in studies.items():
        plain = one["plain"]
        lines.append(
            f"Plain way (geopandas in EPSG:5070 for near nodes, three networkx searches a parcel, {name}): "
            f"{plain['each_s']:.2f} s a parcel, {plain['all_s'] / 3600:,.0f} h for all, "
            f"**{plain['all_s'] / plain['engine_s']:,.0f} times** the engine; {plain['sample']} parcels, scaled up. "
            f"In the median the two differ by {100 * plain['ms_off']:.2f} % of a round trip and "
            f"{100 * plain['people_off']:.2f} % of people."
        )
    return "\n".join([*lines, ""])


def _published(name: str, found: dict[str, Any]) -> str:
    placed = found["placed"]
    groups = {
        "all, placed to the city": placed,
        "also those placed by state alone": found["every"],
        **found["publishers"],
        **found["bands"],
    }
    rows = [
        f"| {label} | {one['pairs']} | {100 * one['covered']:.0f} | {100 * one['width']:.0f} | "
        f"{100 * one['size_of_error']:.1f} | {100 * one['error']:+.1f} | {100 * one['above']:.0f} | {100 * one['below']:.0f} |"
        for label, one in groups.items()
    ]
    worst = [
        f"| {row['publisher']} | {row['from_place']} - {row['to_place']} | {row['km']:,.0f} | {row['rtt_ms']:g} | "
        f"{row['low']:.1f} / {row['mid']:.1f} / {row['high']:.1f} |"
        for row in found["worst"]
    ]
    return f"""### Published round trips, {name}

{placed["pairs"]} pairs within the 48 states, gathered before the model was run (tests/geo/fiber/published_rtt.md); nearly all are of one
publisher, so that they judge its network. Covered: low <= published <= high, nothing allowed for rounding to whole ms.
Width: high less low, over mid. Error: mid over published, less 1.

| pairs | count | covered % | width % | median size of error % | median error % | above high % | below low % |
|---|---:|---:|---:|---:|---:|---:|---:|
{chr(10).join(rows)}

{found["missed"]} missed; farthest off:

| publisher | pair | km | published ms | low / mid / high |
|---|---|---:|---:|---:|
{chr(10).join(worst)}
"""

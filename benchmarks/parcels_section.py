"""The section of RESULTS.md on parcels, from the figures of `parcels.py`."""

from typing import Any

HEADING = "## Parcels"
# Steps of the engine beside what the plain way calls them.
PLAIN_OF = {
    "outline": ("area_acres", "compactness"),
    "shape": ("minimum_width_m", "inscribed_diameter_m"),
    "substation": ("substation_mi",),
    "line": ("line_230kv_mi",),
    "fiber": ("fiber_mi",),
    "metro": ("metro_mi",),
    "generation": ("generation_10mi_mw", "generation_25mi_mw", "generation_50mi_mw"),
    "population": ("population_100mi",),
    "excluded": ("excluded_share",),
    "slope": ("slope_mean_pct",),
    "buildable": ("excluded_share", "contiguous_acres"),
}


def section(found: list[dict[str, Any]]) -> str:
    """Markdown of the figures of one or more sizes."""
    parts = [f"{HEADING}\n", _intro(found), _sizes(found), _steps(found)]
    parts += [_plain(one) for one in found if one.get("plain")]
    return "\n".join(parts)


def _intro(found: list[dict[str, Any]]) -> str:
    last = found[-1]["twelve"]
    return f"""Made-up parcels in Hilbert order, 2 % multipolygons, 1 % with holes ({last["repaired"]:,} of the last file mended,
{last["rejected"]:,} rejected), from GeoParquet to Parquet in chunks of 65,536; {found[-1]["machine"]}. Against 80,000
substations, 476,000 segments of lines, 633,000 of fiber, 400 metros, 14,000 plants, 150,000 exclusions of 4.3 million
vertices, people on 30" and slope on 0.0025°. 12 metrics: area, compactness, nearest substation, line, fiber route and
metro, MW within 10, 25 and 50 miles, people within 100, excluded share, mean slope. Everything: and least width,
largest circle, 3 substations, buildable and contiguous acres, largest slope, share under 10 %.
Warm: kernels compiled, layers loaded, median of the runs. First: neither, 12 metrics. Each size in its own process.
`python benchmarks/parcels.py`
"""


def _sizes(found: list[dict[str, Any]]) -> str:
    rows: list[tuple[str, list[str]]] = [
        ("12 metrics, warm, s", [f"{one['twelve']['wall_s']:.1f}" for one in found]),
        ("parcels a second", [f"{one['twelve']['parcels_per_s']:,.0f}" for one in found]),
        ("peak GB", [f"{one['twelve']['peak_gb']:.1f}" for one in found]),
        ("everything, warm, s", [f"{one['everything']['wall_s']:.1f}" for one in found]),
        ("peak GB", [f"{one['everything']['peak_gb']:.1f}" for one in found]),
        (
            "I/O floor: the same columns read, 12 written, s",
            [f"{one['floor_s']:.2f}" for one in found],
        ),
        ("12 metrics over I/O floor", [f"{one['ratio_to_floor']:.1f}" for one in found]),
        (
            "new process, all prepared: loading layers, s",
            [f"{sum(one['load_layers_s'].values()):.1f}" for one in found],
        ),
        ("new process: its first run, s", [f"{one['twelve']['fresh_s']:.1f}" for one in found]),
    ]
    if all(one["first"] for one in found):
        rows += [
            ("first: layers prepared, s", [f"{_layers_s(one):.1f}" for one in found]),
            (
                "first: kernels compiled and run, s",
                [f"{one['first']['run_s']:.1f}" for one in found],
            ),
            ("first: peak GB", [f"{one['first']['peak_gb']:.1f}" for one in found]),
        ]
    text = _table(["parcels", *(f"{one['parcels']:,}" for one in found)], rows)
    if len(found) > 1:
        before, last = found[-2], found[-1]
        growth = last["twelve"]["wall_s"] / before["twelve"]["wall_s"]
        times = last["parcels"] / before["parcels"]
        text += f"\n{times:g} times the parcels take {growth:.2f} times as long.\n"
    return text


def _layers_s(one: dict[str, Any]) -> float:
    return sum(one["first"]["layers_s"].values())


def _steps(found: list[dict[str, Any]]) -> str:
    def cell(one: dict[str, Any], which: str, step: str) -> str:
        count = one[which]["measured"]
        wall, cpu = (one[which][f"steps_{kind}_s"][step] for kind in ("wall", "cpu"))
        return f"{wall:.2f} | {cpu:.2f} | {wall / count * 1e6:.2f}"

    last = found[-1]
    steps = [("twelve", step) for step in last["twelve"]["steps_wall_s"]]
    others = set(last["everything"]["steps_wall_s"]) - set(last["twelve"]["steps_wall_s"])
    steps += [("everything", step) for step in last["everything"]["steps_wall_s"] if step in others]
    rows = [
        (
            f"{step}{'' if which == 'twelve' else ' (everything)'}",
            [cell(one, which, step) for one in found],
        )
        for which, step in steps
    ]
    heads = (f"{one['parcels']:,}: wall s | CPU s | wall µs each" for one in found)
    return _table(["step", *heads], rows, columns=3)


def _plain(one: dict[str, Any]) -> str:
    plain, count = one["plain"], one["twelve"]["measured"]
    times = {row["metric"]: row for row in plain["times"]}
    wall = one["everything"]["steps_wall_s"] | one["twelve"]["steps_wall_s"]
    rows = []
    for name, row in times.items():
        step = next((key for key, names in PLAIN_OF.items() if name.split(" ")[0] in names), None)
        off = plain["differences"].get(name)
        told = f"{off['median']:.1e} | {off['p99']:.1e}" if off else " | "
        each_us = (row["all_s"] - row["once_s"]) / count * 1e6
        rows.append(
            (
                name,
                [
                    f"{row['sample']:,} | {row['once_s']:.1f} | {each_us:,.1f} | {step or ''} | {told}"
                ],
            )
        )
    by_step = []
    for step, names in PLAIN_OF.items():
        there = [times[name] for name in names if name in times]
        if not there:
            continue
        plain_us = sum(row["all_s"] - row["once_s"] for row in there) / count * 1e6
        mine_us = wall[step] / count * 1e6
        by_step.append((step, [f"{plain_us:,.1f}", f"{mine_us:.2f}", f"{plain_us / mine_us:,.0f}"]))
    first = (
        f" First run, all of it: {plain['first_ratio']:,.0f} times." if plain["first_ratio"] else ""
    )
    return f"""Plain geopandas in EPSG:5070 and rasterstats at {one["parcels"]:,} parcels, on samples of the same input in the
same process: {plain["twelve_s"]:,.0f} s for the 12 metrics with projecting, indexing and dissolving the layers counted
once, {plain["twelve_without_setup_s"]:,.0f} s without: **{plain["ratio"]:,.0f} times** the warm engine,
and {plain["exact_ratio"]:,.0f} times with exactextract for rasterstats.{first} Samples are scaled up to all parcels.

{_table(["plain, by step of the engine", "plain µs each", "engine µs each", "ratio"], by_step)}
Differences are relative, engine to plain, and mostly the plane's: EPSG:5070 stretches distances by up to 1 %, bends discs,
its smallest rectangle is wider than the least width, and rasterstats counts whole cells.

{_table(["plain metric", "sample | once s | µs each | step | median difference | 99 %"], rows, columns=6)}"""


def _table(heads: list[str], rows: list[tuple[str, list[str]]], columns: int = 1) -> str:
    widths = [1] + [columns] * (len(heads) - 1)
    line = "| " + " | ".join(heads) + " |\n|---|" + "---:|" * (sum(widths) - 1)
    return (
        "\n".join([line, *("| " + " | ".join([name, *cells]) + " |" for name, cells in rows)])
        + "\n"
    )

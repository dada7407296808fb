"""What the map page says of a build: its run, workloads, metrics, sources and terms."""

from importlib.metadata import version
from typing import Any

from flows.map_build import LEVELS, Build
from flows.reporting import rows_of
from flows.terms import RESTRICTED_SENTENCE
from geo.export.model import SYNTHETIC_SENTENCE
from geo.export.palette import (
    MEGAWATT_CLASSES,
    RANK_CLASSES,
    UNRANKED_COLOUR,
    UNRANKED_LABEL,
)

# Of the form of the data files: the page's script refuses another one.
FORMAT = 1
# Degrees around the points of parcels, which stand for polygons.
MARGIN = 0.2


def about(build: Build) -> dict[str, Any]:
    """Say of the run, workloads, metrics and sources what the page shows."""
    run = build.run
    return {
        "format": FORMAT,
        "run": {
            "run_id": run["run_id"],
            "run_date": run["started_at"].date().isoformat(),
            "study": run["study"],
            "title": run["title"],
            "tool_version": version("gridstead"),
            "is_synthetic": run["is_synthetic"],
            "synthetic_note": SYNTHETIC_SENTENCE if run["is_synthetic"] else "",
            "parcel_kind": run["parcel_kind"],
            "parcel_count": build.parcel_count,
            "bounds": _bounds(build),
            "limits": run["limits"] or [],
        },
        "note": {
            "attribution": [row["attribution"] for row in build.sources],
            "licences": [f"{row['source_id']}: {row['data_terms']}" for row in build.sources],
            "excluded": [] if build.held.is_restricted else build.held.sources,
        },
        "rank_classes": [
            {"first": c.first, "last": c.last, "colour": c.colour, "label": c.label}
            for c in RANK_CLASSES
        ],
        "unranked": {"colour": UNRANKED_COLOUR, "label": UNRANKED_LABEL},
        "megawatt_classes": [
            {"at_least": c.at_least, "below": c.below, "colour": c.colour, "label": c.label}
            for c in MEGAWATT_CLASSES
        ],
        "levels": [
            {"level": level, "title": LEVELS[level], "count": count}
            for level, count in build.levels.items()
        ],
        "workloads": [_workload(build, row) for row in build.workloads],
        "metrics": {
            name: {
                "label": row["label"],
                "unit": row["unit"],
                "direction": row["direction"],
                "description": row["description"],
                "sources": sorted(_sources_of(build, row["layer"])),
                "has_parcels": name in build.read,
                "has_regions": name in build.read,
            }
            for name, row in build.metrics.items()
        },
        "sources": [
            {
                key: row[key]
                for key in (
                    *("source_id", "title", "version", "as_of", "data_terms", "attribution"),
                    *("is_synthetic", "is_exportable", "is_stale"),
                )
            }
            for row in build.sources
        ],
        "restricted": build.held.is_restricted,
        "restricted_note": RESTRICTED_SENTENCE if build.held.is_restricted else "",
    }


def _bounds(build: Build) -> list[float]:
    """West, south, east and north of the parcels' points, degrees, a little beyond them."""
    (row,) = rows_of(build.con, "query/map_bounds")
    values = [row[name] for name in ("west", "south", "east", "north")]
    if None in values:
        return [-125.0, 24.0, -66.0, 50.0]
    margins = (-MARGIN, -MARGIN, MARGIN, MARGIN)
    return [round(value + margin, 4) for value, margin in zip(values, margins, strict=True)]


def _workload(build: Build, row: dict[str, Any]) -> dict[str, Any]:
    workload = row["workload"]
    mine = [factor for factor in build.factors if factor["workload"] == workload]
    gates = [gate for gate in build.gates if gate["workload"] == workload]
    return {
        **{key: row[key] for key in ("workload", "title", "summary", "objective", "target_mw")},
        "factors": [
            {
                "metric": factor["metric"],
                "label": factor["label"],
                "unit": build.metrics[factor["metric"]]["unit"],
                "weight": factor["profile_weight"],
                "direction": build.metrics[factor["metric"]]["direction"],
                "why": factor["why"],
                "source": factor["source"],
                "parcel_column": build.columns.get((workload, factor["metric"])),
            }
            for factor in mine
            if not factor["is_removed"]
        ],
        "removed": [
            {"metric": factor["metric"], "label": factor["label"], "why": factor["removed_why"]}
            for factor in mine
            if factor["is_removed"]
        ],
        "gates": [
            {
                key: gate[key]
                for key in (
                    "metric",
                    "label",
                    "unit",
                    "at_least",
                    "at_most",
                    "why",
                    "is_removed",
                    "removed_why",
                )
            }
            for gate in gates
        ],
    }


def _sources_of(build: Build, layers: str) -> set[str]:
    rows = build.con.table("meta.layer_source").project("layer, source_id").fetchall()
    wanted = set((layers or "").split())
    return {source for layer, source in rows if layer in wanted and source is not None}

"""Keys of steps: a step whose inputs and code hash the same is reused."""

import hashlib
import json
from collections.abc import Iterable
from importlib import resources
from pathlib import Path
from typing import Any

# What each step's result depends on, beside its inputs. Whole folders: a key that changes too
# often costs a minute, one that changes too seldom publishes a lie.
STAGE_CODE = (
    "data/*.py",
    "data/readers/*.py",
    "data/reference/*.csv",
    "sql/staging/*.sql",
    "sql/core/*.sql",
    "sql/meta/*.sql",
)
POWER_CODE = (
    "geo/power/*.py",
    "geo/_jit.py",
    "geo/_threads.py",
    # Distances, neighbours and shapes of the import estimate.
    "geo/features.py",
    "geo/geodesy.py",
    "geo/nearest.py",
    "geo/pairs.py",
    "data/capacity.py",
    "data/load_series.py",
    "flows/power.py",
    "sql/query/layer_content.sql",
    "data/reference/power_rule.csv",
    "data/reference/load_duration.csv",
    "data/reference/line_class.csv",
    "data/reference/peak_load.csv",
    "data/reference/import_calibration.csv",
)
FIBER_CODE = (
    "geo/fiber/*.py",
    "geo/_jit.py",
    "geo/_threads.py",
    # Distances, neighbours and counties of points.
    "geo/_arc.py",
    "geo/_inside.py",
    "geo/_nearest.py",
    "geo/_pairs.py",
    "geo/_tree.py",
    "geo/features.py",
    "geo/geodesy.py",
    "geo/hilbert.py",
    "geo/locate.py",
    "geo/nearest.py",
    "geo/pairs.py",
    "geo/people.py",
    "flows/fiber_graph.py",
    "sql/query/layer_content.sql",
    "data/reference/latency.csv",
)
PEOPLE_CODE = (
    *("geo/*.py", "data/readers/raster.py", "flows/people.py", "sql/query/layer_content.sql"),
)
DIVIDE_CODE = (
    "geo/*.py",
    "data/parcels.py",
    "data/shared_ids.py",
    "flows/dividing.py",
    "sql/divide/*.sql",
    "sql/query/layer_content.sql",
)
EXCLUDE_CODE = ("geo/*.py", "data/readers/raster.py", "flows/exclusions.py")
MEASURE_CODE = (
    "geo/*.py",
    "geo/fiber/*.py",
    "data/reference/*.csv",
    "data/parts.py",
    "data/readers/raster.py",
    "flows/measuring.py",
    "flows/measured_by.py",
    "flows/remeasuring.py",
    "flows/halving.py",
    "flows/slope.py",
    "sql/core/parcel_metric.sql",
)
ALL_CODE = (
    "data/**/*.py",
    "data/**/*.csv",
    "data/**/*.yaml",
    "data/sources.lock",
    "geo/**/*.py",
    "flows/*.py",
    "sql/**/*.sql",
)
KEY_LENGTH = 16


def key_of(*parts: Any) -> str:
    """Short stable hash of JSON-able parts."""
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:KEY_LENGTH]


def code_key(patterns: Iterable[str]) -> str:
    """Hash of the text of the project's own files that match the patterns."""
    root = Path(str(resources.files("flows"))).parent
    digest = hashlib.sha256()
    for pattern in sorted(patterns):
        for path in sorted(root.glob(pattern)):
            digest.update(path.relative_to(root).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:KEY_LENGTH]


def file_key(path: Path) -> str:
    """Hash of a file's content."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()[:KEY_LENGTH]


def path_key(path: Path) -> str:
    """Hash of a file, or of the files in a folder that is one data set (File Geodatabase)."""
    if path.is_file():
        return file_key(path)
    files = sorted(file for file in path.rglob("*") if file.is_file())
    return key_of([(file.relative_to(path).as_posix(), file_key(file)) for file in files])

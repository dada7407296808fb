"""What parcels are measured by: the files of the steps before, told beside the metrics and read from there."""

import filecmp
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import pandas as pd

from data import build as builds
from data import store
from data.stage import REFERENCE_DIR
from flows import keys
from flows.exclusions import load_exclusions
from flows.fiber_graph import INDEX_SUFFIX, read_fiber
from flows.people import read_people_source
from flows.power import read_shared
from flows.results import attach
from geo.layers import Layers
from geo.remeasure import Inputs
from geo.tie_line import TieLineCosts

INPUTS_SUFFIX = ".inputs.json"
FILES = ("layers", "power", "fiber", "parcels", "excluded", "people")


@dataclass(frozen=True)
class MeasuredBy:
    """Results of the steps before that a measuring takes, and what else decides its figures.

    Attributes
    ----------
    layers, power, fiber, parcels, excluded, people
        What the steps of these names kept.
    slope
        Whatever of the slope raster decides the figures; None without one.
    code
        Key of the code.
    """

    layers: Path
    power: Path
    fiber: Path
    parcels: Path
    excluded: Path | None
    people: Path | None
    slope: list[Any] | None
    code: str

    @property
    def key(self) -> str:
        """Key of the metrics."""
        return keys.key_of(
            self.layers.name,
            self.parcels.name,
            self.excluded.name if self.excluded else None,
            self.power.name,
            self.fiber.name,
            self.slope,
            self.people.name if self.people else None,
            self.code,
        )

    @property
    def is_there(self) -> bool:
        """Whether all files are."""
        files = [getattr(self, name) for name in FILES]
        return all(path.is_file() for path in files if path is not None)

    def write(self, metrics: Path) -> None:
        """Tell it beside the metrics; files in the same folder by their names alone."""
        told = asdict(self)
        for name in FILES:
            path = told[name]
            is_near = path is not None and path.parent == metrics.parent
            told[name] = path.name if is_near else path and str(path)
        target = beside_metrics(metrics)
        temporary = target.with_name(target.name + ".part")
        temporary.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
        store.replace_atomically(temporary, target)

    @classmethod
    def read(cls, told: Path) -> Self | None:
        """Read what `write` told; None where it cannot be made out."""
        try:
            content = json.loads(told.read_text(encoding="utf-8"))
            files = {name: content[name] and told.parent / content[name] for name in FILES}
            return cls(**files, slope=content["slope"], code=content["code"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def inputs(self, other: "tuple[MeasuredBy, Inputs] | None" = None) -> Inputs:
        """Read what parcels are measured by; what `other` holds of the same files is taken from it."""
        by, held = other or (None, None)

        def is_held(name: str, suffix: str | None = None) -> bool:
            return by is not None and _is_same(getattr(by, name), getattr(self, name), suffix)

        layers, headroom = read_layers(self.layers, self.power)
        return Inputs(
            layers=layers,
            headroom=headroom,
            tie_lines=TieLineCosts.from_frame(pd.read_csv(REFERENCE_DIR / "tie_line.csv")),
            shared=held.shared
            if held is not None and by is not None and by.power == self.power
            else read_shared(self.power, headroom),
            exclusions=held.exclusions
            if held is not None and is_held("excluded")
            else load_exclusions(self.excluded),
            fiber=held.fiber
            if held is not None and is_held("fiber", INDEX_SUFFIX)
            else read_fiber(self.fiber),
            people=held.people
            if held is not None and is_held("people")
            else read_people_source(self.people)
            if self.people is not None
            else None,
        )


def beside_metrics(metrics: Path) -> Path:
    """Where it is told what metrics were measured by."""
    return metrics.with_suffix(INPUTS_SUFFIX)


def read_layers(layers: Path, power: Path) -> tuple[Layers, pd.DataFrame]:
    """Canonical layers of a study as `geo` takes them, and the headroom of the substations.

    The substations are those of the power step, with those that it inferred or that were stated.
    """
    with store.create() as con:
        attach(con, layers)
        frames: dict[str, Any] = {
            name: builds.layer_frame(con, name) for name in Layers.__annotations__
        }
    headroom = pd.read_parquet(power)
    frames["substation"] = headroom[[*frames["substation"].columns]]
    return Layers(**frames), headroom


def _is_same(one: Path | None, other: Path | None, suffix: str | None = None) -> bool:
    """Whether two results are one file, or files with the same bytes; with a suffix, those beside them."""
    if one is None or other is None or one == other:
        return one == other
    if suffix is not None:
        # Rules of round trips are part of the code's key.
        one, other = one.with_suffix(suffix), other.with_suffix(suffix)
        if not one.is_file() or not other.is_file():
            return False
    return filecmp.cmp(one, other, shallow=False)

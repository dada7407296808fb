"""Studies: which sources feed which layer, how land is divided, which workloads are ranked."""

import json
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from data.errors import StudyError
from data.validation import read_model

STUDIES_DIR = Path(__file__).parent / "studies"
SCHEMA_PATH = Path(__file__).parent / "schemas" / "study.schema.json"

# The four themes that a flow of its own pulls and stages, in the order a run takes them.
THEMES = ("grid", "population", "fiber", "land")
ThemeName = Annotated[str, Field(pattern="^(grid|population|fiber|land)$")]
# Layers and staging objects are files of one folder.
SqlName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Theme(_Strict):
    """What one theme of a study pulls and stages."""

    sources: list[str] = Field(description="Catalogue ids that the theme pulls.")
    layers: dict[SqlName, list[SqlName]] = Field(
        description="Canonical layer -> staging objects (files under sql/staging) that fill it."
    )
    lookups: dict[str, str] = Field(
        default_factory=dict,
        description="Raw tables that are only joined, and the layer that they are joined into.",
    )


class Divide(_Strict):
    """How land is divided into parcels when no parcel file is given."""

    kind: Literal["h3"] = "h3"
    resolution: Annotated[int, Field(ge=4, le=9)] = 6
    min_land_share: Annotated[float, Field(ge=0, le=1)] = Field(
        default=0.25,
        description="A cell with less of its area on land than this is not a parcel.",
    )
    max_lake_share: Annotated[float, Field(ge=0, le=1)] = Field(
        default=0.5,
        description="A cell with more of its land under lakes than this is not a parcel.",
    )


class Measure(_Strict):
    """How parcels are measured: in chunks, so that memory does not grow with their number."""

    chunk_parcels: Annotated[int, Field(ge=1)] = Field(
        default=65_536,
        description="Parcels measured at a time; the result does not depend on it.",
    )
    on_failed_chunk: Literal["stop", "skip"] = Field(
        default="stop",
        description="Stop the run, or reject the parcels of the chunk by name and go on.",
    )


class Without(_Strict):
    """A metric that a study never has, taken out of a workload's profile by name."""

    metric: str
    why: str


class StudyWorkload(_Strict):
    """A workload as this study ranks it."""

    id: str
    profile: Path | None = Field(
        default=None, description="Profile file, relative to the study file, instead of ours."
    )
    without: list[Without] = Field(default_factory=list)


class Study(_Strict):
    """One study: area, layers, division of land and workloads."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]
    title: str
    area: list[str] = Field(
        description="States by USPS code, or the one word `conus` (48 states and DC)."
    )
    themes: dict[ThemeName, Theme]
    derived: dict[SqlName, list[SqlName]] = Field(
        default_factory=dict,
        description="Layers made from other core layers once all themes are loaded.",
    )
    divide: Divide = Divide()
    measure: Measure = Measure()
    headroom_method: Literal["rated_circuits", "snapped_lines"]
    workloads: list[StudyWorkload]
    catalogue: Path | None = Field(
        default=None,
        description="Further sources, relative to the study file; an id of ours is replaced by it.",
    )
    required_fresh: list[str] = Field(
        default_factory=list, description="Sources that may not fall back to a stale copy."
    )
    limits: list[str] = Field(
        default_factory=list, description="Honest limits, printed in the report."
    )

    @field_validator("workloads")
    @classmethod
    def _distinct(cls, value: list[StudyWorkload]) -> list[StudyWorkload]:
        ids = [workload.id for workload in value]
        if len(set(ids)) != len(ids):
            msg = "a workload is listed twice"
            raise ValueError(msg)
        return value


def study_names() -> list[str]:
    """Names of the studies that come with Gridstead."""
    return sorted(path.stem for path in STUDIES_DIR.glob("*.yaml"))


def load_study(name: str) -> Study:
    """Load a study by name, or from the path of a YAML file.

    Raises
    ------
    StudyError
        No such study, or the file breaks the model; the message names the key.
    """
    is_file = name.endswith((".yaml", ".yml"))
    path = Path(name) if is_file else STUDIES_DIR / f"{name}.yaml"
    if not (path.is_file() if is_file else name in study_names()):
        msg = f"There is no study {name!r}."
        raise StudyError(msg, f"Known studies: {', '.join(study_names())}; or give a .yaml file.")
    study = read_model(path, Study, StudyError, "Mend the key in the study file.")
    return _beside(study, path.resolve().parent)


def study_schema() -> str:
    """Return the JSON schema of a study file, as the text of its file."""
    return json.dumps(Study.model_json_schema(), indent=2, ensure_ascii=False) + "\n"


def _beside(study: Study, folder: Path) -> Study:
    """Take the files that a study names from beside the study file."""
    workloads = [
        entry.model_copy(update={"profile": folder / entry.profile}) if entry.profile else entry
        for entry in study.workloads
    ]
    catalogue = folder / study.catalogue if study.catalogue else None
    return study.model_copy(update={"workloads": workloads, "catalogue": catalogue})

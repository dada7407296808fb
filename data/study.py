"""Studies: which sources feed which layer, how land is divided, which workloads are ranked."""

import json
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from data.errors import StudyError
from data.validation import read_yaml, validated

STUDIES_DIR = Path(__file__).parent / "studies"
SCHEMA_PATH = Path(__file__).parent / "schemas" / "study.schema.json"

# The four themes that a flow of its own pulls and stages, in the order a run takes them.
THEMES = ("grid", "population", "fiber", "land")
ThemeName = Annotated[str, Field(pattern="^(grid|population|fiber|land)$")]
# What a load flow cannot do without; DC ties may be missing.
NETWORK_LAYERS = ("substation", "bus", "branch", "plant")
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
    helpers: list[SqlName] = Field(
        default_factory=list,
        description="Staging objects that others look into, and that fill no layer; made first, in order.",
    )
    lookups: dict[str, str] = Field(
        default_factory=dict,
        description="Raw tables that are only joined, and the layer that they are joined into.",
    )


class Divide(_Strict):
    """How land is divided into parcels, and which of those that a file gives are left out."""

    kind: Literal["h3"] = "h3"
    resolution: Annotated[int, Field(ge=4, le=9)] = 6
    min_land_share: Annotated[float, Field(ge=0, le=1)] = Field(
        default=0.25,
        description="A cell with less of its area on land than this is not a parcel.",
    )
    max_lake_share: Annotated[float, Field(ge=0, le=1)] = Field(
        default=0.5,
        description="A cell with more of its land under lakes than this, or such a lot, is not a parcel.",
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


class Condition(_Strict):
    """Which cells of a raster exclude: those above or below a bound, or those of some classes."""

    above: float | None = Field(default=None, description="Values greater than this exclude.")
    below: float | None = Field(default=None, description="Values less than this exclude.")
    classes: list[int] | None = Field(
        default=None, min_length=1, description="Values equal to one of these exclude."
    )

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if [self.above, self.below, self.classes].count(None) != len(type(self).model_fields) - 1:
            msg = "give one of above, below and classes"
            raise ValueError(msg)
        return self

    def __str__(self) -> str:
        """Say it as the report does."""
        if self.classes is not None:
            return f"classes {', '.join(map(str, self.classes))}"
        return f"above {self.above:g}" if self.above is not None else f"below {self.below:g}"


class Exclusion(_Strict):
    """Ground that cannot be built on: features of a layer, or cells of a raster, and why."""

    layer: SqlName | None = Field(
        default=None,
        description="Canonical layer whose polygons exclude, and whose lines and points do by buffer_m.",
    )
    where: dict[SqlName, str | list[str]] = Field(
        default_factory=dict,
        description="Column of the layer -> the values that exclude; all rows when empty.",
    )
    raster: str | None = Field(
        default=None, description="Catalogue id of a source that is read as a raster."
    )
    condition: Condition | None = Field(
        default=None, description="Which cells of the raster exclude."
    )
    buffer_m: Annotated[float, Field(ge=0, le=200_000)] = Field(
        default=0.0, description="Metres around it that are excluded too."
    )
    why: Annotated[str, Field(min_length=1)] = Field(description="Why nothing is built there.")

    @model_validator(mode="after")
    def _is_one_kind(self) -> Self:
        if (self.layer is None) == (self.raster is None):
            msg = "name either a layer or a raster"
            raise ValueError(msg)
        if self.raster is not None and self.condition is None:
            msg = f"raster {self.raster!r} needs a condition: above, below or classes"
            raise ValueError(msg)
        if self.raster is not None and self.where:
            msg = "a raster has a condition, no where"
            raise ValueError(msg)
        if self.layer is not None and self.condition is not None:
            msg = "a layer has a where, no condition"
            raise ValueError(msg)
        return self

    def __str__(self) -> str:
        """Say it as the report does."""
        of = [
            f"{column} {' or '.join([value] if isinstance(value, str) else value)}"
            for column, value in self.where.items()
        ]
        what = " ".join([f"{self.layer or self.raster}", *of, str(self.condition or "")]).strip()
        return f"{what}, and {self.buffer_m:g} m around" if self.buffer_m else what


class Slope(_Strict):
    """Where the slope of the land is measured."""

    raster: str = Field(
        description="Catalogue id of a source that is read as a raster of slopes in percent."
    )


class People(_Strict):
    """A raster of people, in the place of the layer `people` for every metric of people."""

    raster: str = Field(description="Catalogue id of a source that is read as a raster of people.")
    unit: Literal["people", "people_per_km2"] = Field(
        default="people", description="Whether cells hold people, or people per square kilometre."
    )
    scale_to_states: bool = Field(
        default=False,
        description="Multiply the cells of each state so that they sum to its census.",
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


class NetworkCase(_Strict):
    """A network case of the user's own, in the place of the study's grid."""

    case: Path = Field(
        description="MATPOWER case (.m) or PyPSA network (.nc, or a zipped CSV folder)."
    )
    points: Path | None = Field(
        default=None, description="CSV of bus_id, lon, lat and, if known, substation."
    )
    is_exportable: bool = Field(
        default=False, description="Whether exports may carry what comes from the case."
    )


class Study(_Strict):
    """One study: area, layers, division of land and workloads."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]
    extends: str | None = Field(
        default=None,
        description=(
            "Study by name, or by the path of a .yaml file beside this one, whose keys hold where this "
            "one has none. A theme given here takes the place of that theme, the others stay."
        ),
    )
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
    headroom_method: Literal["load_flow", "import_estimate"] = Field(
        description=(
            "load_flow: hosting capacity on the network case of bus, branch, plant and dc_tie; "
            "import_estimate: what lines can bring, from their ends or, without them, their courses."
        )
    )
    load_series: Path | None = Field(
        default=None,
        description=(
            "CSV with one column of numbers, the hourly load of the system over a year, relative to the "
            "study file; it takes the place of the assumed shape of a year's load."
        ),
    )
    exclusions: list[Exclusion] = Field(
        default_factory=list,
        description="Ground that cannot be built on; without any, what is excluded is unknown.",
    )
    slope: Slope | None = Field(
        default=None,
        description="Raster that parcels' slopes are measured on; without it they are unknown.",
    )
    people: People | None = Field(
        default=None,
        description="Raster that people are counted on, instead of the layer people.",
    )
    workloads: list[StudyWorkload]
    catalogue: Path | None = Field(
        default=None,
        description="Further sources, relative to the study file; an id of ours is replaced by it.",
    )
    network: NetworkCase | None = Field(
        default=None,
        description="A network case of the user's own, relative to the study file, as the study's grid.",
    )
    draws: Annotated[int, Field(ge=20, le=10_000)] = Field(
        default=1_000,
        description="How often inputs and weights are drawn to say how sure ranks are.",
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

    @model_validator(mode="after")
    def _network_is_there(self) -> Self:
        if self.headroom_method == "load_flow":
            filled = {layer for theme in self.themes.values() for layer in theme.layers}
            if missing := sorted(set(NETWORK_LAYERS) - filled):
                msg = f"load_flow needs a network case, but no theme fills {', '.join(missing)}"
                raise ValueError(msg)
        elif self.load_series is not None:
            msg = "load_series is for load_flow: import_estimate tells nothing of flexible load"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _ground_is_there(self) -> Self:
        layers = {layer for theme in self.themes.values() for layer in theme.layers}
        layers |= set(self.derived)
        sources = {source for theme in self.themes.values() for source in theme.sources}
        for item in self.exclusions:
            if item.layer is not None and item.layer not in layers:
                msg = f"an exclusion names layer {item.layer!r}, which no theme of the study fills"
                raise ValueError(msg)
            if item.raster is not None and item.raster not in sources:
                msg = f"an exclusion names raster {item.raster!r}, which is in the sources of no theme"
                raise ValueError(msg)
        if self.slope is not None and self.slope.raster not in sources:
            msg = f"slope names raster {self.slope.raster!r}, which is in the sources of no theme"
            raise ValueError(msg)
        if self.people is not None and self.people.raster not in sources:
            msg = f"people names raster {self.people.raster!r}, which is in the sources of no theme"
            raise ValueError(msg)
        return self

    @property
    def rasters(self) -> list[tuple[str, str]]:
        """What the study takes from rasters: the word for it, and the catalogue id of its source."""
        found = [
            ("an exclusion", item.raster) for item in self.exclusions if item.raster is not None
        ]
        if self.slope is not None:
            found.append(("slope", self.slope.raster))
        if self.people is not None:
            found.append(("people", self.people.raster))
        return found


def study_names() -> list[str]:
    """Names of the studies that come with Gridstead."""
    return sorted(path.stem for path in STUDIES_DIR.glob("*.yaml"))


def load_study(name: str) -> Study:
    """Load a study by name, or from the path of a YAML file.

    Raises
    ------
    StudyError
        No such study, the file breaks the model, or it extends itself; the message names the key.
    """
    path = _path_of(name)
    content = _content(path, ())
    return validated(content, path.name, Study, StudyError, "Mend the key in the study file.")


def study_schema() -> str:
    """Return the JSON schema of a study file, as the text of its file."""
    schema = Study.model_json_schema()
    # What a study extends may hold any key but the id.
    others = [key for key in schema.pop("required") if key != "id"]
    schema |= {"required": ["id"], "anyOf": [{"required": ["extends"]}, {"required": others}]}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _path_of(name: str, folder: Path = Path()) -> Path:
    is_file = name.endswith((".yaml", ".yml"))
    path = folder / name if is_file else STUDIES_DIR / f"{name}.yaml"
    if not (path.is_file() if is_file else name in study_names()):
        msg = f"There is no study {name!r}."
        raise StudyError(msg, f"Known studies: {', '.join(study_names())}; or give a .yaml file.")
    return path


def _content(path: Path, extending: tuple[Path, ...]) -> Any:
    """Keys of a study file over those of the study that it extends."""
    path = path.resolve()
    if path in extending:
        round_trip = " extends ".join(each.stem for each in [*extending, path])
        msg = f"{extending[0].name}: extends: goes in a circle ({round_trip})."
        raise StudyError(msg, "Let one of them stand on its own.")
    content = read_yaml(path, StudyError)
    if not isinstance(content, dict):
        return content
    content = _beside(content, path.parent)
    base = content.pop("extends", None)
    if base is None:
        return content
    if not isinstance(base, str):
        msg = f"{path.name}: extends: is not the name of a study."
        raise StudyError(msg, "Name one study, or a .yaml file beside this one.")
    try:
        base_path = _path_of(base, path.parent)
    except StudyError as error:
        msg = f"{path.name}: extends: there is no study {base!r}."
        raise StudyError(msg, error.hint) from error
    held = _content(base_path, (*extending, path))
    if not isinstance(held, dict):
        msg = f"{path.name}: extends: {base_path.name} is not a study."
        raise StudyError(msg, "Mend the file that is extended.")
    held.pop("id", None)
    themes = {"themes": _mapping(held, "themes") | _mapping(content, "themes")}
    return held | content | (themes if isinstance(content.get("themes", {}), dict) else {})


def _mapping(content: dict[str, Any], key: str) -> dict[str, Any]:
    value = content.get(key)
    return value if isinstance(value, dict) else {}


def _beside(content: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Take the files that a study names from beside the study file."""
    content = dict(content)
    for key in ("catalogue", "load_series"):
        if isinstance(content.get(key), str):
            content[key] = str(folder / content[key])
    if isinstance(content.get("network"), dict):
        content["network"] = {
            key: str(folder / value) if isinstance(value, str) else value
            for key, value in content["network"].items()
        }
    workloads = content.get("workloads")
    if isinstance(workloads, list):
        content["workloads"] = [
            entry | {"profile": str(folder / entry["profile"])}
            if isinstance(entry, dict) and isinstance(entry.get("profile"), str)
            else entry
            for entry in workloads
        ]
    return content

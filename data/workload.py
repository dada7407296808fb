"""Workload profiles: gates, value functions, weights and the capacity a region must fill."""

import json
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from data.errors import WorkloadError
from data.metrics import METRICS
from data.study import Study, StudyWorkload
from data.validation import read_model

WORKLOADS_DIR = Path(__file__).parent / "workloads"
SCHEMA_PATH = Path(__file__).parent / "schemas" / "workload.schema.json"
WEIGHT_TOLERANCE = 1e-9
# Megawatts that costs are stated at where a profile says none: the middle of what practitioners ask for.
DESIGN_MW = {"training": 300.0, "inference": 50.0}
# Milliseconds there and back that inference has where a profile says none.
LATENCY_BUDGET_MS = 10
# People of a metro that is major where no profile says otherwise, and of the smallest that is known.
MAJOR_METRO_PEOPLE = 1_000_000
METRO_PEOPLE = 250_000


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


# An editor that knows the schema offers the names; the models check them with a sentence.
MetricName = Annotated[str, Field(json_schema_extra={"enum": list(METRICS)})]


class Gate(_Strict):
    """A hard requirement on one metric: pass, fail or, where the metric is NULL, unknown."""

    metric: MetricName
    at_least: float | None = None
    at_most: float | None = None
    why: str
    source: str

    @model_validator(mode="after")
    def _one_bound(self) -> Self:
        _known_metric(self.metric)
        if (self.at_least is None) == (self.at_most is None):
            msg = f"gate on {self.metric} needs exactly one of at_least and at_most"
            raise ValueError(msg)
        return self


class Factor(_Strict):
    """A weighted metric and the absolute value function that turns it into 0 to 1."""

    metric: MetricName
    weight: Annotated[float, Field(gt=0, le=1)]
    value: list[tuple[float, float]] = Field(
        min_length=2, description="(metric, value) breakpoints; linear between, flat outside."
    )
    label: str
    why: str
    source: str

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        _known_metric(self.metric)
        xs = [x for x, _ in self.value]
        if any(a >= b for a, b in pairwise(xs)):
            msg = f"breakpoints of {self.metric} are not in increasing order of the metric"
            raise ValueError(msg)
        if any(not 0 <= y <= 1 for _, y in self.value):
            msg = f"a value of {self.metric} is outside 0 to 1"
            raise ValueError(msg)
        return self


class CostChoice(_Strict):
    """What a profile asks of the cost model; what it leaves out is taken from the cost rules."""

    design_mw: Annotated[float, Field(gt=0)] | None = Field(
        default=None,
        description="Megawatts that a site is priced at; 300 for training and 50 for inference when left out.",
    )
    load_factor: Annotated[float, Field(gt=0, le=1)] | None = Field(
        default=None, description="Mean over peak draw of the year, in the place of the rules'."
    )
    usd_per_mwh: Annotated[float, Field(gt=0)] | None = Field(
        default=None, description="Energy price everywhere, in the place of each parcel's own."
    )
    watt_hours_per_query: Annotated[float, Field(gt=0)] | None = Field(
        default=None, description="Energy of one query at the server, in the place of the rules'."
    )
    premium_usd_per_million_queries: Annotated[float, Field(ge=0)] | None = Field(
        default=None,
        description="What users pay more for a million answers within the budget; unknown when left out.",
    )


class Workload(_Strict):
    """A profile: what one kind of AI compute wants of land."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    title: str
    summary: str
    objective: Literal["training", "inference"] = Field(
        default="training",
        description="What is priced: delivered $/MWh of IT load, or $ per million queries.",
    )
    target_mw: Annotated[float, Field(gt=0)]
    max_site_mw: Annotated[float, Field(gt=0)] | None = Field(
        default=None,
        description=(
            "Most that one site takes of the target, so that a region is filled by many small ones; "
            "all that its substation has when left out."
        ),
    )
    capacity_metric: Literal["headroom_mw_mid", "headroom_mw_low", "headroom_mw_high"]
    latency_budget_ms: Literal[5, 10, 20] | None = Field(
        default=None,
        description="Round trip that people are counted within; inference alone has one, 10 when left out.",
    )
    major_metro_people: Annotated[int, Field(ge=METRO_PEOPLE)] | None = Field(
        default=None,
        description=(
            "People from which on a metro is a major one, for every major_metro metric; a million when left "
            "out. Profiles of one study must agree, since each parcel is measured once."
        ),
    )
    cost: CostChoice = CostChoice()
    gates: list[Gate]
    factors: list[Factor] = Field(min_length=1)

    @property
    def design_mw(self) -> float:
        """Megawatts that a site of this workload is priced at."""
        return self.cost.design_mw or DESIGN_MW[self.objective]

    @model_validator(mode="before")
    @classmethod
    def _budget_of_inference(cls, content: Any) -> Any:
        if isinstance(content, dict) and content.get("objective") == "inference":
            return {"latency_budget_ms": LATENCY_BUDGET_MS} | content
        return content

    @model_validator(mode="after")
    def _objective(self) -> Self:
        if (self.objective == "inference") != (self.latency_budget_ms is not None):
            msg = (
                f"{self.objective} has no latency budget: remove latency_budget_ms"
                if self.objective == "training"
                else "inference needs a latency budget: give latency_budget_ms"
            )
            raise ValueError(msg)
        queries = self.cost.watt_hours_per_query or self.cost.premium_usd_per_million_queries
        if self.objective == "training" and queries is not None:
            msg = (
                "training answers no queries: remove them from cost, or set objective to inference"
            )
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _weights(self) -> Self:
        metrics = [factor.metric for factor in self.factors]
        if len(set(metrics)) != len(metrics):
            msg = "a metric is weighted twice"
            raise ValueError(msg)
        total = sum(factor.weight for factor in self.factors)
        if abs(total - 1) > WEIGHT_TOLERANCE:
            msg = f"the weights sum to {total:.6g}, not to 1"
            raise ValueError(msg)
        return self


def study_workloads(study: Study) -> dict[str, Workload]:
    """Profiles that a study ranks by, by id.

    Raises
    ------
    WorkloadError
        A profile is missing or broken, its id is not the one that the study gives, the study does
        without a metric that it never had, or without all of them, or profiles disagree on which
        metros are major.
    """
    found = {}
    for entry in study.workloads:
        workload = load_workload(str(entry.profile or entry.id))
        if workload.id != entry.id:
            msg = f"Profile {workload.id!r} stands where study {study.id} names {entry.id!r}."
            raise WorkloadError(msg, "Give the profile the same id.")
        _check_without(study, entry, workload)
        found[entry.id] = workload
    asked = {w.id: w.major_metro_people for w in found.values() if w.major_metro_people is not None}
    if len(set(asked.values())) > 1:
        told = ", ".join(f"{name} {people:,}" for name, people in asked.items())
        msg = f"Profiles of study {study.id} disagree on the people of a major metro: {told}."
        raise WorkloadError(
            msg, "Give them the same major_metro_people, or rank them by two studies."
        )
    return found


def major_metro_people(workloads: Mapping[str, Workload]) -> int:
    """People from which on the profiles of a study call a metro a major one."""
    asked = (workload.major_metro_people for workload in workloads.values())
    return next((people for people in asked if people is not None), MAJOR_METRO_PEOPLE)


def kept_weight(entry: StudyWorkload, workload: Workload) -> float:
    """Sum of the weights of the factors that a study keeps of a profile: what they are scaled by to sum to 1."""
    lacks = {item.metric for item in entry.without}
    return sum(factor.weight for factor in workload.factors if factor.metric not in lacks)


def _check_without(study: Study, entry: StudyWorkload, workload: Workload) -> None:
    weighed = {factor.metric for factor in workload.factors}
    gated = {gate.metric for gate in workload.gates}
    lacks = [item.metric for item in entry.without]
    for metric in lacks:
        if metric not in weighed | gated:
            msg = (
                f"Study {study.id} does without {metric!r}, but profile {workload.id!r} neither "
                f"gates on nor weighs {metric!r}."
            )
            raise WorkloadError(msg, "Mend or remove the entry under `without`.")
    if weighed <= set(lacks):
        msg = f"Study {study.id} leaves no factor of profile {workload.id!r} to rank by."
        raise WorkloadError(msg, "Remove the profile from the study, or give it one of its own.")


def _known_metric(metric: str) -> None:
    if metric not in METRICS:
        msg = f"unknown metric {metric!r}"
        raise ValueError(msg)


def workload_names() -> list[str]:
    """Names of the profiles that come with Gridstead."""
    return sorted(path.stem for path in WORKLOADS_DIR.glob("*.yaml"))


def load_workload(name: str) -> Workload:
    """Load a profile by name, or from the path of a YAML file.

    Raises
    ------
    WorkloadError
        No such profile, or the file breaks the model; the message names the key.
    """
    is_file = name.endswith((".yaml", ".yml"))
    path = Path(name) if is_file else WORKLOADS_DIR / f"{name}.yaml"
    if not (path.is_file() if is_file else name in workload_names()):
        msg = f"There is no workload {name!r}."
        raise WorkloadError(msg, f"Known workloads: {', '.join(workload_names())}.")
    return read_model(path, Workload, WorkloadError, "Mend the key in the workload file.")


def workload_schema() -> str:
    """Return the JSON schema of a profile, as the text of its file."""
    return json.dumps(Workload.model_json_schema(), indent=2, ensure_ascii=False) + "\n"

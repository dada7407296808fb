"""YAML read fast, and one clear sentence out of a pydantic error."""

from copy import deepcopy
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from data.errors import GridsteadError

Model = TypeVar("Model", bound=BaseModel)

# libyaml's parser where PyYAML was built with it: 20 ms for the catalogue instead of 150.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def parse_yaml(text: str) -> Any:
    """Parse a YAML document with plain values only; raises `yaml.YAMLError`."""
    return deepcopy(_parsed(text))


# Every step of a run reads the study, its profiles and the catalogue, most of them more than once.
@lru_cache(maxsize=64)
def _parsed(text: str) -> Any:
    return yaml.load(text, Loader=_LOADER)  # noqa: S506


def read_model(path: Path, model: type[Model], failure: type[GridsteadError], hint: str) -> Model:
    """Read a YAML file into a model; what breaks it is raised as `failure`, naming file and key."""
    return validated(read_yaml(path, failure), path.name, model, failure, hint)


def read_yaml(path: Path, failure: type[GridsteadError]) -> Any:
    """Read a YAML file into plain values; what is no YAML is raised as `failure`."""
    try:
        return parse_yaml(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        msg = f"{path.name} is not valid YAML: {str(error).splitlines()[0]}."
        raise failure(msg) from error


def validated(
    content: Any, name: str, model: type[Model], failure: type[GridsteadError], hint: str
) -> Model:
    """Check plain values against a model; what breaks it is raised as `failure`, naming the key."""
    try:
        return model.model_validate(content)
    except ValidationError as error:
        msg = f"{name}: {first_problem(error)}"
        raise failure(msg, hint) from error


def first_problem(error: ValidationError) -> str:
    """Say where and what the first problem is, and how many more there are."""
    problems = error.errors()
    first = problems[0]
    where = ".".join(str(part) for part in first["loc"]) or "the file"
    what = first["msg"].removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        what = "is not a known key"
    elif first["type"] == "missing":
        what = "is missing"
    more = f" ({len(problems) - 1} more)" if len(problems) > 1 else ""
    return f"{where}: {what}{more}."

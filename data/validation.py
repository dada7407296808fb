"""YAML read fast, and one clear sentence out of a pydantic error."""

from typing import Any

import yaml
from pydantic import ValidationError

# libyaml's parser where PyYAML was built with it: the catalogue is read by every step of a run, in
# 20 ms instead of 150.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def parse_yaml(text: str) -> Any:
    """Parse a YAML document with plain values only; raises `yaml.YAMLError`."""
    return yaml.load(text, Loader=_LOADER)  # noqa: S506


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

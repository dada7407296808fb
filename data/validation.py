"""One clear sentence out of a pydantic error."""

from pydantic import ValidationError


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

"""A source of the catalogue that is made for a test: everything but its access is beside the point."""

from typing import Any

from data.catalogue import Source


def thing(access: dict[str, Any], reader: str = "csv", **more: Any) -> Source:
    """Return a source of one table, with keys of `more` in the place of its own."""
    entry = {
        "id": "thing",
        "title": "Thing",
        "theme": "grid",
        "access": access,
        "licence": "MIT",
        "data_terms": "MIT",
        "attribution": "Someone",
        "as_of": 2024,
        "is_exportable": True,
        "tables": {"thing": {"reader": reader}},
    }
    return Source.model_validate(entry | more)

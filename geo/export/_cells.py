"""Columns of any origin turned into the few types that every format holds."""

import json
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from geo.errors import GeoError

# Illegal in XML 1.0 (GeoPackage metadata, styles) or ending a C string in GDAL.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")
_KINDS = {
    "boolean": "boolean",
    "integer": "Int64",
    "floating": "float64",
    "mixed-integer-float": "float64",
    "decimal": "float64",
    "string": "string",
    "empty": "string",
}


def clean_column(column: pd.Series, *, layer: str = "") -> pd.Series:
    """Give a column as nullable boolean, integer, float, date, time or text.

    Parameters
    ----------
    column
        Any dtype. Cells that are lists, dicts, tuples, sets or arrays become JSON text.
    layer
        Name used in messages.

    Returns
    -------
    Series
        Same length and order; None, NaN, NaT and NA are null.

    Raises
    ------
    GeoError
        If a number is infinite: JSON cannot say it, and it is never a measurement.
    """
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(column.cat.categories.dtype)
    if isinstance(column.dtype, pd.ArrowDtype):
        column = column.astype(object)
    if column.dtype == object:
        column = _typed(column)
    if pd.api.types.is_string_dtype(column.dtype) and column.dtype != object:
        return _clean_strings(column)
    if pd.api.types.is_timedelta64_dtype(column.dtype):
        return column.astype("string")
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        return column.dt.tz_convert("UTC")
    if column.dtype == np.uint64:
        # No GIS format has it; identifiers such as H3 cells fit into 63 bits.
        is_wide = column.max() > np.iinfo(np.int64).max if len(column) else False
        return column.astype("string" if is_wide else "int64")
    if pd.api.types.is_float_dtype(column.dtype):
        values = column.to_numpy(dtype="float64", na_value=np.nan)
        if np.isinf(values).any():
            msg = f"Column {column.name!r} of layer {layer!r} holds an infinite number."
            raise GeoError(msg)
    return column


def clean_text(text: str) -> str:
    """Replace what no file format can carry: control characters and lone surrogates."""
    return _CONTROL.sub("\ufffd", text.encode("utf-8", "replace").decode("utf-8"))


def _typed(column: pd.Series) -> pd.Series:
    kind = pd.api.types.infer_dtype(column, skipna=True)
    if kind == "date":
        return column.where(column.notna(), None)
    if kind in {"datetime", "datetime64"}:
        return clean_column(pd.to_datetime(column))
    if kind == "integer":
        return _integers(column)
    if kind in _KINDS and kind != "string":
        return column.where(column.notna(), None).astype(_KINDS[kind])
    texts = [_as_text(cell) for cell in column]
    return pd.Series(texts, index=column.index, name=column.name, dtype="string")


def _integers(column: pd.Series) -> pd.Series:
    try:
        return column.where(column.notna(), pd.NA).astype("Int64")
    except OverflowError:  # wider than 63 bits: keep every digit
        texts = [None if pd.isna(cell) else str(cell) for cell in column]
        return pd.Series(texts, index=column.index, name=column.name, dtype="string")


def _as_text(cell: Any) -> str | None:
    if isinstance(cell, str):
        return clean_text(cell)
    if isinstance(cell, Mapping | list | tuple | set | frozenset | np.ndarray):
        return clean_text(json.dumps(_plain(cell), ensure_ascii=False))
    if pd.isna(cell):
        return None
    return clean_text(cell.decode("utf-8", "replace") if isinstance(cell, bytes) else str(cell))


def _plain(value: Any) -> Any:
    """Give a nested value as JSON has it: text keys, null for NaN, sets in a fixed order."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, set | frozenset):
        return [_plain(item) for item in sorted(value, key=str)]
    if isinstance(value, list | tuple | np.ndarray):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        return _plain(value.item())
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    return None if pd.isna(value) else str(value)


def _clean_strings(column: pd.Series) -> pd.Series:
    # A search over 200,000 names costs 20 ms; the rewrite only runs where it finds something.
    has_control = column.str.contains(_CONTROL.pattern, regex=True, na=False)
    if has_control.any():
        column = column.str.replace(_CONTROL.pattern, "\ufffd", regex=True)
    return column.astype("string")

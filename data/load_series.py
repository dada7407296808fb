"""A user's load of a power system by the hour."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from data.errors import InputError, ReadError
from data.readers._artefact import Artefact
from data.readers.delimited import read_csv

# A year; a leap year or a shorter record may differ, a day may not stand for it.
FEWEST_HOURS = 8_000
# Share of a column's values above which the rest are faults.
MOST = 0.5


def read_load_series(path: Path) -> np.ndarray:
    """Read an hourly load from the one column of numbers of a CSV file.

    Returns
    -------
    ndarray
        Load of each hour in the file's own unit, shape (hours,).

    Raises
    ------
    InputError
        The file is missing or unreadable, has not one column of numbers, holds a blank, negative or
        endless value, is under `FEWEST_HOURS` long, or is 0 throughout.
    """
    if not path.is_file():
        msg = f"There is no load series {path}."
        raise InputError(msg, "Check load_series in the study file; it is relative to that file.")
    try:
        table = read_csv(Artefact(path), delimiter=",")
    except (ReadError, pa.ArrowException, OSError) as error:
        msg = f"{path} cannot be read as a load series: {str(error).splitlines()[0]}"
        raise InputError(msg, "Give CSV with a header and one column of numbers.") from error
    columns = {name: table.column(name).to_pandas() for name in table.column_names}
    numbers = {name: pd.to_numeric(texts, errors="coerce") for name, texts in columns.items()}
    # A column of numbers with a gap is one, dates are none.
    found = {name: each for name, each in numbers.items() if each.notna().mean() > MOST}
    if len(found) != 1:
        told = f"it has {len(found)}: {', '.join(found)}" if found else "it has none"
        msg = f"{path} is no load series: one column of numbers is asked for, {told}."
        raise InputError(
            msg, "Give the load alone, a row an hour, beside a column of dates at most."
        )
    name, held = next(iter(found.items()))
    values = held.to_numpy(dtype=float)
    if (bad := np.flatnonzero(~(np.isfinite(values) & (values >= 0)))).size:
        msg = f"{path}: row {bad[0] + 1} of column {name} is no load: {columns[name][bad[0]]!r}."
        raise InputError(msg, "Fill the gaps of the series, each hour with 0 or more.")
    if values.size < FEWEST_HOURS:
        msg = f"{path} holds {values.size:,} hours, fewer than a year."
        raise InputError(msg, f"Give a whole year: at least {FEWEST_HOURS:,} rows.")
    if values.max() == 0:
        msg = f"{path} is 0 in every hour."
        raise InputError(msg, "Give the load of the whole system.")
    return values

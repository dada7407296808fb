"""Words for the columns of exports, as the build itself names its metrics."""

from collections.abc import Iterable

import duckdb

from flows.reporting import rows_of
from geo.export._words import alias_of_metric

# What is measured at parcels and told of regions; other tables have columns of the same names that mean their own.
MEASURED = ("region", "parcel")


def aliases(con: duckdb.DuckDBPyConnection, kind: str, columns: Iterable[str]) -> dict[str, str]:
    """Give words with units for those columns of a layer that are metrics.

    Parameters
    ----------
    con
        An open build.
    kind
        What a row is: `region`, `parcel`, `substation` or `metro`.
    columns
        Of the layer.
    """
    if kind not in MEASURED:
        return {}
    held = set(columns)
    return {
        row["metric"]: alias_of_metric(
            row["label"], row["unit"], is_middle=row["metric"].endswith("_mid")
        )
        for row in rows_of(con, "query/map_metrics")
        if row["metric"] in held
    }

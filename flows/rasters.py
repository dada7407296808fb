"""What every run exports as rasters: where each workload scores how well."""

from pathlib import Path

import duckdb
import numpy as np

from data import store
from data.build import to_map
from flows.reporting import rows_of
from geo.export import ExportNote, cog


def suitability(con: duckdb.DuckDBPyConnection, out: Path, note: ExportNote) -> list[Path]:
    """Write one raster of scores for each workload: `<workload>.tif`.

    Parameters
    ----------
    con
        Published build.
    out
        Folder to write to.
    note
        Provenance and terms.

    Returns
    -------
    list
        The files; none where the build has no parcels.
    """
    shapes = to_map(store.query_file(con, "query/map_parcel_shapes")).geometry
    if not len(shapes):
        return []
    rasters = {}
    for row in rows_of(con, "query/workloads"):
        params = {"workload": row["workload"]}
        scores = store.query_file(con, "query/raster_scores", params).fetchnumpy()["score"]
        values = np.ma.filled(scores.astype(float), np.nan)
        rasters[out / f"{row['workload']}.tif"] = cog.Scores(row["title"], values)
    return cog.write_scores(rasters, shapes, note)

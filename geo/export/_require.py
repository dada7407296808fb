"""What pictures ask of the frames that they draw."""

from collections.abc import Iterable, Mapping

import geopandas as gpd

from geo.errors import CrsError, GeoError


def require_drawable(frames: Mapping[str, gpd.GeoDataFrame], columns: Iterable[str]) -> None:
    """Check that the first frame has the columns that are drawn, and that each has a CRS.

    Parameters
    ----------
    frames
        What each shows, in words, to the frame.
    columns
        Of the first.

    Raises
    ------
    GeoError
        If a column is missing.
    CrsError
        If a frame has no CRS.
    """
    first, held = next(iter(frames.items()))
    if missing := [name for name in columns if name not in held.columns]:
        msg = f"The {first} to map lack {', '.join(missing)}."
        raise GeoError(msg)
    for what, frame in frames.items():
        if frame.crs is None:
            msg = f"The {what} of the map have no CRS."
            raise CrsError(msg)

"""The people of a run: those of the study's raster, or of the layer, by point, by state and by cell."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd

from data import build as builds
from data import store
from data.catalogue import Source
from data.errors import InputError
from data.network_case import catalogue_of
from data.pull import Pulled
from data.readers.raster import open_raster, raster_table
from data.study import People, Study
from flows import keys
from flows.home import Home
from flows.results import Log, attach, beside, is_there, layer_content, write, write_arrays
from geo.errors import GeoError
from geo.people import PeopleSource
from geo.people_grid import people_cells
from geo.people_raster import RasterPeople, read_people
from geo.people_units import MILLI

# Beside the points: people by state, and by cell of the grid that is exported.
STATE, CELL = "state", "cell"
RASTER, OUTSIDE = "raster_cell", "raster_outside"


@dataclass(frozen=True)
class PeopleRaster:
    """Catalogue entry and pulled file of the population raster of a study, and how it is read."""

    source: Source
    pulled: Pulled
    how: People

    @classmethod
    def of(cls, study: Study, pulled: Mapping[str, Pulled]) -> Self | None:
        """Find what the study declares; None when it declares no raster of people."""
        if study.people is None:
            return None
        catalogue, _ = catalogue_of(study)
        name = study.people.raster
        return cls(catalogue.source(name), pulled[name], study.people)

    @property
    def told(self) -> list[Any]:
        """Whatever of it decides the figures: its bytes, and how they are read."""
        table = raster_table(self.source).model_dump()
        return [self.pulled.sha256, table, self.how.model_dump(exclude={"raster"})]


def make_people(
    study: Study, layers: Path, pulled: Mapping[str, Pulled], home: Home, log: Log
) -> Path:
    """Gather the people of a run, or reuse them when the rows and the raster they come from are the same.

    Returns
    -------
    Path
        Arrays of a `PeopleSource`; beside them `.state.parquet` and `.cell.parquet`.

    Raises
    ------
    InputError
        The raster lies nowhere near the counties, or holds what is no count of people.
    """
    raster = PeopleRaster.of(study, pulled)
    with store.create() as con:
        attach(con, layers)
        content = layer_content(con, ("state", "county" if raster else "people"))
        told = raster.told if raster else None
        target = (
            home.work / f"people-{keys.key_of(content, told, keys.code_key(keys.PEOPLE_CODE))}.npz"
        )
        if is_there(target, "people", log):
            return target
        census = builds.layer_frame(con, "state").set_index("state_id")["population_people"]
        if raster is None:
            source, states = _of_layer(builds.layer_frame(con, "people"), census)
        else:
            found = _of_raster(raster, builds.layer_map(con, "county"), census)
            source, states = found.source, _rows(found)
            log(_said(found))
    cells = people_cells(source.lon, source.lat, source.milli)
    write(states, beside(target, STATE))
    write(pd.DataFrame(vars(cells)), beside(target, CELL))
    write_arrays(source.to_arrays(), target)
    return target


def read_people_source(path: Path) -> PeopleSource:
    """Read what `make_people` kept."""
    with np.load(path, allow_pickle=False) as arrays:
        return PeopleSource.from_arrays({name: arrays[name] for name in arrays.files})


def _of_layer(people: pd.DataFrame, census: pd.Series) -> tuple[PeopleSource, pd.DataFrame]:
    """People of the layer as they are, with their sums by state and method."""
    source = PeopleSource.of_points(
        *(people[name].to_numpy(float) for name in ("lon", "lat", "people"))
    )
    used = people.assign(used=source.milli / MILLI)
    groups = used.groupby(["state_id", "method"], dropna=False, sort=True)
    states = groups.agg(
        source_people=("people", "sum"), people=("used", "sum"), point_count=("used", "size")
    ).reset_index()
    states["census_people"] = states["state_id"].map(census).astype(float)
    return source, states.assign(scale_factor=1.0, covered_share=1.0)


def _of_raster(raster: PeopleRaster, counties: Any, census: pd.Series) -> RasterPeople:
    with open_raster(raster.source, raster.pulled.path) as file:
        try:
            return read_people(
                file.dataset,
                counties,
                unit=raster.how.unit,
                census=census,
                scale_to_states=raster.how.scale_to_states,
                crs=file.crs,
            )
        except GeoError as error:
            msg = f"The raster of people {raster.source.id!r} cannot be used: {error}"
            hint = "Mend the file or its catalogue entry, or take people out of the study."
            raise InputError(msg, hint) from error


def _rows(found: RasterPeople) -> pd.DataFrame:
    """People by state, and in a last row without a state what was read and is not used."""
    outside = {
        "state_id": None,
        "method": OUTSIDE,
        "source_people": found.outside_people,
        "scale_factor": 0.0,
        "people": 0.0,
        "point_count": found.outside_count,
    }
    rows = [*found.states.assign(method=RASTER).to_dict("records"), outside]
    return pd.DataFrame(rows)


def _said(found: RasterPeople) -> str:
    squares = f", each {found.times} by {found.times} of the raster's" if found.times > 1 else ""
    return (
        f"people: {found.source.people:,.0f} in {len(found.source.lon):,} cells{squares}; "
        f"{found.outside_people:,.0f} in cells outside of the states"
    )

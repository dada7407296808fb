"""The slope raster of a study: what decides its figures, and the open file while parcels are measured."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from data.catalogue import Source
from data.errors import InputError
from data.network_case import catalogue_of
from data.pull import Pulled
from data.readers.raster import OpenRaster, open_raster, raster_table
from data.study import Study
from flows.exclusions import bounds_of
from geo.errors import CrsError
from geo.zonal import check_place


@dataclass(frozen=True)
class SlopeSource:
    """Catalogue entry and pulled file of the slope raster of a study."""

    source: Source
    pulled: Pulled

    @classmethod
    def of(cls, study: Study, pulled: Mapping[str, Pulled]) -> Self | None:
        """Find what the study declares; None when it declares no slope."""
        if study.slope is None:
            return None
        catalogue, _ = catalogue_of(study)
        name = study.slope.raster
        return cls(catalogue.source(name), pulled[name])

    @property
    def told(self) -> list[Any]:
        """Whatever of it decides the figures: its bytes, and how they are read."""
        return [self.pulled.sha256, raster_table(self.source).model_dump()]


@contextmanager
def open_slope(slope: SlopeSource | None, parcels: Path) -> Generator[OpenRaster | None]:
    """Open the slope raster for the block; None when the study declares none.

    Raises
    ------
    InputError
        The raster lies nowhere near the parcels, so that the slope of all of them would be unknown.
    """
    if slope is None:
        yield None
        return
    with open_raster(slope.source, slope.pulled.path) as raster:
        try:
            check_place(raster.dataset, bounds_of(parcels), raster.crs)
        except CrsError as error:
            msg = f"The slope raster {slope.source.id!r} meets no parcel: {error}"
            hint = "Set the reader option 'crs' in its catalogue entry, or take slope out of the study."
            raise InputError(msg, hint) from error
        yield raster

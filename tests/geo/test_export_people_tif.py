"""People as a GeoTIFF: what is read back is what was in the grid."""

import numpy as np
import pytest
import rasterio

from geo.errors import GeoError
from geo.export import people_tif
from geo.people_grid import people_cells, rasterize_people
from tests.geo.export_samples import NOTE


def points(count=3_000):
    rng = np.random.default_rng(5)
    lon, lat = rng.uniform(-79.0, -76.0, count), rng.uniform(38.0, 41.0, count)
    return lon, lat, rng.integers(1, 9_000_000, count)


def test_the_file_sums_to_the_points_and_says_where_they_come_from(tmp_path):
    lon, lat, milli = points()
    path = people_tif.write(
        tmp_path / "people.tif", rasterize_people(lon, lat, milli), NOTE,
        source="Census", method="tract_scaled_to_county",
    )  # fmt: skip
    with rasterio.open(path) as file:
        assert (file.crs.to_epsg(), file.dtypes, file.nodata) == (4326, ("float32",), -99_999.0)
        assert file.res == pytest.approx((1 / 120, 1 / 120), rel=1e-12)
        people = file.read(1, masked=True).astype(float)
        tags = file.tags()
        cells = people_cells(lon, lat, milli)
        assert people.count() == len(cells.milli)
        assert people.sum() == pytest.approx(milli.sum() / 1000, rel=1e-6)
        # The people of a point stand in the cell that holds it.
        row, column = rasterio.transform.rowcol(file.transform, lon, lat)
        assert (people[row, column] >= milli / 1000 * (1 - 1e-6)).all()
    assert tags["people_total"] == f"{milli.sum() / 1000:.3f}"
    assert (tags["people_source"], tags["people_method"]) == ("Census", "tract_scaled_to_county")
    assert (tags["is_synthetic"], tags["study"], tags["attribution"]) == (
        "true",
        "open-conus",
        "A & <B>; =Ünï",
    )


def test_equal_grids_give_equal_bytes(tmp_path):
    grid = rasterize_people(*points())
    first, second = (
        people_tif.write(tmp_path / name, grid, NOTE, source="a", method="b").read_bytes()
        for name in ("one.tif", "two.tif")
    )
    assert first == second
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.tif", "two.tif"]


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(GeoError, match="is a folder"):
        people_tif.write(tmp_path, rasterize_people(*points(3)), NOTE, source="a", method="b")

"""Made-up feature layers and rasters of the 48 states, cached as files: `python benchmarks/made_layers.py`.

80,000 substations, 25,000 high-voltage lines of 476,000 segments, 1,200 fiber routes of 633,000, 400 metros,
14,000 plants, 150,000 exclusion polygons of 4.2 million vertices that overlap, people on 30 seconds of arc
(0.7 to 0.9 km), and slope in percent on 0.0025 degrees (250 m), tiled and deflated.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import made_parcels
import made_shapes
import numpy as np
import rasterio
import shapely
from made_parcels import CACHE, MOST_ACRES, SEED, places, towns
from made_shapes import Plan
from rasterio.transform import from_origin
from rasterio.windows import Window

SUBSTATIONS, LINES, ROUTES, METROS, PLANTS, EXCLUSIONS = 80_000, 25_000, 1_200, 400, 14_000, 150_000
LINE_SEGMENTS, ROUTE_SEGMENTS = 476_000, 633_000
WEST, SOUTH, EAST, NORTH = -126, 24, -65, 51
PEOPLE_PER_DEG, SLOPE_PER_DEG = 120, 400
SLOPE_NODATA = 255
TILE = 256


@dataclass(frozen=True)
class MadeLayers:
    """Files of the layers in a folder, made and read when asked for; polygons are valid, in lon/lat.

    `share` of the features and cells per degree: less than the defaults is for tests alone.
    """

    folder: Path = CACHE
    share: float = 1.0
    people_per_deg: int = PEOPLE_PER_DEG
    slope_per_deg: int = SLOPE_PER_DEG

    @property
    def substations(self) -> gpd.GeoDataFrame:
        """Points."""
        return self._read("substations", lambda: _points(self._of(SUBSTATIONS), 1))

    @property
    def lines(self) -> gpd.GeoDataFrame:
        """Lines of 230 kV and more, 19 segments of 1.2 km each."""
        return self._read(
            "lines", lambda: _walks(self._of(LINES), self._of(LINE_SEGMENTS), 1_200.0, 2)
        )

    @property
    def fiber(self) -> gpd.GeoDataFrame:
        """Lines, 530 segments of 450 m each."""
        return self._read(
            "fiber", lambda: _walks(self._of(ROUTES), self._of(ROUTE_SEGMENTS), 450.0, 3)
        )

    @property
    def metros(self) -> gpd.GeoDataFrame:
        """Points of the largest towns."""
        lon, lat, _, _ = towns()
        return gpd.GeoDataFrame(geometry=_lonlat(shapely.points(lon[:METROS], lat[:METROS])))

    @property
    def plants(self) -> gpd.GeoDataFrame:
        """Points with `kw`, integers."""

        def make() -> gpd.GeoDataFrame:
            frame = _points(self._of(PLANTS), 4)
            rng = np.random.default_rng([SEED, 4])
            frame["kw"] = np.rint(np.exp(rng.normal(np.log(5_000), 2.0, len(frame)))).astype(
                np.int64
            )
            return frame

        return self._read("plants", make)

    @property
    def exclusions_path(self) -> Path:
        """GeoParquet of polygons that overlap each other."""
        return self._file(
            "exclusions.parquet", lambda at: _exclusions(self._of(EXCLUSIONS)).to_parquet(at)
        )

    @property
    def exclusions(self) -> gpd.GeoDataFrame:
        """Polygons that overlap each other."""
        return gpd.read_parquet(self.exclusions_path)

    @property
    def people_path(self) -> Path:
        """GeoTIFF of people a cell, int32."""
        return self._file("people.tif", lambda at: _write_people(at, self.people_per_deg))

    @property
    def slope_path(self) -> Path:
        """GeoTIFF of percent, uint8; 255 is unknown."""
        return self._file("slope.tif", lambda at: _write_slope(at, self.slope_per_deg))

    def make_all(self) -> None:
        """Write whatever is not there."""
        for name in ("substations", "lines", "fiber", "plants"):
            getattr(self, name)
        print(self.exclusions_path, self.people_path, self.slope_path, sep="\n")

    def _of(self, count: int) -> int:
        return int(count * self.share)

    def _read(self, name: str, make: Callable[[], gpd.GeoDataFrame]) -> gpd.GeoDataFrame:
        path = self._file(f"{name}.parquet", lambda at: make().to_parquet(at))
        return gpd.read_parquet(path)

    def _file(self, name: str, write: Callable[[Path], object]) -> Path:
        path = self.folder / name
        if not path.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            partial = path.with_name(f"partial-{name}")
            write(partial)
            partial.replace(path)
        return path


def _points(count: int, stream: int) -> gpd.GeoDataFrame:
    lon, lat, _ = places(np.arange(count) + stream * 10**9, 0.5)
    return gpd.GeoDataFrame(geometry=_lonlat(shapely.points(lon, lat)))


def _walks(count: int, segments: int, step_m: float, stream: int) -> gpd.GeoDataFrame:
    """Lines that wander: their lengths are geometric, their turns small."""
    rng = np.random.default_rng([SEED, stream])
    steps = 1 + rng.multinomial(segments - count, rng.dirichlet(np.ones(count)))
    line = np.repeat(np.arange(count), steps)
    first = np.cumsum(steps) - steps
    turns = rng.normal(0.0, 0.2, segments)
    turns[first] = 0.0
    turned = np.cumsum(turns)
    heading = rng.uniform(0.0, 2.0 * np.pi, count)[line] + turned - turned[first][line]
    length_m = step_m * np.exp(rng.normal(-0.18, 0.6, segments))
    lon, lat, _ = places(np.arange(count) + stream * 10**9, 0.5)
    per_lon = 111_320.0 * np.cos(np.radians(lat))
    along = np.cumsum(
        np.column_stack([np.cos(heading) / per_lon[line], np.sin(heading) / 111_320.0])
        * length_m[:, None],
        axis=0,
    )
    before = np.vstack([np.zeros(2), along])[first]
    start = np.column_stack([lon, lat])
    vertices = np.insert(along - before[line] + start[line], first, start, axis=0)
    # A line that wanders off the rasters is drawn along their border.
    vertices = np.clip(vertices, (WEST, SOUTH), (EAST, NORTH))
    of_vertex = np.repeat(np.arange(count), steps + 1)
    return gpd.GeoDataFrame(geometry=_lonlat(shapely.linestrings(vertices, indices=of_vertex)))


def _exclusions(count: int) -> gpd.GeoDataFrame:
    number = np.arange(count) + 5 * 10**9
    # Every third lies where another one does: floodplain on wetland, park on lake.
    lon, lat, is_town = places(np.arange(count) % (2 * count // 3) + 5 * 10**9, 0.3)
    drawn = np.empty((count, 5))
    made_shapes.draw(number, 5, drawn)
    kind, _, size, rough, tail = drawn.T
    plan = Plan(
        number,
        lon,
        lat,
        np.clip(np.where(is_town, 15.0, 100.0) * np.exp(2.0 * size), 0.5, MOST_ACRES),
        np.clip(np.rint(18.5 * np.exp(0.9 * rough)), 5, 3_000).astype(np.int64),
        np.where(kind < 0.05, 2 + np.abs(tail).astype(np.int64), 1),
        np.where(kind > 0.95, 1 + np.abs(tail).astype(np.int64), 0),
        np.full(count, made_shapes.SOUND),
    )
    octets, start = plan.wkb()
    whole = octets.tobytes()
    wkb = [whole[begin:end] for begin, end in itertools.pairwise(start)]
    return gpd.GeoDataFrame(geometry=_lonlat(shapely.make_valid(shapely.from_wkb(wkb))))


def _write_people(path: Path, per_deg: int) -> None:
    """330 million: most of them around the towns, the others evenly."""
    rows, columns = (NORTH - SOUTH) * per_deg, (EAST - WEST) * per_deg
    rng = np.random.default_rng([SEED, 6])
    people = rng.exponential(1.5 * (PEOPLE_PER_DEG / per_deg) ** 2, (rows, columns)).astype(
        np.float32
    )
    for lon, lat, town_people, spread_deg in zip(*towns(), strict=True):
        reach = int(4.0 * spread_deg * per_deg) + 1
        row, column = int((NORTH - lat) * per_deg), int((lon - WEST) * per_deg)
        top, left = max(row - reach, 0), max(column - reach, 0)
        y = np.exp(-0.5 * ((np.arange(top, row + reach) - row) / (spread_deg * per_deg)) ** 2)
        x = np.exp(
            -0.5 * ((np.arange(left, column + reach) - column) / (spread_deg * per_deg)) ** 2
        )
        window = people[top : row + reach, left : column + reach]
        disc = np.outer(y, x)[: window.shape[0], : window.shape[1]]
        window += disc * (town_people / disc.sum())
    profile = _profile(rows, columns, per_deg, "int32")
    with rasterio.open(path, "w", **profile) as out:
        out.write(np.rint(people).astype(np.int32), 1)


def _write_slope(path: Path, per_deg: int) -> None:
    """Ranges of hills in noise; lakes, 1 % of the cells, are unknown. Written a row of tiles at a time."""
    rows, columns = (NORTH - SOUTH) * per_deg, (EAST - WEST) * per_deg
    rng = np.random.default_rng([SEED, 7])
    grids = [
        (size, rng.standard_normal((rows // size + 3, columns // size + 3)).astype(np.float32))
        for size in (600, 60, 12)
    ]
    with rasterio.open(
        path, "w", **_profile(rows, columns, per_deg, "uint8"), nodata=SLOPE_NODATA
    ) as out:
        for top in range(0, rows, TILE):
            count = min(TILE, rows - top)
            ranges, hills, ridges = (
                _smooth(grid, size, top, count, columns) for size, grid in grids
            )
            noise = rng.standard_normal((count, columns), dtype=np.float32)
            rugged = np.exp(1.2 + 0.9 * ranges + 0.4 * hills + 0.3 * ridges + 0.25 * noise)
            percent = np.minimum(rugged, 120.0).astype(np.uint8)
            percent[hills + 0.3 * ridges < -1.6] = SLOPE_NODATA
            out.write(percent, 1, window=Window(0, top, columns, count))  # ty: ignore[too-many-positional-arguments]


def _smooth(grid: np.ndarray, size: int, top: int, count: int, columns: int) -> np.ndarray:
    """Bilinear rows `top` to `top + count` of a coarse grid of cells of `size`."""

    def share(begin: int, length: int) -> tuple[np.ndarray, np.ndarray]:
        at = (begin + np.arange(length)) / size
        return at.astype(np.int64), (at % 1.0).astype(np.float32)

    row, down = share(top, count)
    column, across = share(0, columns)
    wide = grid[row[0] : row[-1] + 2]
    wide = wide[:, column] * (1.0 - across) + wide[:, column + 1] * across
    row = row - row[0]
    return wide[row] * (1.0 - down[:, None]) + wide[row + 1] * down[:, None]


def _profile(rows: int, columns: int, per_deg: int, dtype: str) -> dict[str, object]:
    return {
        "driver": "GTiff",
        "height": rows,
        "width": columns,
        "count": 1,
        "dtype": dtype,
        "crs": "OGC:CRS84",
        "transform": from_origin(WEST, NORTH, 1.0 / per_deg, 1.0 / per_deg),
        "tiled": True,
        "blockxsize": TILE,
        "blockysize": TILE,
        "compress": "deflate",
        "zlevel": 6,
        "num_threads": 2,
    }


def _lonlat(shapes: np.ndarray) -> gpd.GeoSeries:
    return gpd.GeoSeries(shapes, crs="OGC:CRS84")


if __name__ == "__main__":
    MadeLayers(made_parcels.CACHE).make_all()
